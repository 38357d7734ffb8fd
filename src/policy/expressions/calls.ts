/** Which overload of a function takes what it is given, and what comes of it. */
import { noneFits, unknownFunction, wrongShape } from './call-problems.ts';
import { BOOL, type Kind, kindOf, NOTHING, NUMBERS, named, singly, TEXT, union } from './kinds.ts';
import { outcomeOf } from './outcomes.ts';
import { type Overload, overloadsOf } from './overloads.ts';
import { type Node, shown, signOf } from './tree.ts';

export interface Judgement {
  readonly kind: Kind;
  /** Why it can never be meant. */
  readonly problem: string | undefined;
  /** When it fails. */
  readonly fails: readonly string[];
}

/** `args` begin with what stands before the dot, for a method. */
export function judge(
  node: Node,
  name: string,
  isMethod: boolean,
  args: readonly Node[],
  kinds: readonly Kind[],
): Judgement {
  const all = overloadsOf(name);
  const counted = all.filter((overload) => overload.isMethod === isMethod && overload.takes.length === args.length);
  if (all.length === 0) return refused(unknownFunction(name));
  if (counted.length === 0) return refused(wrongShape(node, name, isMethod, args, all));
  // Something is wrong with an argument, or it never has a value: nothing more to say.
  if (kinds.some(({ bits }) => bits === 0)) {
    return { kind: kindOf(counted.reduce((bits, { gives }) => bits | gives, 0)), problem: undefined, fails: [] };
  }
  const fitting = counted.filter(({ takes }) => takes.every((bits, index) => bits & (kinds[index]?.bits ?? 0)));
  if (fitting.length === 0) return refused(noneFits(node, name, args, kinds, counted));
  const outcomes = fitting.map(({ takes, gives }) => {
    const narrowed = kinds.map((kind, index) => ({ ...kind, bits: kind.bits & (takes[index] ?? 0) }));
    return outcomeOf(name, { node, arguments: args, kinds: narrowed, gives });
  });
  const fails = [misfit(name, args, kinds, counted), ...outcomes.map((outcome) => outcome.fails)];
  return {
    kind: outcomes.map(({ kind }) => kind).reduce(union, NOTHING),
    problem: undefined,
    fails: fails.filter((sentence) => sentence !== undefined),
  };
}

const refused = (problem: string): Judgement => ({ kind: NOTHING, problem, fails: [] });

/** A sentence when some of the kinds that the arguments may come in fit no overload. */
function misfit(
  name: string,
  args: readonly Node[],
  kinds: readonly Kind[],
  all: readonly Overload[],
): string | undefined {
  const every = combinations(kinds.map(({ bits }) => singly(bits)));
  const unfit = every.filter((each) => !all.some(({ takes }) => takes.every((bits, at) => bits & (each[at] ?? 0))));
  if (unfit.length === 0) return undefined;
  for (const [at, arg] of args.entries()) {
    const bits = kinds[at]?.bits ?? 0;
    const never = singly(bits).filter((kind) => every.every((each) => each[at] !== kind || unfit.includes(each)));
    if (!unfit.every((each) => never.some((kind) => kind === each[at]))) continue;
    const bad = never.reduce((sum, kind) => sum | kind, 0);
    const written = shown(arg);
    return `${written} may come as ${named(bad)}, which ${signOf(name)} does not take${remedy(written, bits & ~bad)}`;
  }
  return `${args.map(shown).join(' and ')} may come in kinds that ${signOf(name)} does not take together.`;
}

function remedy(written: string, wanted: number): string {
  if (wanted & TEXT) return `: write string(${written}).`;
  if (wanted & NUMBERS) return `: double(${written}) reads texts of numbers too.`;
  return wanted & BOOL ? `: bool(${written}) reads 'true' and 'false' too.` : '.';
}

/** One kind of each argument, in every way. */
const combinations = (kinds: readonly (readonly number[])[]): readonly (readonly number[])[] =>
  kinds.reduce<readonly (readonly number[])[]>(
    (all, each) => all.flatMap((combination) => each.map((kind) => [...combination, kind])),
    [[]],
  );
