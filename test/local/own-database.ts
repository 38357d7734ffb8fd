/** A Postgres for one test file alone: for tests that change what everybody shares, such as the one row of summing progress. */
import { type SQL, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { migrate } from '../../local/commands/migrate.ts';
import { startNeon } from '../../local/neon.ts';
import { connect, type Database } from '../../src/database/connect.ts';

const LIMIT_MS = 30_000;

/** Starts it before the file's tests and stops it after them; every test begins with tables as migrations leave them. */
export function ownDatabase() {
  let neon: Awaited<ReturnType<typeof startNeon>> | undefined;
  const url = () => {
    if (neon === undefined) throw new Error('The database starts with the tests.');
    return neon.url;
  };
  const db = (): Database => connect(url(), LIMIT_MS).db;
  const rows = async <Row extends Record<string, unknown>>(query: SQL) => (await db().execute<Row>(query)).rows;
  beforeAll(async () => {
    neon = await startNeon();
    await migrate(neon.url);
  });
  beforeEach(() => empty(db()));
  afterAll(() => neon?.close());
  return { url, db, rows };
}

/** As after the migrations: no rows, no partitions, nothing summed. */
export async function empty(db: Database): Promise<void> {
  await db.execute(sql`do $$ declare month regclass; begin
    for month in select inhrelid from pg_inherits where inhparent = 'attempts'::regclass loop
      execute format('drop table %s', month);
    end loop;
    truncate changes, policy_versions, daily_counts, hourly_totals, daily_durations, daily_facets, daily_shadow, people_scopes, visits, people_days, dirty_hours,
      summed_until;
    insert into summed_until (until, dropped_before, vacuumed_at, copied_at)
      values ('2000-01-01T00:00:00Z', '2000-01-01T00:00:00Z', now(), now());
  end $$`);
}
