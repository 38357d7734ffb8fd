/**
 * The functions of expressions: signatures, implementations, and what the manual says of them. What has no help is as in CEL's
 * language definition and its strings extension, except that texts and lists have a largest length.
 */
import { ageOf } from './dates.ts';
import * as numbers from './numbers.ts';
import * as texts from './text.ts';
import * as times from './times.ts';
import { Fail, type Time, type Value } from './values.ts';

/** Takes what its signature says; a method takes its target first. Never throws. */
type Implementation = (...args: never[]) => Value;

export interface FunctionEntry {
  readonly name: string;
  /** By signature, in CEL's names of types, as in `string.split(string, int): list<string>`. */
  readonly overloads: Readonly<Record<string, Implementation>>;
  /** For the manual, with all three or without. */
  readonly usage?: string;
  readonly help?: string;
  /** An expression and its value at {@link EXAMPLE_TIME}; undefined: it fails. */
  readonly examples?: readonly (readonly [expression: string, value: string | number | boolean | undefined])[];
}

/** Noon of 21 November 2026, in milliseconds since 1970. */
export const EXAMPLE_TIME = Date.UTC(2026, 10, 21, 12);

const same = (value: Value) => value;

/** With it, the other parts of a time are described. */
const GET_HOURS = {
  usage: 'time.getHours([time zone]) -> int',
  help: 'So as CEL has it, and with it getFullYear, getMonth (from 0), getDate (from 1), getDayOfMonth (from 0), getDayOfWeek (Sunday is 0), getDayOfYear (from 0), getMinutes, getSeconds and getMilliseconds. The time zone is written out; without one it is UTC.',
  examples: [
    ['request.time.getHours()', 12],
    ["request.time.getHours('Europe/Berlin')", 13],
    ["request.time.getHours('+05:30')", 17],
    ['request.time.getDayOfWeek()', 6],
  ],
} as const;

