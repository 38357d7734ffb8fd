/**
 * Histogram buckets for durations. Bucket `b` holds the whole milliseconds above 1.1^(b-1) and up to 1.1^b, from 1 ms
 * (bucket 0) to 10 minutes (bucket 140). A percentile read from buckets is an upper bound, at most 10 % too high.
 * `daily_durations` stores the bucket numbers, so neither the ratio nor the limits may change.
 */
import { type SQL, sql } from 'drizzle-orm';
import { attempts } from '../../database/schema.ts';

const RATIO = 1.1;
/** Longer durations count as this one; the gate stores none (`compose-attempt.ts`). */
const MAX_MS = 600_000;
/** Highest bucket number: its bound is the first one not below {@link MAX_MS}. */
export const LAST_BUCKET = Math.ceil(Math.log(MAX_MS) / Math.log(RATIO));

/**
 * Bucket of a duration in milliseconds. The logarithm is safe in floating point, here and in Postgres: no bucket bound
 * is closer to a whole number than 2e-7 of itself, nine digits more than a rounding error of a double.
 */
export function bucketOf(durationMs: number): number {
  return Math.ceil(Math.log(Math.min(Math.max(durationMs, 1), MAX_MS)) / Math.log(RATIO));
}

/** {@link bucketOf} as SQL, a smallint. The default is the duration of `attempts`. */
export function bucketSql(durationMs: SQL | typeof attempts.durationMs = attempts.durationMs): SQL<number> {
  return sql<number>`ceil(ln(least(greatest(${durationMs}, 1), ${sql.raw(String(MAX_MS))})::float8) / ln(${sql.raw(String(RATIO))}::float8))::smallint`;
}

/** The longest whole number of milliseconds that a bucket holds. */
export function upperBoundMs(bucket: number): number {
  return Math.min(Math.floor(RATIO ** bucket), MAX_MS);
}

/**
 * Percentile by nearest rank, as an upper bound in milliseconds; null without attempts. `fraction` is 0 to 1 with at
 * most three decimals, such as 0.95. `counts` come in any order and may repeat a bucket.
 */
export function percentileMs(
  counts: Iterable<{ readonly bucket: number; readonly attempts: number }>,
  fraction: number,
): number | null {
  const sorted = [...counts].filter(({ attempts }) => attempts > 0).sort((a, b) => a.bucket - b.bucket);
  const total = sorted.reduce((sum, { attempts }) => sum + attempts, 0);
  // In thousandths: 0.07 × 100 is 7.000000000000001 in floating point, one rank too high.
  const rank = Math.max(1, Math.ceil((total * Math.round(fraction * 1_000)) / 1_000));
  let seen = 0;
  for (const { bucket, attempts } of sorted) {
    seen += attempts;
    if (seen >= rank) return upperBoundMs(bucket);
  }
  return null;
}
