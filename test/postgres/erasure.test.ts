/** Erasures beside writers of messages, which PGlite runs one after the other. */
import { sql } from 'drizzle-orm';
import { expect, it, vi } from 'vitest';
import { erasePerson } from '../../src/desk/admin/erasure/erase.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import { readConfig } from '../../src/platform/config.ts';
import { HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { memoryKv } from '../support/memory-kv.ts';
import { realDatabase } from '../support/postgres-database.ts';

const { served, db, rows } = realDatabase();
const env = () => ({
  DATABASE_URL: served().url,
  SUPPORT_CODE_KEY: 'a key for tests, long enough to count',
  GATEHOUSE: memoryKv().kv,
  ATTEMPTS: { send: async () => undefined } as unknown as Queue,
});
const eraseNow = (key: string) => {
  const world = env();
  const records = { kv: world.GATEHOUSE, emailKeys: [], gateKey: undefined };
  return erasePerson(world, records, [key], { by: 'admin', now: Date.now(), logChange: async () => true }, false);
};
const named = sql`select count(*)::int as n from attempts where oid_key <> '' or object_id <> ''`;

const past = () => ({ at: new Date(Date.now() - HOUR_MS) });

it('an erasure waits for a writer that began before, so that no attempt stays unblinded between the two', async () => {
  const { id, objectId, oidKey } = anAttempt(past());
  await keepAttempts(db(), [anAttempt({ ...past(), objectId })]);
  const writer = await served().pool.connect();
  try {
    await writer.query('begin');
    await writer.query(`select pg_advisory_xact_lock_shared(hashtextextended('gatehouse: erased keys', 0))`);
    await writer.query(
      `insert into attempts (id, occurred_at, status, duration_ms, object_id, oid_key) values ($1, $2, 200, 1, $3, $4)`,
      [id, past().at, objectId, oidKey],
    );
    const erased = eraseNow(oidKey);
    const waiting = sql`select count(*)::int as n from pg_stat_activity where wait_event = 'advisory'`;
    await vi.waitUntil(async () => (await rows<{ n: number }>(waiting))[0]?.n === 1, { timeout: 10_000 });
    await writer.query('commit');
    expect(await erased).toMatchObject({ ok: true, value: { tables: { attempts: { blinded: 2 } } } });
  } finally {
    writer.release();
  }
  expect(await rows(named)).toEqual([{ n: 0 }]);
});

it('several erasures at once, beside writers of earlier calls, leave no attempt that names the person', async () => {
  const { objectId, oidKey } = anAttempt();
  const some = () => Array.from({ length: 50 }, () => anAttempt({ ...past(), objectId }));
  await keepAttempts(db(), some());
  const settings = readConfig(env());
  const write = async () => {
    for (let batch = 0; batch < 10; batch += 1)
      expect(await writeMessages(settings, some(), 20_000)).toEqual({ refused: [] });
  };
  const erase = async () => {
    for (let times = 0; times < 3; times += 1) expect((await eraseNow(oidKey)).ok).toBe(true);
  };
  await Promise.all([write(), erase(), write(), erase(), write(), erase()]);
  expect(await rows(named)).toEqual([{ n: 0 }]);
  expect(await rows(sql`select count(*)::int as n from attempts`)).toEqual([{ n: 1_550 }]);
});
