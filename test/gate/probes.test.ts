/** Probes: calls of `npm run connect -- check`. */
import { env } from 'cloudflare:workers';
import { expect, it, vi } from 'vitest';
import { PROBE_HEADER } from '../../src/attempts/probe.ts';
import { call, callWith } from '../support/call.ts';
import { report } from '../support/reports-call.ts';

interface Listed {
  readonly probes: Record<string, unknown>[];
}
const probesOf = async (run: string) => (await (await report(`/probes?run=${run}`)).json()) as Listed;
const attemptsOf = async (objectId: string) =>
  ((await (await report('/attempts/search', { objectId })).json()) as { attempts: unknown[] }).attempts;
const bodyOf = (objectId: string) => ({
  step: 'PreTokenIssuance',
  client_id: '231c70e8-8424-48ac-9b5d-5623b9e4ccf3',
  objectId,
  email: `${objectId}@example.com`,
  displayName: `Name of ${objectId}`,
});

it('probes: a probe is answered like every call and listed without its person, and is no attempt', async () => {
  const [run, objectId] = [crypto.randomUUID(), crypto.randomUUID()];
  const plain = await call(bodyOf(crypto.randomUUID()));
  const probed = await call(bodyOf(objectId), '', { [PROBE_HEADER]: run.toUpperCase() });
  expect([probed.status, probed.json.action]).toEqual([plain.status, plain.json.action]);
  const { probes } = await vi.waitUntil(
    async () => {
      const listed = await probesOf(run);
      return listed.probes.length === 1 && listed;
    },
    { timeout: 20_000, interval: 100 },
  );
  expect(probes).toMatchObject([
    { run, step: 'PreTokenIssuance', outcome: 'continue', reply: 'Continue', status: 200, caller: 'Test' },
  ]);
  expect(JSON.stringify(probes)).not.toContain(objectId);
  expect(await attemptsOf(objectId)).toEqual([]);
});

it('probes: a call with another value in the header of probes is an attempt', async () => {
  const objectId = crypto.randomUUID();
  await call(bodyOf(objectId), '', { [PROBE_HEADER]: 'yes' });
  await vi.waitUntil(async () => (await attemptsOf(objectId)).length === 1, { timeout: 20_000, interval: 100 });
});

it('probes: nothing is recorded of a probe without a valid credential', async () => {
  const run = crypto.randomUUID();
  const sent: unknown[] = [];
  const queue = { send: async (message: unknown) => void sent.push(message) };
  const headers = { [PROBE_HEADER]: run, Authorization: `Basic ${btoa('Test:wrong')}` };
  expect((await callWith({ ATTEMPTS: queue }, bodyOf(crypto.randomUUID()), '', headers)).status).toBe(401);
  expect(JSON.stringify(sent)).not.toContain(run);
});

it('probes: a queue that refuses a probe, and a desk that fails, change no reply and are logged', async () => {
  const logged = vi.spyOn(console, 'log').mockReturnValue();
  const away = () => Promise.reject(new Error('away'));
  const bindings = { ATTEMPTS: { send: away }, RECORDER: { record: away } };
  const headers = { [PROBE_HEADER]: crypto.randomUUID() };
  expect((await callWith({ ...env, ...bindings }, bodyOf(crypto.randomUUID()), '', headers)).status).toBe(200);
  expect(logged.mock.calls.flat().join()).toContain('"event":"probe-lost"');
});

it('probes: an id of a check in another notation finds its probes, and any other text is refused with advice', async () => {
  const run = crypto.randomUUID();
  expect((await report(`/probes?run=%7B${run.toUpperCase()}%7D`)).status).toBe(200);
  const refused = await report('/probes?run=yes');
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain('not the id of a check');
});
