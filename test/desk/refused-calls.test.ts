/** Refused calls are visible (attack 5, 15; support questions 4 and 30). */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it, vi } from 'vitest';
import { report } from '../support/reports-call.ts';
import worker from '../support/worker.ts';

async function ask(path: string, pair: string, bindings: object) {
  const ctx = createExecutionContext();
  const headers = { Authorization: `Basic ${btoa(pair)}` };
  const request = new Request(`https://gatehouse.example${path}`, { method: 'POST', headers, body: '{}' });
  const { status } = await worker.fetch(request as Parameters<typeof worker.fetch>[0], { ...env, ...bindings }, ctx);
  await waitOnExecutionContext(ctx);
  return status;
}

interface Refused {
  readonly route: string;
  readonly reason: string;
  readonly name: string;
  readonly calls: number;
}

it('refused calls: the summary, readiness and the sentence for an unknown person show them, without what was presented', async () => {
  const name = `b2c-${crypto.randomUUID().slice(0, 8)}`;
  const bindings = { CONNECTOR_BASIC: `${name}:right`, ADMIN_BASIC: `${name}:right` };
  expect(await ask('/connectors/user-flow', `${name}:guessed`, bindings)).toBe(401);
  expect(await ask('/admin/people', `${name}:guessed`, bindings)).toBe(401);
  const ours = await vi.waitUntil(
    async () => {
      const json = (await (await report('/summary')).json()) as { refusedCalls: Refused[] };
      const found = json.refusedCalls.filter((refused) => refused.name === name);
      expect(JSON.stringify(json)).not.toContain('guessed');
      return found.length === 2 ? found : false;
    },
    { timeout: 20_000, interval: 100 },
  );
  const { standing } = (await (await report('/people/search', { text: `${name}@nowhere.example` })).json()) as {
    standing: string;
  };
  // Calls of other tests are counted too.
  expect(standing).toMatch(
    / Gatehouse refused \d+ calls? (?:at|between) \S+:\d\dZ(?: and \S+:\d\dZ)? before it knew the person: it may have been one of them\./,
  );
  const headers = { Authorization: `Basic ${btoa('support:support')}` };
  const ctx = createExecutionContext();
  const asked = new Request('https://gatehouse.example/health/ready', { headers });
  const ready = await worker.fetch(asked as Parameters<typeof worker.fetch>[0], env, ctx);
  await waitOnExecutionContext(ctx);
  const { warnings } = (await ready.json()) as { warnings: string[] };
  expect(warnings.join()).toContain('Calls were refused in the last hour: ');
  expect(ours.toSorted((a, b) => (a.route < b.route ? -1 : 1))).toMatchObject([
    { route: 'admin', reason: 'wrong-credential', calls: 1 },
    { route: 'connector', reason: 'wrong-credential', calls: 1 },
  ]);
});
