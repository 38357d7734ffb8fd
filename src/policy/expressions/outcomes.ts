/**
 * What comes of a call whose arguments fit: how large its result may be, and whether it may fail all the same. What is not named
 * here is taken to fail (a test sees that all is named).
 */
import {
  BOOL,
  DOUBLE,
  DURATION,
  INT,
  type Kind,
  kindOf,
  LIST,
  lengthOf,
  NOTHING,
  TEXT,
  TIME,
  UINT,
  union,
} from './kinds.ts';
import { MAX_ENTRIES, MAX_PARTS, MAX_TEXT } from './limits.ts';
import { type Node, shown, textOf, wholeNumberOf } from './tree.ts';

/** A call that fits: what stands before the dot comes first. Each kind is narrowed to what the parameter takes. */
export interface Call {
  readonly node: Node;
  readonly arguments: readonly Node[];
  readonly kinds: readonly Kind[];
  /** The kinds of value that it gives, as the library's table has it. */
  readonly gives: number;
}

export interface Outcome {
  readonly kind: Kind;
  /** A sentence on when it fails; undefined: it cannot. */
  readonly fails: string | undefined;
}

type Rule = (call: Call) => Outcome;

const gives =
  (bounds: Partial<Kind> = {}): Rule =>
  (call) => ({ kind: kindOf(call.gives, bounds), fails: undefined });

const mayFail =
  (when: string, bounds: Partial<Kind> = {}): Rule =>
  (call) => ({ kind: kindOf(call.gives, bounds), fails: `${shown(call.node)} fails ${when}.` });

/** The value itself, in another kind at most. */
const same: Rule = ({ kinds: [kind = NOTHING], gives: bits }) => ({ kind: { ...kind, bits }, fails: undefined });

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
/** Seconds that a duration may have (64 bits of nanoseconds), and that a time may be away from 1970 on either side. */
const MAX_DURATION = 9_200_000_000;
const MAX_TIME = 62_000_000_000;
/** Where texts of numbers and times end. */
const SHORT = { length: 40 };
const COUNT = { magnitude: 1_000_000 };
const YEARS = { magnitude: 10_000 };

const sum = (a: number, b: number) => a + b;
const product = (a: number, b: number) => a * b;

/** Numbers and times, whose magnitude is known by that of the operands. */
const arithmetic =
  (of: (a: number, b: number) => number): Rule =>
  (call) => {
    const [a = NOTHING, b = NOTHING] = call.kinds;
    const magnitude = of(a.magnitude, b.magnitude);
    const kind = kindOf(call.gives, { magnitude });
    if (call.gives === DOUBLE) return { kind: kindOf(DOUBLE), fails: undefined };
    const most = { [INT]: MAX_SAFE, [TIME]: MAX_TIME, [DURATION]: MAX_DURATION }[call.gives];
    if (most !== undefined && magnitude <= most) return { kind, fails: undefined };
    return { kind, fails: `${shown(call.node)} fails when the result is out of range.` };
  };

const division: Rule = (call) => {
  const [a = NOTHING] = call.kinds;
  const by = call.arguments[1] && wholeNumberOf(call.arguments[1]);
  if (call.gives === DOUBLE) return { kind: kindOf(DOUBLE), fails: undefined };
  const safe = by !== undefined && by !== 0n && a.magnitude <= MAX_SAFE;
  return {
    kind: kindOf(call.gives, { magnitude: a.magnitude }),
    fails: safe ? undefined : `${shown(call.node)} fails when it divides by 0, or the result is out of range.`,
  };
};

const tooLong = ({ node }: Call, length: number, most = MAX_TEXT) =>
  length <= most
    ? undefined
    : `${shown(node)} fails when the text is longer than ${most.toLocaleString('en')} characters.`;

const added: Rule = (call) => {
  const [a = NOTHING, b = NOTHING] = call.kinds;
  if (call.gives === TEXT) {
    const length = a.length + b.length;
    return { kind: kindOf(TEXT, { length: Math.min(length, MAX_TEXT) }), fails: tooLong(call, length) };
  }
  if (call.gives !== LIST) return arithmetic(sum)(call);
  const entries = a.entries + b.entries;
  return {
    kind: kindOf(LIST, {
      entries: Math.min(entries, MAX_ENTRIES),
      of: a.of && b.of ? union(a.of, b.of) : (a.of ?? b.of),
    }),
    fails:
      entries <= MAX_ENTRIES ? undefined : `${shown(call.node)} fails when the list has over ${MAX_ENTRIES} entries.`,
  };
};

const splitting: Rule = (call) => {
  const [text = NOTHING] = call.kinds;
  const limit = call.arguments[2] && wholeNumberOf(call.arguments[2]);
  const few = limit !== undefined && limit >= 0n && limit <= BigInt(MAX_PARTS);
  return {
    kind: kindOf(LIST, { entries: few ? Number(limit) : MAX_PARTS, of: kindOf(TEXT, { length: text.length }) }),
    fails:
      few || text.length < MAX_PARTS ? undefined : `${shown(call.node)} fails when there are over ${MAX_PARTS} parts.`,
  };
};

const replacing: Rule = (call) => {
  const [text = NOTHING, , replacement = NOTHING] = call.kinds;
  const needle = call.arguments[1] && textOf(call.arguments[1]);
  if (!needle) return { kind: kindOf(TEXT), fails: `${shown(call.node)} fails when it is to replace ''.` };
  const length = text.length * Math.max(1, Math.ceil(replacement.length / needle.length));
  return { kind: kindOf(TEXT, { length: Math.min(length, MAX_TEXT) }), fails: tooLong(call, length) };
};

const joining: Rule = (call) => {
  const [list = NOTHING, separator] = call.kinds;
  const entry = list.of ?? NOTHING;
  const length = list.entries * (lengthOf(entry) + (separator?.length ?? 0));
  const fails = entry.bits & ~TEXT ? `${shown(call.node)} fails when an entry is no text.` : tooLong(call, length);
  return { kind: kindOf(TEXT, { length: Math.min(length, MAX_TEXT) }), fails };
};

/** From the beginning, which every text has. */
const fromStart: Rule = (call) => {
  const atStart = call.arguments.length === 2 && call.arguments[1] && wholeNumberOf(call.arguments[1]) === 0n;
  const fails = atStart ? undefined : `${shown(call.node)} fails when the text is shorter than that.`;
  return { kind: kindOf(TEXT, { length: call.kinds[0]?.length ?? MAX_TEXT }), fails };
};

const searching: Rule = (call) =>
  call.arguments.length === 2 ? gives(COUNT)(call) : mayFail('when the text is shorter than that', COUNT)(call);

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
