/** Percentiles of many intervals at once, computed in Postgres from the histogram buckets. */
import { type SQL, sql } from 'drizzle-orm';
import { upperBoundMs } from '../../aggregates/buckets.ts';

/** The buckets of three percentiles of the interval that starts at `start` (seconds since 1970). */
export type PercentileRow = readonly [start: number, p50: number, p95: number, p99: number];

/** Upper bounds in milliseconds; null without attempts. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

const FRACTIONS = [500, 950, 990];

/** A JSON array of {@link PercentileRow}s. `counted` has rows `(start, bucket, attempts)` without repetition. */
export const percentilesSql = (counted: SQL): SQL => sql`
  (select coalesce(json_agg(json_build_array(start, ${sql.raw(FRACTIONS.map((_, at) => `p${at}`).join(', '))})), '[]') from (
    select start, ${sql.raw(
      // By nearest rank, as `percentileMs`.
      FRACTIONS.map(
        (thousandths, at) => `min(bucket) filter (where seen * 1000 >= total * ${thousandths}) as p${at}`,
      ).join(', '),
    )}
    from (
      select start, bucket, sum(attempts) over (partition by start order by bucket) as seen,
        sum(attempts) over (partition by start) as total
      from (${counted}) as counted
    ) as ranked group by start) as percentiles)`;

/** By the start of the interval, in milliseconds since 1970. */
export const percentilesByStart = (rows: readonly PercentileRow[]): Map<number, Percentiles> =>
  new Map(
    rows.map(([start, p50, p95, p99]) => [
      start * 1_000,
      { p50: upperBoundMs(p50), p95: upperBoundMs(p95), p99: upperBoundMs(p99) },
    ]),
  );
