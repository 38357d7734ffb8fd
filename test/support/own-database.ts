/**
 * A Postgres for one test file at a time: for tests that change what everybody shares, such as the one row of
 * `summed_until`.
 */
import { type SQL, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { connect, type Database } from '../../src/database/connect.ts';
import { startMigratedNeon } from './migrated-neon.ts';

const LIMIT_MS = 30_000;

type Neon = Awaited<ReturnType<typeof startMigratedNeon>>;

/** Files of one worker run one after the other, and starting it takes seconds. */
let shared: Promise<Neon> | undefined;

/**
 * Every test begins with tables as migrations leave them. `isAlone`: the tests change more than rows, and no file
 * after them gets it. `isFilledOnce`: all tests of the file read the rows that its `beforeAll` writes.
 */
export function ownDatabase({ isAlone = false, isFilledOnce = false } = {}) {
  let neon: Neon | undefined;
  const url = () => {
    if (neon === undefined) throw new Error('The database starts with the tests.');
    return neon.url;
  };
  const db = (): Database => connect(url(), LIMIT_MS).db;
  const rows = async <Row extends Record<string, unknown>>(query: SQL) => (await db().execute<Row>(query)).rows;
  beforeAll(async () => {
    if (!isAlone) shared ??= startMigratedNeon();
    neon = await (isAlone ? startMigratedNeon() : shared);
  });
  if (isFilledOnce) beforeAll(() => empty(db()));
  else beforeEach(() => empty(db()));
  if (isAlone) afterAll(() => neon?.close());
  return { url, db, rows };
}

/** As after the migrations: no rows, no partitions, nothing summed. */
export async function empty(db: Database): Promise<void> {
  await db.execute(sql`do $$ declare month regclass; begin
    for month in select inhrelid from pg_inherits where inhparent = 'attempts'::regclass loop
      execute format('drop table %s', month);
    end loop;
    truncate changes, refused_calls, erased_keys, policy_versions, daily_counts, hourly_totals, daily_durations, daily_facets, daily_shadow, people_scopes, visits, people_days, users, accounts, user_days, dirty_hours,
      summed_until;
    insert into summed_until (until, dropped_before, vacuumed_at, copied_at)
      values ('2000-01-01T00:00:00Z', '2000-01-01T00:00:00Z', now(), now());
  end $$`);
}
