/** Which overload of a function takes what it is given, by the library's own table; and what to say when none does. */
import type { CelFunc } from '@bufbuild/cel';
import { functionNames, functionsNamed } from './environment.ts';
import {
  BOOL,
  bitsOf,
  DOUBLE,
  INT,
  type Kind,
  kindOf,
  LIST,
  MAP,
  NOTHING,
  NUMBERS,
  named,
  singly,
  TEXT,
  union,
} from './kinds.ts';
import { closest } from './names.ts';
import { type Call, outcomeOf } from './outcomes.ts';
import { IN, isOperator, type Node, shown, signOf } from './tree.ts';

/** What a call may be of, what it comes to, and all that is to be said about it. */
export interface Judgement {
  readonly kind: Kind;
  readonly problem: string | undefined;
  readonly fails: readonly string[];
}

interface Overload {
  readonly isMethod: boolean;
  /** The kinds that each parameter takes; what stands before the dot comes first. */
  readonly takes: readonly number[];
  readonly gives: number;
}

/** `type` and `dyn` are for expressions whose kinds nobody looks at; bytes and durations in raw seconds no call has. */
const NOT_OFFERED = new Set(['type', 'dyn', 'bytes']);
const overloads = new Map<string, readonly Overload[]>();

export function overloadsOf(name: string): readonly Overload[] {
  const known = overloads.get(name);
  if (known !== undefined || NOT_OFFERED.has(name)) return known ?? [];
  const found = [...functionsNamed(name)].filter(({ id }) => id !== 'duration(int)').flatMap(overloadOf);
  if (found.length > 0) overloads.set(name, found);
  return found;
}

function overloadOf({ target, arguments: parameters, result }: CelFunc): readonly Overload[] {
  const takes = [...(target === undefined ? [] : [target]), ...parameters].map(bitsOf);
  const gives = bitsOf(result);
  return gives === 0 || takes.includes(0) ? [] : [{ isMethod: target !== undefined, takes, gives }];
}

export const offeredNames = (): string[] => functionNames().filter((name) => overloadsOf(name).length > 0);

/** `args` begin with what stands before the dot, for a method. */
export function judge(
  node: Node,
  name: string,
  isMethod: boolean,
  args: readonly Node[],
  kinds: readonly Kind[],
): Judgement {
  const all = overloadsOf(name);
  const refused = (problem: string): Judgement => ({ kind: NOTHING, problem, fails: [] });
  if (all.length === 0) return refused(unknownFunction(name, isMethod, args));
  const counted = all.filter((overload) => overload.isMethod === isMethod && overload.takes.length === args.length);
  if (counted.length === 0) return refused(wrongShape(node, name, isMethod, args, all));
  // Something is wrong with an argument, or it never has a value: nothing more to say.
  if (kinds.some(({ bits }) => bits === 0)) return { kind: kindOf(mask(counted)), problem: undefined, fails: [] };
  const fitting = counted.filter(({ takes }) => takes.every((bits, index) => bits & (kinds[index]?.bits ?? 0)));
  if (fitting.length === 0) return refused(noneFits(node, name, args, kinds, counted));
  const outcomes = fitting.map(({ takes, gives }) => {
    const narrowed = kinds.map((kind, index) => ({ ...kind, bits: kind.bits & (takes[index] ?? 0) }));
    const call: Call = { node, arguments: args, kinds: narrowed, gives };
    return outcomeOf(name, call);
  });
  const misfit = misfitOf(name, args, kinds, counted);
  return {
    kind: outcomes.map(({ kind }) => kind).reduce(union, NOTHING),
    problem: undefined,
    fails: [misfit, ...outcomes.map(({ fails }) => fails)].filter((fails) => fails !== undefined),
  };
}

const mask = (all: readonly Overload[]) => all.reduce((bits, { gives }) => bits | gives, 0);

/** A sentence when some of the kinds that the arguments may come in fit no overload. */
function misfitOf(
  name: string,
  args: readonly Node[],
  kinds: readonly Kind[],
  all: readonly Overload[],
): string | undefined {
  const every = combinations(kinds.map(({ bits }) => singly(bits)));
  const unfit = every.filter((each) => !all.some(({ takes }) => takes.every((bits, at) => bits & (each[at] ?? 0))));
  if (unfit.length === 0) return undefined;
  for (const [at, arg] of args.entries()) {
    const never = singly(kinds[at]?.bits ?? 0).filter((kind) =>
      every.every((each) => each[at] !== kind || unfit.includes(each)),
    );
    if (!unfit.every((each) => never.some((kind) => kind === each[at]))) continue;
    const bad = never.reduce((bits, kind) => bits | kind, 0);
    return `${shown(arg)} may come as ${named(bad)}, which ${signOf(name)} does not take${remedy(shown(arg), (kinds[at]?.bits ?? 0) & ~bad)}`;
  }
  return `${args.map(shown).join(' and ')} may come in kinds that ${signOf(name)} does not take together.`;
}

function remedy(written: string, wanted: number): string {
  if (wanted & TEXT) return `: write string(${written}).`;
  if (wanted & NUMBERS) return `: double(${written}) reads texts of numbers too.`;
  return wanted & BOOL ? `: bool(${written}) reads 'true' and 'false' too.` : '.';
}

