/** Percentiles of many intervals at once, from the histogram buckets of durations. */

import { type SQL, sql } from 'drizzle-orm';
import { percentileMs } from '../../aggregates/buckets.ts';
import type { AnswerOf } from '../../http/operation.ts';
import type { percentilesAnswer } from '../summary-answer.ts';

/** The buckets of an interval, each with its attempts. `start` is in seconds since 1970. */
export type TimedRow = readonly [start: number, buckets: readonly number[], attempts: readonly number[]];

/** Upper bounds in milliseconds; null without attempts. */
export type Percentiles = AnswerOf<typeof percentilesAnswer>;

/**
 * A JSON array of {@link TimedRow}s from rows `(start, bucket, attempts)`, where `start` is a day or an instant.
 * Percentiles are not computed here: window functions took half as long as the whole summary (measured).
 */
export const timedSql = (rows: SQL): SQL => sql`
  (select coalesce(json_agg(json_build_array(extract(epoch from start)::bigint, buckets, attempts)), '[]') from (
    select start, array_agg(bucket) as buckets, array_agg(attempts) as attempts from (
      select start, bucket, sum(attempts)::bigint as attempts from (${rows}) as timing group by start, bucket
    ) as counted group by start) as timed)`;

/** The percentiles of all rows together. */
export function percentilesOf(rows: readonly TimedRow[]): Percentiles {
  const all = rows.flatMap(([, buckets, attempts]) =>
    buckets.map((bucket, at) => ({ bucket, attempts: attempts[at] ?? 0 })),
  );
  const [p50 = null, p95 = null, p99 = null] = [0.5, 0.95, 0.99].map((fraction) => percentileMs(all, fraction));
  return { p50, p95, p99 };
}

/** By the start of the interval, in milliseconds since 1970. */
export const percentilesByStart = (rows: readonly TimedRow[]): ReadonlyMap<number, Percentiles> =>
  new Map(rows.map((row) => [row[0] * 1_000, percentilesOf([row])]));
