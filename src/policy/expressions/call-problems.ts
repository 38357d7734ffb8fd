/** Sentences on calls that can never be meant: what to write instead. */
import { DOUBLE, INT, type Kind, LIST, MAP, NUMBERS, named, TEXT } from './kinds.ts';
import { closest } from './names.ts';
import { isNotOffered, type Overload, offeredNames, signatures, writtenAs } from './overloads.ts';
import { IN, isOperator, type Node, shown } from './tree.ts';

/** What people know functions by elsewhere. */
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

const MACROS: ReadonlyMap<string, string> = new Map([
  ['exists', 'list.exists(x, condition)'],
  ['all', 'list.all(x, condition)'],
  ['exists_one', 'list.exists_one(x, condition)'],
  ['existsOne', 'list.exists_one(x, condition)'],
  ['filter', 'list.filter(x, condition)'],
  ['map', 'list.map(x, value)'],
]);

export function unknownFunction(name: string): string {
  const macro = MACROS.get(name);
  if (macro !== undefined) return `${name} is written ${macro}, where x is a name of your own.`;
  if (name === 'has') return 'has() takes one member, as in has(claims.email).';
  if (isNotOffered(name)) {
    return `${name}() has no use here: compare with a value, or convert with string(), int(), double() or bool().`;
  }
  const meant = ELSEWHERE.get(name) ?? closest(name, offeredNames());
  if (meant === undefined) return `There is no function ${name}.`;
  return `There is no function ${name}: did you mean ${writtenAs(meant) ?? meant}?`;
}

/** No overload has so many arguments, or has them in that place. */
export function wrongShape(
  node: Node,
  name: string,
  isMethod: boolean,
  args: readonly Node[],
  all: readonly Overload[],
): string {
  const written = shown(node);
  if (all.every((overload) => overload.isMethod !== isMethod)) {
    return `${name} is written ${signatures(name, all)}, not ${written}.`;
  }
  const count = args.length - (isMethod ? 1 : 0);
  const given = `${count} ${count === 1 ? 'argument' : 'arguments'}`;
  return `${name} does not take ${given}, as in ${written}: write ${signatures(name, all)}.`;
}

/** No overload takes what it is given. */
export function noneFits(
  node: Node,
  name: string,
  args: readonly Node[],
  kinds: readonly Kind[],
  all: readonly Overload[],
): string {
  const given = args.map((arg, index) => `${shown(arg)} is ${named(kinds[index]?.bits ?? 0)}`).join(' and ');
  const takes = isOperator(name) ? '' : ` It is written ${signatures(name, all)}.`;
  return `${shown(node)} cannot be: ${given}.${takes}${advice(name, kinds, args)}`;
}

function advice(name: string, [left, right]: readonly Kind[], args: readonly Node[]): string {
  const a = left?.bits ?? 0;
  const b = right?.bits ?? 0;
  const [first, second] = args.map(shown);
  if (a === LIST && (name === 'contains' || name === 'matches')) {
    return ` For lists write ${second} in ${first}, or ${first}.exists(x, …).`;
  }
  if (name === IN && b === TEXT) return ` For texts write ${second}.contains(${first}).`;
  if (!isOperator(name)) return (a | b) & NUMBERS ? ' string(…) makes a text of a number.' : '';
  if ((a | b) & TEXT && (a | b) & NUMBERS) return ' Write string(…) around the number, or double(…) around the text.';
  if ((a | b) & DOUBLE && (a | b) & INT) {
    return ' Numbers among claims are no whole numbers to CEL: write 1.0 instead of 1, or double(…).';
  }
  return (a | b) & MAP ? ' Of lists and maps ask with in.' : '';
}