export const FUNCTIONS: readonly FunctionEntry[] = [
  {
    name: 'domain',
    overloads: { 'domain(string): string': texts.domainOf },
    usage: 'domain(text) -> text',
    help: 'The domain of an e-mail address, in small letters: what stands after the last @, without spaces around it or a dot at its end. Letters beyond ASCII become what mail servers look up, so that no look-alike walks around a list. Without a domain: an empty text.',
    examples: [
      ["domain('Jane@Example.COM')", 'example.com'],
      ["domain('jane@example.com.')", 'example.com'],
      ["domain('jane@\uff4d\uff41\uff49\uff4c\uff49\uff4e\uff41\uff54\uff4f\uff52.com')", 'mailinator.com'],
      ["domain('jane@m\u00fcnchen.de')", 'xn--mnchen-3ya.de'],
      ["domain('jane')", ''],
    ],
  },
  {
    name: 'titleCase',
    overloads: { 'titleCase(string): string': texts.titleCase },
    usage: 'titleCase(text) -> text',
    help: 'A name typed in capitals or in small letters only, with capitals where names have them. A name in which both occur is taken as it was meant. The length stays the same.',
    examples: [
      ['titleCase("JANE O\'NEIL")', "Jane O'Neil"],
      ["titleCase('jean-luc')", 'Jean-Luc'],
      ['titleCase("JANE\'S")', "Jane's"],
      ["titleCase('\u00c9LODIE \u015eAH\u0130N')", '\u00c9lodie \u015eahin'],
      ["titleCase('Ludwig van Beethoven')", 'Ludwig van Beethoven'],
      ["titleCase('McDonald')", 'McDonald'],
    ],
  },
  {
    name: 'age',
    // The evaluator gives it the time of the call as well.
    overloads: { 'age(string): int': age },
    usage: 'age(text) -> int',
    help: 'Whole years from a date, as in 2001-12-31 or an RFC 3339 date-time, to request.time, counted in UTC; negative when the date is to come. Born on 29 February, a person is a year older on 1 March. Fails for what is no day of the calendar.',
    examples: [
      ["age('2008-11-21')", 18],
      ["age('2008-11-22')", 17],
      ["age('2008-11-21T23:30:00-01:00')", 17],
      ["age('2030-01-01')", -4],
      ["age('2001-02-29')", undefined],
      ["age('31.12.2001')", undefined],
    ],
  },
  {
    name: 'normalizeEmail',
    overloads: { 'normalizeEmail(string): string': texts.normalEmail },
    usage: 'normalizeEmail(text) -> text',
    help: 'An e-mail address as person keys have it: without spaces around it, in normal form C, in small letters.',
    examples: [["normalizeEmail('  Jane@Example.COM ')", 'jane@example.com']],
  },
  {
    name: 'size',
    overloads: {
      'size(string): int': texts.size,
      'string.size(): int': texts.size,
      'size(list): int': (list: readonly Value[]) => BigInt(list.length),
      'list.size(): int': (list: readonly Value[]) => BigInt(list.length),
      'size(map): int': (map: ReadonlyMap<string, Value>) => BigInt(map.size),
      'map.size(): int': (map: ReadonlyMap<string, Value>) => BigInt(map.size),
    },
    usage: 'size(text, list or map) -> int, or text.size()',
    help: 'How many characters a text has, in Unicode code points, or how many entries a list or a map has.',
    examples: [
      ["size('J\u00fcrgen')", 6],
      ["'\u{1f4a5}!'.size()", 2],
      ["size(['a', 'b'])", 2],
    ],
  },
  {
    name: 'startsWith',
    overloads: { 'string.startsWith(string): bool': (text: string, part: string) => text.startsWith(part) },
  },
  {
    name: 'endsWith',
    overloads: { 'string.endsWith(string): bool': (text: string, part: string) => text.endsWith(part) },
  },
  {
    name: 'contains',
    overloads: { 'string.contains(string): bool': (text: string, part: string) => text.includes(part) },
  },
  {
    name: 'matches',
    // The evaluator has it: its pattern is compiled once a plan.
    overloads: {},
    usage: 'text.matches(pattern) -> bool',
    help: 'Whether any part of the text matches a regular expression of RE2, which has no lookahead and no references back. The pattern is written out; ^ and $ tie it to the beginning and the end.',
    examples: [
      ["'12345'.matches('^[0-9]{5}$')", true],
      ["'123456'.matches('[0-9]{5}')", true],
      ["'JANE'.matches('(?i)jane')", true],
    ],
  },
  { name: 'lowerAscii', overloads: { 'string.lowerAscii(): string': texts.lowerAscii } },
  { name: 'upperAscii', overloads: { 'string.upperAscii(): string': texts.upperAscii } },
  { name: 'trim', overloads: { 'string.trim(): string': texts.trim } },
  {
    name: 'charAt',
    overloads: { 'string.charAt(int): string': texts.charAt },
    usage: 'text.charAt(position) -> text',
    help: 'The character at a position, counted in Unicode code points from 0; an empty text at the very end. Fails beyond it.',
    examples: [
      ["'\u{1f4a5}!'.charAt(1)", '!'],
      ["'ab'.charAt(2)", ''],
      ["'ab'.charAt(3)", undefined],
    ],
  },
  {
    name: 'substring',
    overloads: {
      'string.substring(int): string': texts.substring,
      'string.substring(int, int): string': texts.substring,
    },
    usage: 'text.substring(from, [to]) -> text',
    help: 'From one position to before another, or to the end, counted in Unicode code points from 0. Fails for positions that the text does not have.',
    examples: [
      ["'tacocat'.substring(4)", 'cat'],
      ["'\u{1f4a5}boom'.substring(1, 3)", 'bo'],
      ["'ab'.substring(3)", undefined],
    ],
  },
  {
    name: 'indexOf',
    overloads: { 'string.indexOf(string): int': texts.indexOf, 'string.indexOf(string, int): int': texts.indexOf },
    usage: 'text.indexOf(part, [from]) -> int',
    help: 'Where a part first occurs, counted in Unicode code points from 0; -1 if it does not. lastIndexOf finds the last one.',
    examples: [
      ["'hello'.indexOf('l')", 2],
      ["'\u{1f4a5}boom'.indexOf('boom')", 1],
      ["'hello'.lastIndexOf('l')", 3],
      ["'hello'.indexOf('z')", -1],
    ],
  },
  {
    name: 'lastIndexOf',
    overloads: {
      'string.lastIndexOf(string): int': texts.lastIndexOf,
      'string.lastIndexOf(string, int): int': texts.lastIndexOf,
    },
  },
  {
    name: 'split',
    overloads: {
      'string.split(string): list<string>': texts.split,
      'string.split(string, int): list<string>': texts.split,
    },
    usage: 'text.split(separator, [at most]) -> list',
    help: 'The parts between separators; what is left over stays in the last part that was asked for. An empty separator separates Unicode code points. Fails over 100 parts.',
    examples: [
      ["'a,b,c'.split(',')", 'a b c'],
      ["'a,b,c'.split(',', 2)[1]", 'b,c'],
      ["'a,b,c'.split(',').size()", 3],
    ],
  },
  {
    name: 'replace',
    overloads: {
      'string.replace(string, string): string': texts.replace,
      'string.replace(string, string, int): string': texts.replace,
    },
    usage: 'text.replace(what, by, [at most]) -> text',
    help: 'Replaces all, or so many from the beginning. Fails when it is to replace an empty text, and when the result is over 32,000 characters.',
    examples: [
      ["'0171 / 555'.replace(' ', '')", '0171/555'],
      ["'a-b-c'.replace('-', '+', 1)", 'a+b-c'],
      ["'abc'.replace('', '-')", undefined],
    ],
  },
  { name: 'join', overloads: { 'list.join(): string': texts.join, 'list.join(string): string': texts.join } },
  {
    name: 'int',
    overloads: {
      'int(int): int': same,
      'int(double): int': numbers.wholeOf,
      'int(string): int': numbers.intOf,
      'int(timestamp): int': times.secondsOf,
      'int(duration): int': times.wholeSecondsOf,
    },
    usage: 'int(value) -> int',
    help: 'A whole number from a number, which is cut, or from a text in decimal digits. Fails for any other text, and beyond 64 bits.',
    examples: [
      ['int(42.0)', 42],
      ["int('42')", 42],
      ['int(-1.9)', -1],
      ["int('')", undefined],
      ["int(' 1')", undefined],
      ["int('0x10')", undefined],
      ["int('1.5')", undefined],
    ],
  },
  {
    name: 'double',
    overloads: {
      'double(double): double': same,
      'double(int): double': (whole: bigint) => Number(whole),
      'double(string): double': numbers.doubleOf,
    },
    usage: 'double(value) -> double',
    help: 'A number from a number, or from a text in decimal digits with a point and an exponent or without. Fails for any other text.',
    examples: [
      ["double('1.5')", 1.5],
      ["double('1e3')", 1000],
      ["double('1,5')", undefined],
      ["double('')", undefined],
      ["double('Infinity')", undefined],
    ],
  },
  {
    name: 'string',
    overloads: {
      'string(string): string': same,
      'string(int): string': String,
      'string(double): string': String,
      'string(bool): string': String,
      'string(timestamp): string': times.timeText,
      'string(duration): string': times.spanText,
    },
  },
  {
    name: 'bool',
    overloads: { 'bool(bool): bool': same, 'bool(string): bool': numbers.boolOf },
    usage: 'bool(value) -> bool',
    help: "True or false from itself, or from one of the texts 'true', 'True', 'TRUE', 't', '1' and 'false', 'False', 'FALSE', 'f', '0'. Fails for any other text.",
    examples: [
      ["bool('True')", true],
      ['bool(true)', true],
      ["bool('0')", false],
      ["bool('yes')", undefined],
    ],
  },
  {
    name: 'timestamp',
    overloads: {
      'timestamp(timestamp): timestamp': same,
      'timestamp(string): timestamp': times.timeOf,
      'timestamp(int): timestamp': times.timeOfSeconds,
    },
    usage: 'timestamp(value) -> time',
    help: 'A time from an RFC 3339 date-time, or from whole seconds since 1970. Fails for anything else.',
    examples: [
      ["request.time > timestamp('2026-01-31T00:00:00Z')", true],
      ['string(timestamp(5))', '1970-01-01T00:00:05Z'],
      ["timestamp('2026-01-31') < request.time", undefined],
    ],
  },
  { name: 'duration', overloads: { 'duration(duration): duration': same, 'duration(string): duration': times.spanOf } },
  ...Object.entries(times.CLOCK).map(([name, read]): FunctionEntry => {
    const overloads: Record<string, Implementation> = {
      [`timestamp.${name}(): int`]: (time: Time) => times.readClock(time, read),
      [`timestamp.${name}(string): int`]: (time: Time, zone: string) => times.readClock(time, read, zone),
    };
    const ofSpan = times.SPANS[name];
    if (ofSpan !== undefined) overloads[`duration.${name}(): int`] = ofSpan;
    return name === 'getHours' ? { name, overloads, ...GET_HOURS } : { name, overloads };
  }),
];

