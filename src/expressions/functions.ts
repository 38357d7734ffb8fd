/**
 * The functions of expressions: signatures and implementations. A function that the manual (`function-manual.ts`) lacks
 * follows CEL's language definition or its strings extension, with limits on the length of texts and lists.
 */
import { ageOf } from './dates.ts';
import * as numbers from './numbers.ts';
import * as texts from './text.ts';
import * as times from './times.ts';
import { Fail, type Time, type Value } from './values.ts';

/** Accepts the types of its signature, the target of a method first. Never throws. */
type Implementation = (...args: never[]) => Value;

export interface FunctionEntry {
  readonly name: string;
  /** By signature, with CEL's names of types, such as `string.split(string, int): list<string>`. */
  readonly overloads: Readonly<Record<string, Implementation>>;
}

const same = (value: Value) => value;

export const FUNCTIONS: readonly FunctionEntry[] = [
  {
    name: 'domain',
    overloads: { 'domain(string): string': texts.domainOf },
  },
  {
    name: 'domainIn',
    // The evaluator implements it, since lists are no values.
    overloads: {},
  },
  {
    name: 'normalizeCode',
    overloads: { 'normalizeCode(string): string': texts.normalCode },
  },
  {
    name: 'titleCase',
    overloads: { 'titleCase(string): string': texts.titleCase },
  },
  {
    name: 'age',
    // The evaluator passes the time of the call as the second argument.
    overloads: { 'age(string): int': age },
  },
  {
    name: 'normalizeEmail',
    overloads: { 'normalizeEmail(string): string': texts.normalEmail },
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
    // The evaluator implements it, since each pattern is compiled once per plan.
    overloads: {},
  },
  { name: 'lowerAscii', overloads: { 'string.lowerAscii(): string': texts.lowerAscii } },
  { name: 'upperAscii', overloads: { 'string.upperAscii(): string': texts.upperAscii } },
  { name: 'trim', overloads: { 'string.trim(): string': texts.trim } },
  {
    name: 'charAt',
    overloads: { 'string.charAt(int): string': texts.charAt },
  },
  {
    name: 'substring',
    overloads: {
      'string.substring(int): string': texts.substring,
      'string.substring(int, int): string': texts.substring,
    },
  },
  {
    name: 'indexOf',
    overloads: { 'string.indexOf(string): int': texts.indexOf, 'string.indexOf(string, int): int': texts.indexOf },
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
  },
  {
    name: 'replace',
    overloads: {
      'string.replace(string, string): string': texts.replace,
      'string.replace(string, string, int): string': texts.replace,
    },
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
  },
  {
    name: 'double',
    overloads: {
      'double(double): double': same,
      'double(int): double': (whole: bigint) => Number(whole),
      'double(string): double': numbers.doubleOf,
    },
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
  },
  {
    name: 'timestamp',
    overloads: {
      'timestamp(timestamp): timestamp': same,
      'timestamp(string): timestamp': times.timeOf,
      'timestamp(int): timestamp': times.timeOfSeconds,
    },
  },
  { name: 'duration', overloads: { 'duration(duration): duration': same, 'duration(string): duration': times.spanOf } },
  ...Object.entries(times.CLOCK).map(([name, read]): FunctionEntry => {
    const overloads: Record<string, Implementation> = {
      [`timestamp.${name}(): int`]: (time: Time) => times.readClock(time, read),
      [`timestamp.${name}(string): int`]: (time: Time, zone: string) => times.readClock(time, read, zone),
    };
    const ofSpan = times.SPANS[name];
    if (ofSpan !== undefined) overloads[`duration.${name}(): int`] = ofSpan;
    return { name, overloads };
  }),
];

function age(text: string, now: Time): Value {
  const years = ageOf(text, times.millisecondsOf(now));
  return years === undefined ? new Fail('not a date such as 2001-12-31') : BigInt(years);
}

export interface Overload {
  /** Parameter types, the target of a method first. */
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

/** By name and number of parameters. A method has a point in front, and counts its target: `.split/2`. */
export const overloadsOf = (key: string): readonly Overload[] => OVERLOADS.get(key) ?? [];
export const isFunction = (key: string): boolean => OVERLOADS.has(key);
