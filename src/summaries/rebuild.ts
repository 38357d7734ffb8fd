/** Counts every kept attempt anew: after a restore from another Postgres, or whenever the sums are in doubt. */
import { type SQL, sql } from 'drizzle-orm';
import { existingMonths, type Month } from '../attempts/partitions.ts';
import type { Database } from '../database/connect.ts';
import { bucketSql } from './buckets.ts';
import { dimensionsSql, hourSql, isPersonSql } from './hours.ts';
import { sum } from './sum.ts';

/** No sum runs while this is held, and whoever waits for it takes its snapshot afterwards. Reading goes on. */
const HOLD_SUMS = sql`lock table summing_progress in exclusive mode`;
/** Keeps partitions from being dropped, and lets inserts go on. After {@link HOLD_SUMS}, the order in which a sum locks them. */
const HOLD_MONTHS = sql`lock table only attempts in row exclusive mode`;
/** Every transaction id that this Postgres has given out is below. */
const XMAX = sql`pg_snapshot_xmax(pg_current_snapshot())`;
/**
 * An attempt that was not written here. The second bound is the highest there is; with one alone the planner expects a third
 * of the table and reads all of it.
 */
const IS_FOREIGN = sql`written_in >= ${XMAX} and written_in <= '18446744073709551615'`;
/** Stamping is slow, since every index of a row is written: about a minute a million rows, measured. */
const STAMPED_AT_ONCE = 500_000;

/**
 * Replaces the sums of the months whose attempts are still here, month by month, each in one transaction: so that no request
 * lasts long and reports are exact at any moment, whatever is written or summed meanwhile. Sums of older months stay.
 *
 * A month's sums become the count of its attempts below progress, which is what sums hold at any time; progress itself does
 * not move, and what lies above is left to a sum, which follows at once. Data from another Postgres have a progress that means nothing here.
 * Then a line of our own takes its place: every transaction below `line` had ended when we began. Attempts that carry a
 * number not given out yet are not from here and are stamped 0. Progress becomes `line` when all months are counted; until
 * then sums stay stopped and reports count attempts, so a rebuild that breaks off is simply run again.
 *
 * `open` gives a connection for each request. Rejects when Neon does; the months told to `onMonth` are done. Returns how many
 * attempts the sums of those months hold now.
 */
export async function rebuild(
  open: () => Database,
  onMonth: (month: Month, attempts: number) => void = () => undefined,
): Promise<{ attempts: number; months: number }> {
  const { rows } = await open().execute<{ line: string }>(
    sql`select pg_snapshot_xmin(pg_current_snapshot())::text as line`,
  );
  const line = sql`${rows[0]?.line}::xid8`;
  const months = await existingMonths(open());
  let attempts = 0;
  for (const month of months) {
    const counted = await countMonth(open, month, line);
    attempts += counted;
    onMonth(month, counted);
  }
  await inTransaction(open(), [
    HOLD_SUMS,
    sql`insert into summing_progress (id, summed_before, summed_at) values (true, ${line}, now())
      on conflict (id) do update set summed_before = excluded.summed_before, summed_at = excluded.summed_at
      where summing_progress.summed_before > ${XMAX}`,
  ]);
  const { summed } = await sum(open());
  return { attempts: attempts + summed, months: months.length };
}

/** How many attempts the sums of a month hold now. A month that retention dropped in the meantime keeps the sums it had. */
async function countMonth(open: () => Database, month: Month, line: SQL): Promise<number> {
  try {
    await stampAhead(open, month);
    const [counted] = await inTransaction(open(), [HOLD_SUMS, HOLD_MONTHS, ...countAnew(month, line)]);
    return Number(counted?.attempts);
  } catch (error) {
    const existing = await existingMonths(open());
    if (existing.some(({ name }) => name === month.name)) throw error;
    return 0;
  }
}

/**
 * Stamps what came from another Postgres in pieces, so that no request outlasts its limit. Only while sums are stopped: then
 * nobody asks what is summed, and a rebuild that breaks off between pieces has lost nothing.
 */
async function stampAhead(open: () => Database, { name }: Month): Promise<void> {
  const partition = sql.raw(name);
  const stopped = sql`coalesce((select summed_before > ${XMAX} from summing_progress), true)`;
  for (let stamped: number | null = STAMPED_AT_ONCE; stamped === STAMPED_AT_ONCE; ) {
    ({ rowCount: stamped } = await open().execute(sql`update ${partition} set written_in = '0'
      where ctid = any(array(select ctid from ${partition} where ${stopped} and ${IS_FOREIGN} limit ${STAMPED_AT_ONCE}))`));
  }
}

/** By the partition's own name: were it dropped before we held it, this fails instead of counting none. */
function countAnew({ name, from, to }: Month, line: SQL): SQL[] {
  const partition = sql.raw(name);
  const inMonth = sql`hour >= ${from.toISOString()}::timestamptz and hour < ${to.toISOString()}::timestamptz`;
  const isCounted = sql`written_in < coalesce(
    (select case when summed_before > ${XMAX} then ${line} else summed_before end from summing_progress), ${line})`;
  return [
    sql`update ${partition} set written_in = '0' where ${IS_FOREIGN}`,
    sql`delete from hourly_counts where ${inMonth}`,
    sql`delete from hourly_durations where ${inMonth}`,
    sql`delete from hourly_people where ${inMonth}`,
    sql`insert into hourly_durations (hour, ${dimensionsSql}, bucket, attempts)
      select ${hourSql}, ${dimensionsSql}, ${bucketSql()}, count(*) from ${partition} as attempts
      where ${isCounted} group by 1, ${dimensionsSql}, ${bucketSql()}`,
    sql`insert into hourly_counts (hour, ${dimensionsSql}, attempts)
      select hour, ${dimensionsSql}, sum(attempts) from hourly_durations where ${inMonth} group by hour, ${dimensionsSql}`,
    sql`insert into hourly_people (hour, client_id, object_id)
      select distinct ${hourSql}, client_id, object_id from ${partition} as attempts where ${isCounted} and ${isPersonSql}`,
    sql`select coalesce(sum(attempts), 0)::float8 as attempts from hourly_counts where ${inMonth}`,
  ];
}

/** The rows of the last statement. Each statement sees what was committed before it, hence before the locks were given. */
async function inTransaction(db: Database, statements: readonly SQL[]): Promise<Record<string, unknown>[]> {
  const client = db.$client;
  const queries = statements.map((statement) => {
    const { sql: text, params } = db.execute(statement).getQuery();
    return client.query(text, params);
  });
  const results = await client.transaction(queries, { isolationLevel: 'ReadCommitted' });
  return results.at(-1) ?? [];
}
