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

const OBJECT_ID = '11111111-1111-4111-8111-111111111111';
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

it('a writer that merges users before accounts and an erasure never wait for each other', async () => {
  const anna = () => anAttempt({ ...past(), objectId: OBJECT_ID, idpKey: 'idp:google.com:anna' });
  expect(await writeMessages(readConfig(env()), [anna()], 20_000)).toEqual({ refused: [] });
  const writer = await served().pool.connect();
  try {
    await writer.query('begin');
    await writer.query(`select pg_advisory_xact_lock_shared(hashtextextended('gatehouse: users', 0))`);
    await writer.query('update users set last_seen = now()');
    const erased = eraseNow(`oid:${OBJECT_ID}`);
    const waiting = sql`select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock'`;
    await vi.waitUntil(async () => (await rows<{ n: number }>(waiting))[0]?.n === 1, { timeout: 10_000 });
    await writer.query('update accounts set last_seen = now()');
    await writer.query('commit');
    expect(await erased).toMatchObject({ ok: true });
  } finally {
    writer.release();
  }
  const kept = sql`select (select count(*)::int from users) as users, (select count(*)::int from accounts) as accounts`;
  expect(await rows(kept)).toEqual([{ users: 0, accounts: 0 }]);
});

it('erasures, and messages of before and after them, merge the same users and accounts at once without a deadlock', async () => {
  const people = Array.from({ length: 8 }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`);
  const idps = people.map((id) => `idp:google.com:${id}`);
  const settings = readConfig(env());
  const some = (at: Date) =>
    people.map((objectId, index) =>
      anAttempt({ at, objectId, idpKey: idps[index] ?? '', otherKeys: [idps[(index + 3) % 8] ?? ''] }),
    );
  const write = async (at: () => Date) => {
    for (let batch = 0; batch < 6; batch += 1)
      expect(await writeMessages(settings, some(at()), 20_000)).toEqual({ refused: [] });
  };
  const erase = async (first: number) => {
    for (let step = 0; step < 4; step += 1) expect((await eraseNow(`oid:${people[first + step]}`)).ok).toBe(true);
  };
  const [before, after] = [() => past().at, () => new Date(Date.now() + HOUR_MS)];
  await Promise.all([write(before), write(after), write(before), write(after), erase(0), erase(4)]);
  const seen = sql`select count(*)::int as n from users join attempts using (oid_key)
    group by oid_key having max(occurred_at) <> max(last_seen) or min(occurred_at) <> min(first_seen)`;
  expect(await rows(seen)).toEqual([]);
});
