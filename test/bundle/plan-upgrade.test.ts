/**
 * The deployed bundle with its real KV and cron: a policy goes from an administrator's hands to the people who sign
 * up.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestHarness } from 'wrangler';
import { FORMAT } from '../../src/expressions/tree.ts';
import { planKey } from '../../src/policy/plan.ts';
import { POINTER_KEY, PUBLISH_DUE_PREFIX, versionKey } from '../../src/policy/pointer.ts';
import { bothWorkers, tick } from '../support/both-workers.ts';
import { ownDatabase } from '../support/own-database.ts';

const database = ownDatabase();
const harness = createTestHarness();
/** Every isolate after it is cold. */
const deploy = () =>
  harness.update(
    bothWorkers({
      LOCAL: 'yes',
      POLICY: 'stored',
      DATABASE_URL: database.url(),
      SUPPORT_CODE_KEY: 'a key for tests, long enough to count',
    }),
  );

beforeAll(async () => {
  await deploy();
  await harness.listen();
});
afterAll(() => harness.close());

const headers = (pair: string, more: Record<string, string> = {}) => ({
  Authorization: `Basic ${btoa(pair)}`,
  'Content-Type': 'application/json',
  ...more,
});
const signUp = async () => {
  const body = JSON.stringify({ step: 'PostFederationSignup', email: 'anna@example.com' });
  const answered = await harness.fetch('/connectors/user-flow', {
    method: 'POST',
    headers: headers('Test:Test'),
    body,
  });
  return ((await answered.json()) as { action: string }).action;
};
const put = async (document: unknown, precondition: Record<string, string>) => {
  const init = { method: 'PUT', headers: headers('admin:admin', precondition), body: JSON.stringify(document) };
  const answered = await harness.fetch('/admin/policy', init);
  return { status: answered.status, etag: answered.headers.get('ETag'), json: (await answered.json()) as object };
};

it('a policy decides once it is saved, the schedule restores it after KV lost it, and a body of 9 MB is refused', async () => {
  expect(await signUp()).toBe('ShowBlockPage');
  const open = { rules: [], description: 'everybody may sign up' };
  const first = await put(open, { 'If-None-Match': '*' });
  expect(first).toMatchObject({ status: 200, etag: '"1"', json: { number: 1, published: true } });
  expect(await signUp()).toBe('Continue');
  const big = await put({ ...open, description: 'x'.repeat(9_000_000) }, { 'If-Match': '"1"' });
  expect(big).toMatchObject({ status: 413, json: { title: 'Body too large' } });
  const writers = await Promise.all(
    ['a', 'b'].map((description) => put({ ...open, description }, { 'If-Match': '"1"' })),
  );
  expect(writers.map(({ status }) => status).sort()).toEqual([200, 412]);

  const { GATEHOUSE: kv } = await harness.getWorker<Env>().getEnv();
  const pointer = await kv.get(POINTER_KEY);
  expect(pointer).toBe('{"v":1,"number":2}');
  const document = await kv.get(versionKey(2));
  const plan = await kv.get(planKey(2));
  await Promise.all([kv.delete(POINTER_KEY), kv.delete(versionKey(2)), kv.delete(planKey(2))]);
  await kv.put(`${PUBLISH_DUE_PREFIX}x`, 'x');
  await tick(harness);
  expect(await Promise.all([POINTER_KEY, versionKey(2), planKey(2)].map((key) => kv.get(key)))).toEqual([
    pointer,
    document,
    plan,
  ]);
  expect(plan).toContain(`"format":${FORMAT}`);
  expect((await kv.list({ prefix: PUBLISH_DUE_PREFIX })).keys).toEqual([]);
});

it('a gate that is deployed before its plan blocks sign-ups, and one that is deployed after it decides at once', async () => {
  await deploy();
  // A stub of KV does not outlive a deployment.
  const kv = async () => (await harness.getWorker<Env>().getEnv()).GATEHOUSE;
  const valuesOf = (...keys: string[]) => Promise.all(keys.map(async (key) => (await kv()).get(key)));
  const open = {
    rules: [
      {
        id: 'anna',
        steps: ['PostFederationSignup'],
        when: "claims.email == 'b@example.com'",
        block: 'no',
        onError: 'skip',
      },
    ],
  };
  const { json } = await put({ ...open, messages: { no: { en: 'No.' } } }, { 'If-None-Match': '*' });
  expect(json).toMatchObject({ number: 1, published: true });
  expect(await signUp()).toBe('Continue');

  // As the Worker before plans left it: pointer and document alone.
  await (await kv()).delete(planKey(1));
  const left = await valuesOf(POINTER_KEY, versionKey(1));
  expect(left).not.toContain(null);
  expect(await signUp(), 'a warm gate').toBe('Continue');
  await deploy();
  expect(await signUp(), 'a cold gate').toBe('ShowBlockPage');
  await tick(harness);
  expect(await signUp(), 'the same gate, when the desk has published').toBe('Continue');
  expect(await valuesOf(POINTER_KEY, versionKey(1)), 'what old isolates read').toEqual(left);
  await deploy();
  expect(await signUp(), 'a cold gate that has its plan').toBe('Continue');
});
