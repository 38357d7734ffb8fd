/** Counts every kept attempt anew: after a restore from another Postgres, or whenever the sums are in doubt. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { bucketSql } from './buckets.ts';
import { dimensionsSql, hourSql, isPersonSql } from './hours.ts';

/**
 * The months that have a partition, hence the hours whose attempts are all still here. Partition names are ours
 * (`attempts/partitions.ts`).
 */
const KEPT_HOUR: SQL = sql`date_trunc('month', hour, 'UTC') in (
  select to_timestamp(substr(c.relname, 10) || ' 01 +00', 'YYYY_MM DD TZH')
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'attempts'::regclass)`;

/** The snapshot is that of the whole transaction, so this is the same transaction id in every statement. */
const XMIN: SQL = sql`pg_snapshot_xmin(pg_current_snapshot())`;

/**
 * In the order they run, in one REPEATABLE READ transaction. LOCK takes no snapshot: the snapshot is taken after it, when no
 * sum is on the way and no partition can be made or dropped, while inserts and reports go on. What that snapshot shows is
 * counted here; what it does not show was written by transactions from xmin on, where the next sum begins. Visible rows from
 * xmin on (written while an older transaction was open, or brought from another Postgres) would be counted twice: stamping
 * them 0 puts them before every sum. Sums of months without a partition are older than the attempts and stay.
 */
const STEPS: readonly SQL[] = [
  sql`lock table only attempts in row exclusive mode`,
  sql`lock table summing_progress in exclusive mode`,
  sql`update attempts set written_in = '0' where written_in >= ${XMIN}`,
  sql`delete from hourly_counts where ${KEPT_HOUR}`,
  sql`delete from hourly_durations where ${KEPT_HOUR}`,
  sql`delete from hourly_people where ${KEPT_HOUR}`,
  sql`insert into hourly_durations (hour, ${dimensionsSql}, bucket, attempts)
    select ${hourSql}, ${dimensionsSql}, ${bucketSql()}, count(*) from attempts group by 1, ${dimensionsSql}, ${bucketSql()}`,
  sql`insert into hourly_counts (hour, ${dimensionsSql}, attempts)
    select hour, ${dimensionsSql}, sum(attempts) from hourly_durations where ${KEPT_HOUR} group by hour, ${dimensionsSql}`,
  sql`insert into hourly_people (hour, client_id, object_id)
    select distinct ${hourSql}, client_id, object_id from attempts where ${isPersonSql}`,
  sql`insert into summing_progress (id, summed_before, summed_at) values (true, ${XMIN}, now())
    on conflict (id) do update set summed_before = excluded.summed_before, summed_at = excluded.summed_at`,
];

const COUNT = sql`select coalesce(sum(attempts), 0)::float8 as attempts, count(distinct hour)::int as hours
  from hourly_counts where ${KEPT_HOUR}`;

/**
 * Replaces the sums of all hours that kept partitions cover, whatever is written or summed meanwhile; changes nothing when
 * it throws. Returns how many attempts were counted, and in how many hours.
 */
export async function rebuild(db: Database): Promise<{ attempts: number; hours: number }> {
  const client = db.$client;
  const queries = [...STEPS, COUNT].map((step) => {
    const { sql: text, params } = db.execute(step).getQuery();
    return client.query(text, params);
  });
  const results = await client.transaction(queries, { isolationLevel: 'RepeatableRead' });
  const [counted] = results.at(-1) ?? [];
  if (counted === undefined) throw new Error('The rebuild answered without a row.');
  return { attempts: Number(counted.attempts), hours: Number(counted.hours) };
}
