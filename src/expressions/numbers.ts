/** Conversions to numbers and bools. Stricter than CEL's libraries: `''`, spaces and `0x10` are not numbers. */
import { Fail, type Value } from './values.ts';

const MAX_INT = 2n ** 63n - 1n;

/** CEL's int has 64 bits. */
export const inRange = (whole: bigint): bigint | Fail =>
  whole <= MAX_INT && whole >= -MAX_INT - 1n ? whole : new Fail('the number is too large');

/** Truncates. */
export const wholeOf = (value: number): bigint | Fail =>
  Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : new Fail('the number is too large');

export const intOf = (text: string): bigint | Fail =>
  /^[+-]?0*\d{1,19}$/.test(text) ? inRange(BigInt(text.replace('+', ''))) : new Fail('not a whole number');

/** Whether a number has all its digits: whole ones beyond 2^53 are rounded. */
export const hasAllDigits = (value: number): boolean => !Number.isInteger(value) || Number.isSafeInteger(value);

export function doubleOf(text: string): number | Fail {
  const value = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) return new Fail('not a number');
  // With an exponent, the text has few digits.
  return hasAllDigits(value) || /e/i.test(text) ? value : new Fail('the number is too large');
}

const TRUE = new Set(['true', 'True', 'TRUE', 't', '1']);
const FALSE = new Set(['false', 'False', 'FALSE', 'f', '0']);

export const boolOf = (text: string): Value =>
  TRUE.has(text) || (FALSE.has(text) ? false : new Fail("neither 'true' nor 'false'"));
