/** What comes of each function. What is not named here is taken to fail (a test sees that all is named). */
import { BOOL, DOUBLE, DURATION, INT, kindOf, NOTHING, TEXT, TIME, UINT } from './kinds.ts';
import { MAX_TEXT } from './limits.ts';
import { arithmetic, division, MAX_DURATION, MAX_TIME, product, sum } from './number-outcomes.ts';
import { type Call, COUNT, gives, mayFail, type Outcome, type Rule, same } from './outcome.ts';
import { added, fromStart, joining, replacing, searching, splitting } from './text-outcomes.ts';

/** Where texts of numbers and times end. */
const SHORT = { length: 40 };
const YEARS = { magnitude: 10_000 };

/** By what they convert. */
const converting =
  (rules: { readonly [kind: number]: Rule }): Rule =>
  (call) =>
    (rules[call.kinds[0]?.bits ?? 0] ?? mayFail('for some values'))(call);

const unreadable = (what: string) => mayFail(`when that is ${what}`);

const TRUTH = gives();
const CLOCK = gives(YEARS);

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...['!_', '_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_', '@in', 'contains', 'startsWith', 'endsWith', 'matches'].map(
    (name) => [name, TRUTH] as const,
  ),
  ...['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear'].map(
    (name) => [name, CLOCK] as const,
  ),
  // Of durations they are the whole of it in that unit.
  ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'].map(
    (name) => [name, gives({ magnitude: MAX_DURATION })] as const,
  ),
  ...['lowerAscii', 'upperAscii', 'trim', 'titleCase'].map((name) => [name, same] as const),
  ['_+_', added],
  ['_-_', arithmetic(sum)],
  ['_*_', arithmetic(product)],
  ['_/_', division],
  ['_%_', division],
  ['-_', (call) => (call.gives === DOUBLE ? same(call) : arithmetic((a) => a)(call))],
  ['size', gives(COUNT)],
  ['domain', gives({ length: 255 })],
  [
    'normalizeEmail',
    ({ kinds: [text = NOTHING] }) => ({ kind: kindOf(TEXT, { length: text.length * 6 }), fails: undefined }),
  ],
  [
    'strings.quote',
    ({ kinds: [text = NOTHING] }) => ({ kind: kindOf(TEXT, { length: text.length * 2 + 2 }), fails: undefined }),
  ],
  ['age', mayFail('when that is no date', YEARS)],
  ['split', splitting],
  ['replace', replacing],
  ['join', joining],
  ['format', mayFail('when the values do not fit the text, or are too long', { length: MAX_TEXT })],
  ['substring', fromStart],
  ['charAt', fromStart],
  ['indexOf', searching],
  ['lastIndexOf', searching],
  [
    'int',
    converting({
      [INT]: same,
      [TEXT]: unreadable('no whole number'),
      [DOUBLE]: unreadable('too large for a whole number'),
      [UINT]: unreadable('too large for a whole number'),
      [TIME]: gives({ magnitude: MAX_TIME * 10 }),
      [DURATION]: gives({ magnitude: MAX_DURATION }),
    }),
  ],
  [
    'uint',
    converting({
      [UINT]: same,
      [TEXT]: unreadable('no whole number'),
      [INT]: unreadable('below 0'),
      [DOUBLE]: unreadable('below 0 or too large'),
    }),
  ],
  [
    'double',
    converting({
      [DOUBLE]: same,
      [INT]: gives({ magnitude: Number.MAX_VALUE }),
      [UINT]: gives({ magnitude: Number.MAX_VALUE }),
      [TEXT]: mayFail('when that is no number', { magnitude: Number.MAX_VALUE }),
    }),
  ],
  ['bool', converting({ [BOOL]: same, [TEXT]: unreadable("neither 'true' nor 'false'") })],
  [
    'string',
    converting({
      [TEXT]: same,
      ...Object.fromEntries([INT, UINT, DOUBLE, BOOL, TIME, DURATION].map((kind) => [kind, gives(SHORT)])),
    }),
  ],
  [
    'timestamp',
    converting({
      [TIME]: same,
      [TEXT]: unreadable('no time as in 2026-01-31T00:00:00Z'),
      [INT]: unreadable('out of range'),
    }),
  ],
  ['duration', converting({ [DURATION]: same, [TEXT]: unreadable('no duration as in 24h') })],
]);

export const outcomeOf = (name: string, call: Call): Outcome => (RULES.get(name) ?? mayFail('for some values'))(call);

export const isJudged = (name: string): boolean => RULES.has(name);