const combinations = (kinds: readonly (readonly number[])[]): readonly (readonly number[])[] =>
  kinds.reduce<readonly (readonly number[])[]>(
    (all, each) => all.flatMap((combination) => each.map((kind) => [...combination, kind])),
    [[]],
  );

/** What people know these functions by elsewhere. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['toLowerCase', 'lowerAscii'],
  ['lower', 'lowerAscii'],
  ['toUpperCase', 'upperAscii'],
  ['upper', 'upperAscii'],
  ['length', 'size'],
  ['len', 'size'],
  ['count', 'size'],
  ['includes', 'contains'],
  ['match', 'matches'],
  ['regex', 'matches'],
  ['test', 'matches'],
  ['strip', 'trim'],
  ['toString', 'string'],
  ['parseInt', 'int'],
  ['now', 'request.time'],
]);

const MACROS = new Map([
  ['exists', 'list.exists(x, condition)'],
  ['all', 'list.all(x, condition)'],
  ['exists_one', 'list.exists_one(x, condition)'],
  ['existsOne', 'list.exists_one(x, condition)'],
  ['filter', 'list.filter(x, condition)'],
  ['map', 'list.map(x, value)'],
]);

function unknownFunction(name: string, isMethod: boolean, args: readonly Node[]): string {
  const macro = MACROS.get(name);
  if (macro !== undefined) return `${name} is written ${macro}, where x is a name of your own.`;
  if (name === 'has')
    return `has() takes a member, as in has(claims.email)${isMethod ? '' : `, and not ${args.map(shown).join(', ') || 'nothing'}`}.`;
  if (NOT_OFFERED.has(name))
    return `${name}() has no use here: compare with a value, or convert with string(), int(), double() or bool().`;
  const known = ELSEWHERE.get(name) ?? closest(name, offeredNames());
  if (known === undefined) return `There is no function ${name}.`;
  return `There is no function ${name}: did you mean ${known}${known.includes('.') ? '' : example(known)}?`;
}

const example = (name: string) => {
  const written = writtenAs(name);
  return written === undefined ? '' : ` (${written})`;
};

/** How a function is called, as in `text.matches(text)`; undefined when there is none of that name. */
export function writtenAs(name: string): string | undefined {
  const [overload] = overloadsOf(name);
  return overload && signature(name, overload);
}

/** As in `text.matches(text)`. */
function signature(name: string, { isMethod, takes }: Overload): string {
  const words = takes.map(word);
  const [target = '', ...rest] = words;
  if (name === IN) return 'value in list, or text in lists.x';
  if (isOperator(name)) return words.length === 1 ? `${signOf(name)}${target}` : `${target} ${signOf(name)} ${rest[0]}`;
  return isMethod ? `${target}.${name}(${rest.join(', ')})` : `${name}(${words.join(', ')})`;
}

const word = (bits: number) =>
  named(bits)
    .replace(/^an? /, '')
    .replace('whole number of the uint kind', 'uint')
    .replace('whole number', 'int')
    .replace('number', 'double')
    .replace('true/false', 'bool')
    .replace('anything', 'value');

const signatures = (name: string, all: readonly Overload[]) =>
  [...new Set(all.map((overload) => signature(name, overload)))].join(', ');

function wrongShape(
  node: Node,
  name: string,
  isMethod: boolean,
  args: readonly Node[],
  all: readonly Overload[],
): string {
  const otherShape = all.filter((overload) => overload.isMethod !== isMethod);
  const written = shown(node);
  if (otherShape.length === all.length) return `${name} is written ${signatures(name, all)}, not ${written}.`;
  const count = args.length - (isMethod ? 1 : 0);
  return `${name} does not take ${count} ${count === 1 ? 'argument' : 'arguments'}, as in ${written}: write ${signatures(name, all)}.`;
}

function noneFits(
  node: Node,
  name: string,
  args: readonly Node[],
  kinds: readonly Kind[],
  all: readonly Overload[],
): string {
  const given = args.map((arg, index) => `${shown(arg)} is ${named(kinds[index]?.bits ?? 0)}`).join(' and ');
  const operator = isOperator(name);
  const takes = operator ? '' : ` It is written ${signatures(name, all)}.`;
  return `${shown(node)} cannot be: ${given}.${takes}${hint(
    name,
    kinds.map(({ bits }) => bits),
    args,
  )}`;
}

function hint(name: string, kinds: readonly number[], args: readonly Node[]): string {
  const [a = 0, b = 0] = kinds;
  const [first, second] = args.map(shown);
  if (a === LIST && (name === 'contains' || name === 'matches'))
    return ` For lists write ${second} in ${first}, or ${first}.exists(x, …).`;
  if (name === IN && b === TEXT) return ` For texts write ${second}.contains(${first}).`;
  if (!isOperator(name)) return a & NUMBERS || b & NUMBERS ? ' string(…) makes a text of a number.' : '';
  if ((a | b) & TEXT && (a | b) & NUMBERS) return ' Write string(…) around the number, or double(…) around the text.';
  if ((a | b) & DOUBLE && (a | b) & INT)
    return ' Numbers among claims are no whole numbers to CEL: write 1.0 instead of 1, or double(…).';
  if ((a | b) & MAP) return ' Of lists and maps ask with in.';
  return '';
}