function age(text: string, now: Time): Value {
  const years = ageOf(text, times.millisecondsOf(now));
  return years === undefined ? new Fail('that is no date as in 2001-12-31') : BigInt(years);
}

export interface Overload {
  /** Types of its parameters, the target of a method first. */
  readonly takes: readonly string[];
  readonly gives: string;
  readonly run: (...args: readonly Value[]) => Value;
  readonly name: string;
}

const OVERLOADS = new Map<string, Overload[]>();
for (const { overloads } of FUNCTIONS) {
  for (const [signature, run] of Object.entries(overloads)) {
    const [, target = '', name = '', rest = '', gives = ''] = /^(?:(\w+)\.)?(\w+)\((.*)\): (.*)$/.exec(signature) ?? [];
    const takes = [target, ...rest.split(', ')].filter((type) => type !== '');
    const key = `${target === '' ? '' : '.'}${name}/${takes.length}`;
    const overload = { takes, gives, run: run as Overload['run'], name };
    OVERLOADS.set(key, [...(OVERLOADS.get(key) ?? []), overload]);
  }
}

/** By its name, with a point before it for a method, and the number of its parameters with the target: `.split/2`. */
export const overloadsOf = (key: string): readonly Overload[] => OVERLOADS.get(key) ?? [];
export const isFunction = (key: string): boolean => OVERLOADS.has(key);
