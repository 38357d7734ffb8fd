/** Comparisons that come to the same whatever is compared: somebody wrote a number for a text. */
import { type Kind, LIST, MAP, NUMBERS, named, TEXT } from './kinds.ts';
import { constantOf, IN, type Node, shown, signOf } from './tree.ts';

/** A sentence, when the two sides of ==, != or `in` have no kind in common. */
export function neverTrue(name: string, args: readonly Node[], kinds: readonly Kind[]): string | undefined {
  const [a, b] = args;
  const [left, right] = kinds;
  if (a === undefined || b === undefined || left === undefined || right === undefined) return undefined;
  if (name === '_==_' || name === '_!=_') {
    if (overlap(left.bits, right.bits)) return undefined;
    return `${shown(a)} is ${named(left.bits)} and ${shown(b)} is ${named(right.bits)}: they are never equal.${instead(signOf(name), a, b, left, right)}`;
  }
  if (name !== IN) return undefined;
  if (right.bits === MAP && !(left.bits & TEXT)) {
    return `${shown(b)} holds texts, and ${shown(a)} is ${named(left.bits)}: write string(${shown(a)}) in ${shown(b)}.`;
  }
  const entries = right.bits === LIST ? right.of : undefined;
  if (entries === undefined || overlap(left.bits, entries.bits)) return undefined;
  return `${shown(a)} is ${named(left.bits)} and ${shown(b)} holds ${named(entries.bits)}: it is never in there. Write all in one kind; texts stand in quotes.`;
}

/** Numbers compare across their kinds. What has no kind is an entry of `[]`. */
const overlap = (a: number, b: number) => a === 0 || b === 0 || ((a & NUMBERS ? a | NUMBERS : a) & b) !== 0;

function instead(sign: string, a: Node, b: Node, left: Kind, right: Kind): string {
  const literal = constantOf(b) !== undefined && constantOf(b)?.case !== 'stringValue';
  if (left.bits === TEXT && literal) return ` Write ${shown(a)} ${sign} '${shown(b)}'.`;
  if (left.bits === TEXT && right.bits & NUMBERS) return ` Write ${shown(a)} ${sign} string(${shown(b)}).`;
  if (right.bits === TEXT && left.bits & NUMBERS) return ` Write string(${shown(a)}) ${sign} ${shown(b)}.`;
  if (left.bits === LIST) return ` Write ${shown(b)} in ${shown(a)}.`;
  return '';
}
