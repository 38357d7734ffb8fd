/** The numbers by which a lost attempt is noticed. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { type Attempt, isMessage } from '../../src/attempts/attempt.ts';
import { occurredAtOf } from '../../src/attempts/text-limits.ts';
import { B2C, basic, newClient } from '../support/call.ts';
import worker from '../support/worker.ts';

/** Sends requests at once to a gate whose queue takes every message, and returns the attempts. */
async function recordedOf(requests: readonly Request[], bindings: object = {}): Promise<Attempt[]> {
  const sent: unknown[] = [];
  const ATTEMPTS = { send: async (message: unknown) => void sent.push(JSON.parse(JSON.stringify(message))) };
  const replaced: object = { ATTEMPTS, ...bindings };
  const ctx = createExecutionContext();
  await Promise.all(
    requests.map(async (request) => {
      const call = request as Parameters<typeof worker.fetch>[0];
      await (await worker.fetch(call, { ...env, ...replaced }, ctx)).text();
    }),
  );
  await waitOnExecutionContext(ctx);
  return sent.filter((message): message is Attempt => isMessage(message) && message.kind === 'attempt');
}

const request = (path: string, body: string | undefined, authorization = B2C, method = 'POST') =>
  new Request(`https://gatehouse.example${path}`, {
    method,
    headers: { Authorization: authorization, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });

const STEP = '/connectors/user-flow/PreTokenIssuance';
const whole = () => request(STEP, JSON.stringify({ step: 'PreTokenIssuance', client_id: newClient() }));

it('every recorded call takes the next number of its isolate, whatever its outcome, and no other call takes one', async () => {
  const recorded = [
    whole,
    () => request(STEP, '{"step":'),
    () => request(STEP, '[]'),
    () => request(STEP, JSON.stringify({ email: 'x'.repeat(1_000_000) })),
    () => request('/connectors/user-flow', JSON.stringify({ step: 'NoSuchStep' })),
    () => request('/connectors/custom-policy/SignInStarted', JSON.stringify({ correlationId: newClient() })),
    () => request('/connectors/custom-policy/NoSuchExchange', '{}'),
    () => request('/connectors/custom-policy/SignInStarted', undefined, B2C, 'GET'),
  ];
  const others = [
    () => request(STEP, '{}', basic('Test:wrong')),
    () => request(STEP, '{}', ''),
    () => request(STEP, undefined, B2C, 'HEAD'),
    () => request('/connectors/custom-policy', undefined, B2C, 'GET'),
    () => request('/Connectors/user-flow', '{}'),
    () => request('/health', undefined, '', 'GET'),
  ];
  const rounds = Array.from({ length: 5 }, () => [...recorded, ...others].map((make) => make()));
  const attempts = await recordedOf(rounds.flat());
  expect(attempts).toHaveLength(5 * recorded.length);
  expect(new Set(attempts.map(({ outcome }) => outcome))).toEqual(new Set(['continue', 'error']));
  const isolates = new Set(attempts.map(({ isolate }) => isolate));
  expect(isolates.size).toBe(1);
  const sequences = attempts.map(({ sequence }) => sequence).sort((a, b) => a - b);
  const first = sequences[0] ?? 0;
  expect(first).toBeGreaterThan(0);
  expect(sequences).toEqual(sequences.map((_, at) => first + at));
  const [isolate] = isolates;
  for (const { id } of attempts) expect(occurredAtOf(id)).toBeGreaterThanOrEqual(occurredAtOf(isolate ?? ''));
});

it('an attempt that neither the queue nor the database takes leaves a gap', async () => {
  const refuse = () => Promise.reject(new Error('away'));
  const [before] = await recordedOf([whole()]);
  expect(await recordedOf([whole(), whole()], { ATTEMPTS: { send: refuse }, RECORDER: { record: refuse } })).toEqual(
    [],
  );
  const [after] = await recordedOf([whole()]);
  expect((after?.sequence ?? 0) - (before?.sequence ?? 0)).toBe(3);
  expect(after?.isolate).toBe(before?.isolate);
});
