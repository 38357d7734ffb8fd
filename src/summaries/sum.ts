/** Adds the attempts written since the last sum to the hourly numbers, each exactly once, whatever runs at the same time. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { bucketSql } from './buckets.ts';
import { dimensionsSql, hourSql, isPersonSql } from './hours.ts';

export interface Summed {
  /** Attempts added by this sum. */
  readonly summed: number;
  /**
   * Progress lies beyond every transaction of this Postgres: the data came from another one (dump and restore), and which
   * attempts are in the sums cannot be told. Nothing was added; `npm run sums -- rebuild` counts anew.
   */
  readonly stopped: boolean;
  /** Some attempts can be seen but not summed yet, since an older transaction is still open: sum again soon. */
  readonly waiting: boolean;
}

/**
 * One statement. Every row carries the transaction that wrote it (`written_in`), and every transaction below the snapshot's
 * xmin has ended: so the rows from progress up to xmin are complete, and the next sum begins at xmin.
 *
 * What looks superfluous is not. `for update` makes overlapping sums take turns; the one that waited keeps the snapshot it
 * had before, hence `greatest`, so that progress never moves back. The bounds are scalar subselects: joined, the planner
 * expects half a billion rows. Whether sums are stopped is asked of the own transaction id, which is above any progress made
 * here, while a snapshot from before the wait may not be.
 */
export const SUM: SQL = sql`
  with bounds as materialized (
    select summed_before as lo, pg_snapshot_xmin(pg_current_snapshot()) as hi from summing_progress for update
  ), batch as materialized (
    select ${hourSql} as hour, ${dimensionsSql}, ${bucketSql()} as bucket, object_id
    from attempts
    where written_in >= (select lo from bounds) and written_in < (select hi from bounds)
  ), counts as (
    insert into hourly_counts (hour, ${dimensionsSql}, attempts)
    select hour, ${dimensionsSql}, count(*) from batch group by hour, ${dimensionsSql}
    on conflict (hour, ${dimensionsSql}) do update set attempts = hourly_counts.attempts + excluded.attempts
  ), durations as (
    insert into hourly_durations (hour, ${dimensionsSql}, bucket, attempts)
    select hour, ${dimensionsSql}, bucket, count(*) from batch group by hour, ${dimensionsSql}, bucket
    on conflict (hour, ${dimensionsSql}, bucket) do update set attempts = hourly_durations.attempts + excluded.attempts
  ), people as (
    insert into hourly_people (hour, client_id, object_id)
    select distinct hour, client_id, object_id from batch where ${isPersonSql}
    on conflict do nothing
  ), progress as (
    update summing_progress
    set summed_before = greatest(summed_before, (select hi from bounds)), summed_at = now()
  )
  select (select count(*) from batch)::int as summed,
    coalesce((select lo from bounds) > pg_current_xact_id(), true) as stopped,
    coalesce((select written_in from attempts order by written_in desc limit 1) >= (select greatest(lo, hi) from bounds), false) as waiting`;

/** Sums what can be summed now. Rejects when Neon does; then nothing was added. */
export async function sum(db: Database): Promise<Summed> {
  const { rows } = await db.execute<{ summed: number; stopped: boolean; waiting: boolean }>(SUM);
  const [row] = rows;
  if (row === undefined) throw new Error('The sum answered without a row.');
  return row;
}
