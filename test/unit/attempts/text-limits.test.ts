/** Texts that are stored shorter are found again, and stay two when they were two. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dimensionOf, MAX_CHARS, truncateDistinct } from '../../../src/attempts/text-limits.ts';

const text = fc.string({ unit: 'binary', maxLength: 400 }).map((one) => one.toWellFormed().replaceAll('\0', '?'));

it('a truncated text fits its limit, and truncating it again does not change it', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 20, max: 200 }), (whole, most) => {
      const short = truncateDistinct(whole, most);
      expect(short.length).toBeLessThanOrEqual(most);
      expect(truncateDistinct(short, most)).toBe(short);
      if (whole.length <= most) expect(short).toBe(whole);
      expect(dimensionOf(dimensionOf(whole))).toBe(dimensionOf(whole));
    }),
  );
});

it('two long texts with a common beginning stay two when they are truncated', () => {
  const start = 'x'.repeat(MAX_CHARS.dimension);
  fc.assert(
    fc.property(text, text, (one, other) => {
      const [a, b] = [start + one.trim(), start + other.trim()];
      expect(dimensionOf(a) === dimensionOf(b)).toBe(a === b);
    }),
  );
  const many = Array.from({ length: 50_000 }, (_, nth) => dimensionOf(`${start}${nth}`));
  expect(new Set(many).size).toBe(many.length);
});
