/**
 * The functions of expressions beyond CEL's own and its `strings` extension, and stricter ones in the place of some of those. A
 * function fails by throwing: the library makes a value of that.
 */
import {
  type CelFunc,
  type CelList,
  CelScalar,
  type CelValue,
  celFunc,
  celList,
  celMethod,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  listType,
  mapType,
  objectType,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { TimestampSchema, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { inZone } from './dates.ts';
import { MAX_ENTRIES, MAX_PARTS, MAX_RESULT_TEXT, MAX_TEXT } from './limits.ts';
import { domainOf, normalEmail, titleCase } from './text.ts';

const { BOOL, DOUBLE, DYN, INT, STRING, UINT } = CelScalar;
const LIST = listType(DYN);
const MAP = mapType(DYN, DYN);
const TIMESTAMP = objectType(TimestampSchema);

const OURS: readonly CelFunc[] = [
  celFunc('domain', [STRING], STRING, domainOf),
  celFunc('titleCase', [STRING], STRING, titleCase),
  celFunc('normalizeEmail', [STRING], STRING, normalEmail),
];

const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;
/** The years 1 to 9999, in seconds since 1970. */
const [FIRST_SECOND, LAST_SECOND] = [-62_135_596_800n, 253_402_300_799n];

/** The library takes `''` for 0, and spaces, `0x10` and `0b1` for numbers. */
const CONVERSIONS: readonly CelFunc[] = [
  celFunc('int', [STRING], INT, (text) => {
    const value = /^[+-]?0*\d{1,19}$/.test(text) ? BigInt(text) : undefined;
    return value !== undefined && value <= MAX_INT && value >= -MAX_INT - 1n ? value : fail('that is no whole number');
  }),
  celFunc('uint', [STRING], UINT, (text) => {
    const value = /^0*\d{1,20}$/.test(text) ? BigInt(text) : undefined;
    return celUint(value !== undefined && value <= MAX_UINT ? value : fail('that is no whole number of 0 or more'));
  }),
  celFunc('double', [STRING], DOUBLE, (text) => {
    const value = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
    return Number.isFinite(value) ? value : fail('that is no number');
  }),
  // CEL counts seconds, the library milliseconds.
  celFunc('timestamp', [INT], TIMESTAMP, (seconds) =>
    seconds >= FIRST_SECOND && seconds <= LAST_SECOND
      ? timestampFromMs(Number(seconds) * 1_000)
      : fail('that is no time of the years 1 to 9999'),
  ),
];

/** The arrays within the lists that {@link concatenated} made: a macro appends one entry at a time. */
const arrays = new WeakMap<CelList, readonly CelValue[]>();

/** The library nests a list in a list for each entry: a macro over 20,000 entries ran out of stack, over 5,000 it took 0.3 s. */
function concatenated(left: CelList, right: CelList): CelList {
  if (left.size + right.size > MAX_ENTRIES) fail(`it would be a list of over ${MAX_ENTRIES} entries`);
  const array = [...(arrays.get(left) ?? left), ...(arrays.get(right) ?? right)];
  const list = celList(array);
  arrays.set(list, array);
  return list;
}

/** Of code units, as the `strings` extension counts. */
function split(this: string, separator: string, limit?: bigint): CelList {
  const most = limit === undefined || limit < 0n ? undefined : Number(limit);
  if (most === 0) return celList([]);
  // The library drops what comes after the last part that it was asked for; CEL keeps it in there.
  const parts = this.split(separator, MAX_PARTS + 1);
  if (most === undefined || parts.length <= most) {
    return parts.length <= MAX_PARTS ? celList(parts) : fail(`it would be over ${MAX_PARTS} parts`);
  }
  if (most > MAX_PARTS) return fail(`it would be over ${MAX_PARTS} parts`);
  const kept = parts.slice(0, most - 1);
  const rest = kept.reduce((at, part) => at + part.length + separator.length, 0);
  return celList([...kept, this.slice(rest)]);
}

/** The library took 55 s to replace each of 260,000 letters by two, and puts `x` into `''` as often as it is told. */
function replace(this: string, needle: string, replacement: string, limit?: bigint): string {
  if (needle === '') return fail('it cannot replace nothing');
  const parts = this.split(needle);
  const most = limit === undefined || limit < 0n ? parts.length - 1 : Math.min(Number(limit), parts.length - 1);
  if (this.length + most * (replacement.length - needle.length) > MAX_TEXT) return tooLong();
  return most === parts.length - 1
    ? parts.join(replacement)
    : parts.slice(0, most + 1).join(replacement) + needle + parts.slice(most + 1).join(needle);
}

function join(this: CelList, separator = ''): string {
  const parts: string[] = [];
  let length = 0;
  for (const part of this) {
    if (typeof part !== 'string') return fail('only texts can be joined');
    length += part.length + separator.length;
    if (length - separator.length > MAX_TEXT) return tooLong();
    parts.push(part);
  }
  return parts.join(separator);
}

const libraryFormat = strings.find(({ name }) => name === 'format');

function format(this: string, values: CelList): string {
  if (shownLength(values) > MAX_RESULT_TEXT) return tooLong();
  const text = libraryFormat?.call(0, this, [values]);
  if (isCelError(text)) throw text;
  return typeof text === 'string' ? text : fail('it cannot be filled in');
}

/** At most a fifth of what `format` makes of a value. */
function shownLength(value: CelValue): number {
  if (typeof value === 'string') return value.length;
  if (isCelMap(value)) return fail('maps cannot be filled in');
  if (!isCelList(value)) return 1;
  let length = 0;
  for (const entry of value) length += 1 + shownLength(entry);
  return length;
}

const DAY = 86_400_000;

const CLOCK: readonly [name: string, read: (date: Date) => number][] = [
  ['getFullYear', (date) => date.getUTCFullYear()],
  ['getMonth', (date) => date.getUTCMonth()],
  ['getDate', (date) => date.getUTCDate()],
  ['getDayOfMonth', (date) => date.getUTCDate() - 1],
  ['getDayOfWeek', (date) => date.getUTCDay()],
  ['getDayOfYear', (date) => (date.getTime() - new Date(date).setUTCMonth(0, 1)) / DAY],
  ['getHours', (date) => date.getUTCHours()],
  ['getMinutes', (date) => date.getUTCMinutes()],
  ['getSeconds', (date) => date.getUTCSeconds()],
  ['getMilliseconds', (date) => date.getUTCMilliseconds()],
];

const CLOCK_FUNCTIONS = CLOCK.flatMap(([name, read]) => [
  celMethod(name, TIMESTAMP, [], INT, function () {
    return BigInt(read(new Date(timestampMs(this.message))));
  }),
  celMethod(name, TIMESTAMP, [STRING], INT, function (zone) {
    const date = inZone(timestampMs(this.message), zone);
    return BigInt(date === undefined ? fail('that is no time zone') : read(date));
  }),
]);

/** Keys are texts. The library searches all of them for what is no text: a number among 100,000 took it milliseconds. */
const NO_KEY = [DOUBLE, INT, UINT, BOOL].map((type) => celFunc('@in', [type, MAP], BOOL, () => false));

/** In the place of the library's of the same signatures, or beside them. */
export const CEL_FUNCTIONS: readonly CelFunc[] = [
  ...strings,
  ...OURS,
  ...CONVERSIONS,
  ...CLOCK_FUNCTIONS,
  ...NO_KEY,
  celFunc('_+_', [STRING, STRING], STRING, (left, right) =>
    left.length + right.length > MAX_TEXT ? tooLong() : left + right,
  ),
  celFunc('_+_', [LIST, LIST], LIST, concatenated),
  celMethod('split', STRING, [STRING], LIST, split),
  celMethod('split', STRING, [STRING, INT], LIST, split),
  celMethod('replace', STRING, [STRING, STRING], STRING, replace),
  celMethod('replace', STRING, [STRING, STRING, INT], STRING, replace),
  celMethod('join', LIST, [], STRING, join),
  celMethod('join', LIST, [STRING], STRING, join),
  celMethod('format', STRING, [LIST], STRING, format),
];

const tooLong = () => fail(`the text would be over ${MAX_TEXT} characters`);

export function fail(why: string): never {
  throw new Error(why);
}
