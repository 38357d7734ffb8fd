/**
 * The bundle that is deployed, in the runtime that runs it, with its real queue, consumer and cron: from B2C's call
 * to support's report.
 */
import { and, count, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestHarness, type TestHarness } from 'wrangler';
import { connect } from '../../src/database/connect.ts';
import { attempts, dailyCounts } from '../../src/database/schema.ts';
import { bothWorkers, tick } from '../support/both-workers.ts';
import { startFaultyNeon } from '../support/faulty-neon.ts';

const basic = (pair: string) => `Basic ${btoa(pair)}`;

let neon: Awaited<ReturnType<typeof startFaultyNeon>>;
let gatehouse: TestHarness;

beforeAll(async () => {
  neon = await startFaultyNeon();
  const SUPPORT_CODE_KEY = 'a key for tests, long enough to count';
  gatehouse = createTestHarness(bothWorkers({ LOCAL: 'yes', DATABASE_URL: neon.url, SUPPORT_CODE_KEY }));
  await gatehouse.listen();
});
beforeEach(() => neon.setMood('healthy'));
afterAll(async () => {
  await gatehouse.close();
  await neon.close();
});

const call = (body: object, path = '') =>
  gatehouse.fetch(`/connectors/user-flow${path}`, {
    method: 'POST',
    headers: { Authorization: basic('Test:Test'), 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
const ask = async (path: string, pair = 'support:support', init: { method?: string; body?: string } = {}) => {
  const headers = { Authorization: basic(pair), 'Content-Type': 'application/json' };
  const answered = await gatehouse.fetch(path, { ...init, headers });
  return { status: answered.status, json: (await answered.json()) as Record<string, unknown> };
};
const database = () => connect(neon.directUrl, 10_000).db;
const rowsOf = (clientId: string) => database().select().from(attempts).where(eq(attempts.clientId, clientId));
const rowsOfOnce = (clientId: string, expected: number) =>
  vi.waitUntil(
    async () => {
      const rows = await rowsOf(clientId);
      return rows.length >= expected ? rows : false;
    },
    { timeout: 45_000, interval: 100 },
  );

/** Support sees a call soon after its reply: two seconds on a machine of its own, which a loaded one may exceed. */
const visibleInReports = (clientId: string) =>
  vi.waitUntil(
    async () => {
      const { json } = await ask(`/reports/attempts?clientId=${clientId}`);
      return Array.isArray(json.attempts) && json.attempts.length > 0;
    },
    { timeout: 20_000, interval: 50 },
  );

describe('both built bundles', () => {
  it('a role that an administrator sets is in the token, and the call is in the report and in the aggregates', async () => {
    const clientId = crypto.randomUUID();
    const objectId = crypto.randomUUID();
    const put = await ask(`/admin/people/oid:${objectId}`, 'admin:admin', {
      method: 'PUT',
      body: '{"roles":["editor"]}',
    });
    expect(put.status).toBe(200);

    const answered = await call({ step: 'PreTokenIssuance', client_id: clientId, objectId });
    expect(answered.status).toBe(200);
    expect(await answered.json()).toEqual({ version: '1.0.0', action: 'Continue', extension_Roles: 'editor' });
    await visibleInReports(clientId);

    const { json: listed } = await ask(`/reports/attempts?clientId=${clientId}`);
    expect(listed.attempts).toMatchObject([{ objectId, outcome: 'continue', roles: ['editor'], caller: 'Test' }]);
    const { json: person } = await ask(`/reports/people/oid:${objectId}`);
    expect(person).toMatchObject({ key: `oid:${objectId}`, attempts: [{ clientId }] });
    const { json: changes } = await ask('/admin/changes', 'admin:admin');
    expect(changes.changes).toMatchObject([
      { subject: `oid:${objectId}`, changedBy: 'admin', after: { roles: ['editor'] } },
    ]);

    // When this hour is over.
    await tick(gatehouse, new Date(Date.now() + 2 * 3_600_000));
    const sums = await database()
      .select()
      .from(dailyCounts)
      .where(and(eq(dailyCounts.clientId, clientId), eq(dailyCounts.dims, 4)));
    expect(sums).toMatchObject([{ step: 'PreTokenIssuance', outcome: 'continue', attempts: 1 }]);
    const { json: summary } = await ask('/reports/summary');
    const [{ kept } = { kept: 0 }] = await database().select({ kept: count() }).from(attempts);
    expect(summary.totals).toMatchObject({ attempts: kept });
    expect((await ask('/health/ready')).json).toMatchObject({ status: 'ready', neon: { ok: true }, kv: { ok: true } });
  });

  it('a refusal has the format of its caller: an empty 401 for B2C, problem details for people', async () => {
    const refused = await gatehouse.fetch('/connectors/user-flow', { method: 'POST', body: '{}' });
    expect([refused.status, await refused.text()]).toEqual([401, '']);
    expect(await ask('/reports/summary', 'admin:admin')).toMatchObject({
      status: 401,
      json: { title: 'Not authenticated' },
    });
    expect(await ask('/nothing')).toMatchObject({ status: 404, json: { status: 404 } });
  });
});

describe('both built bundles while Neon is unavailable', () => {
  const consumerFailed = () => gatehouse.getLogs().some(({ message }) => message.includes('attempts-not-written'));

  for (const mood of ['refusing', 'stalled', 'failing'] as const) {
    it(`${mood}: every reply is the same as with a healthy Neon, and every call becomes exactly one row`, async () => {
      const clientId = crypto.randomUUID();
      const replies: { step: string; status: number; body: string }[] = [];
      /** Makes `many` calls, and returns their replies. */
      const load = async (many: number) => {
        const made: typeof replies = [];
        for (let index = 0; index < many; index += 1) {
          const step = index % 2 === 0 ? 'PreTokenIssuance' : 'PostAttributeCollection';
          const answered = await call({ step, client_id: clientId, objectId: crypto.randomUUID(), index });
          made.push({ step, status: answered.status, body: await answered.text() });
        }
        replies.push(...made);
        return made;
      };
      const healthy = await load(40);
      gatehouse.clearLogs();
      neon.setMood(mood);
      expect(await load(40)).toEqual(healthy);
      // A report waits 10 s for a stalled Neon, and the consumer 20 s. The end of a stall breaks its connections.
      if (mood !== 'stalled') {
        const report = await ask('/reports/attempts');
        expect([report.status, typeof report.json.detail]).toEqual([503, 'string']);
        await vi.waitUntil(consumerFailed, { timeout: 15_000, interval: 50 });
      }
      neon.setMood('healthy');
      await load(20);

      const rows = await rowsOfOnce(clientId, replies.length);
      const kept = rows.map(({ step, status: sent, reply }) => `${step} ${sent} ${reply}`);
      expect(kept.toSorted()).toEqual(
        replies.map(({ step, status, body }) => `${step} ${status} ${JSON.parse(body).action}`).toSorted(),
      );
      // Not one more comes: what was tried again is the same row.
      await database().execute(sql`select pg_sleep(1)`);
      expect(await rowsOf(clientId)).toHaveLength(replies.length);
    }, 90_000);
  }
});
