/** The page at `/`: useful on a developer's machine, and silent elsewhere. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import worker from '../support/worker.ts';

async function open(bindings: object = {}) {
  const ctx = createExecutionContext();
  const request = new Request('http://localhost:8787/') as Parameters<typeof worker.fetch>[0];
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

it('the page loads nothing from another host, runs no script and cannot be framed', async () => {
  for (const { headers, text } of [await open(), await open({ LOCAL: '' })]) {
    expect(headers.get('Content-Security-Policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(text).not.toMatch(/<script|<link|src=/);
  }
});
