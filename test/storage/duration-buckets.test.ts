/** Duration buckets: at most 10 % wide, the same in Postgres and TypeScript. Design section 4. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, bucketSql, LAST_BUCKET, percentileMs, upperBoundMs } from '../../src/desk/aggregates/buckets.ts';
import { ownDatabase } from '../support/own-database.ts';

const MAX_MS = 600_000;
const durations = () => fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: MAX_MS }));

describe('duration buckets', () => {
  const { rows } = ownDatabase();

  it('the upper bound of a bucket is less than 10 % above each of its durations', () => {
    fc.assert(
      fc.property(durations(), (ms) => {
        const bound = upperBoundMs(bucketOf(ms));
        expect(bound).toBeGreaterThanOrEqual(ms);
        expect(bound).toBeLessThan(ms * 1.1);
        expect(bucketOf(bound)).toBe(bucketOf(ms));
      }),
    );
  });

  it('Postgres and TypeScript compute the same bucket for every millisecond from 0 to 10 minutes', async () => {
    const found = await rows(sql`select ${bucketSql(sql`ms`)} as bucket, min(ms)::int as first, max(ms)::int as last
      from generate_series(0, ${MAX_MS}::int) as ms group by 1 order by 1`);
    const here = new Map<number, { bucket: number; first: number; last: number }>();
    for (let ms = 0; ms <= MAX_MS; ms++) {
      const bucket = bucketOf(ms);
      here.set(bucket, { bucket, first: here.get(bucket)?.first ?? ms, last: ms });
    }
    expect(found).toEqual([...here.values()]);
    expect(found.map(({ last }) => last)).toEqual([...here.keys()].map(upperBoundMs));
  });

  it('durations outside the range count in the first or last bucket', async () => {
    expect([-5, 0, 1, MAX_MS, MAX_MS + 1, Number.MAX_SAFE_INTEGER].map(bucketOf)).toEqual([
      0,
      0,
      0,
      LAST_BUCKET,
      LAST_BUCKET,
      LAST_BUCKET,
    ]);
    const outside = sql`select ${bucketSql(sql`ms`)} as bucket from unnest(array[-5, 0, 2147483647]) with ordinality as t (ms, n) order by n`;
    expect((await rows(outside)).map(({ bucket }) => bucket)).toEqual([0, 0, LAST_BUCKET]);
  });
});

describe('percentiles from buckets', () => {
  it('a percentile is the upper bound of the duration at its rank', () => {
    const thousandths = fc.integer({ min: 1, max: 1_000 });
    fc.assert(
      fc.property(fc.array(durations(), { minLength: 1, maxLength: 300 }), thousandths, (all, thousandth) => {
        const sorted = all.toSorted((a, b) => a - b);
        const rank = Number((BigInt(all.length) * BigInt(thousandth) + 999n) / 1_000n);
        const counts = all.map((ms) => ({ bucket: bucketOf(ms), attempts: 1 }));
        expect(percentileMs(counts, thousandth / 1_000)).toBe(upperBoundMs(bucketOf(sorted[rank - 1] ?? 0)));
      }),
    );
  });

  it('a percentile does not depend on the order or division of the counts', () => {
    const counts = [
      { bucket: 3, attempts: 5 },
      { bucket: 40, attempts: 1 },
      { bucket: 3, attempts: 4 },
    ];
    expect(percentileMs(counts, 0.9)).toBe(upperBoundMs(3));
    expect(percentileMs(counts.toReversed(), 0.9)).toBe(upperBoundMs(3));
    expect(percentileMs(counts, 0.95)).toBe(upperBoundMs(40));
  });

  it('a percentile of no attempts is null', () => {
    expect(percentileMs([], 0.5)).toBeNull();
    expect(percentileMs([{ bucket: 7, attempts: 0 }], 0.5)).toBeNull();
  });
});
