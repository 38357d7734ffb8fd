/** Pages for browsers: `/`, useful on a developer's machine and silent elsewhere, and the reference. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { OpenApiDocument } from '../../src/desk/api/document.ts';
import worker from '../support/worker.ts';

async function open(bindings: object = {}, path = '/') {
  const ctx = createExecutionContext();
  const request = new Request(`http://localhost:8787${path}`) as Parameters<typeof worker.fetch>[0];
  const response = await worker.fetch(request, { ...env, ...bindings }, ctx);
  const text = await response.text();
  await waitOnExecutionContext(ctx);
  return { status: response.status, headers: response.headers, text };
}

it('the page of a local Gatehouse shows its state, and calls to try at its own address', async () => {
  const { status, headers, text } = await open();
  expect([status, headers.get('Content-Type')]).toEqual([200, 'text/html; charset=UTF-8']);
  expect(text).toContain('State: <span class="');
  expect(text).toContain('<td>the built-in policy decides</td>');
  const commands = [...text.matchAll(/<pre>(.*?)<\/pre>/gs)].map(([, command = '']) => command);
  expect(commands).toHaveLength(5);
  for (const command of commands) expect(command).toMatch(/^curl -s -u \w+:\w+ http:\/\/localhost:8787\//);
});

it('the page of a deployed Gatehouse shows neither state nor sample calls nor settings', async () => {
  const { status, text } = await open({ LOCAL: '', REPORTS_BASIC: 'anna:a long enough secret' });
  expect(status).toBe(200);
  expect(text).toContain('This Gatehouse answers API calls.');
  expect(text).not.toMatch(/State:|curl|support:support|anna|LOCAL/);
});

it('the reference has every operation of the description with a call to try, and no link in it or to it is broken', async () => {
  const { status, text } = await open({ LOCAL: '' }, '/reference');
  const description: OpenApiDocument = JSON.parse((await open({ LOCAL: '' }, '/openapi.json')).text);
  const operations = Object.values(description.paths).flatMap((methods) => Object.values(methods));
  expect([status, operations.length > 35]).toEqual([200, true]);
  expect(text.match(/<pre>curl -s -u /g)).toHaveLength(operations.length);
  const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  for (const { operationId } of operations) expect(ids).toContain(operationId);
  const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, link = '']) => link);
  expect(links.filter((link) => link !== '/openapi.json' && !ids.has(link.slice(1)))).toEqual([]);
  for (const path of ['/reference', '/openapi.json'])
    expect((await open({ LOCAL: '' })).text).toContain(`href="${path}"`);
});

it('the description and the reference are the same for everyone: they show no setting, no host and no sample person', async () => {
  const settings = { REPORTS_BASIC: 'anna:a long enough secret', ROLES_CLAIM: 'extension_MyOwnRoles' };
  for (const path of ['/openapi.json', '/reference']) {
    const [local, deployed] = [await open({}, path), await open({ LOCAL: '', ...settings }, path)];
    expect(local.text).toBe(deployed.text);
    expect(local.text).not.toMatch(/localhost|support:support|admin:admin|anna|MyOwnRoles|\/(?:home|work|tmp)\//);
  }
});

it('a page loads nothing from another host, runs no script and cannot be framed', async () => {
  for (const { headers, text } of [await open(), await open({ LOCAL: '' }), await open({ LOCAL: '' }, '/reference')]) {
    expect(headers.get('Content-Security-Policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(text).not.toMatch(/<script|<link|src=/);
  }
});
