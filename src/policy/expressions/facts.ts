/**
 * What an expression has made sure of: which claims and attributes are there. CEL's && and || look at both sides: a failure on
 * one counts only when the other does not decide. So what matters of a side is what holds whenever it is not false (for ||: not
 * true), and a side that fails is neither.
 */
import {
  AND,
  argumentsOf,
  CONDITIONAL,
  constantOf,
  IN,
  NOT,
  type Node,
  OR,
  pathOf,
  testedPath,
  textOf,
} from './tree.ts';

/** Paths that are there, as `claims.email`; `unreachable` where nothing is evaluated. */
export type Facts = ReadonlySet<string> | 'unreachable';

export const NO_FACTS: Facts = new Set();

/** The key of a member that may be absent; undefined for what is always there, and for what is none. */
export function factOf(path: readonly string[] | undefined): string | undefined {
  if (path?.[0] === 'claims' && path.length === 2) return path.join('.');
  if (path?.[0] === 'person' && path[1] === 'attributes' && path.length === 3) return path.join('.');
  return undefined;
}

/** What `has(claims.x)` and `'x' in claims` ask for. */
export function askedFor(node: Node): string | undefined {
  const [name, map] = argumentsOf(node, IN) ?? [];
  if (name === undefined || map === undefined) return factOf(testedPath(node));
  const member = textOf(name);
  const path = pathOf(map);
  return member !== undefined && path !== undefined ? factOf([...path, member]) : undefined;
}

export function both(a: Facts, b: Facts): Facts {
  if (a === 'unreachable' || b === 'unreachable') return 'unreachable';
  return new Set([...a, ...b]);
}

function either(a: Facts, b: Facts): Facts {
  if (a === 'unreachable') return b;
  return b === 'unreachable' ? a : new Set([...a].filter((fact) => b.has(fact)));
}

/** What holds whenever the condition does not come to `value`: it comes to the other one, or fails. */
export function factsUnless(value: boolean, node: Node): Facts {
  const constant = constantOf(node);
  if (constant?.case === 'boolValue') return constant.value === value ? 'unreachable' : NO_FACTS;
  const asked = askedFor(node);
  if (asked !== undefined) return value ? NO_FACTS : new Set([asked]);
  const [negated] = argumentsOf(node, NOT) ?? [];
  if (negated !== undefined) return factsUnless(!value, negated);
  const [a, b] = argumentsOf(node, AND) ?? argumentsOf(node, OR) ?? [];
  if (a !== undefined && b !== undefined) {
    // && is not false when neither side is; it is not true when one side is not.
    const join = (argumentsOf(node, AND) !== undefined) === !value ? both : either;
    return join(factsUnless(value, a), factsUnless(value, b));
  }
  const [condition, then, otherwise] = argumentsOf(node, CONDITIONAL) ?? [];
  if (condition === undefined || then === undefined || otherwise === undefined) return NO_FACTS;
  const chosen = either(
    both(factsUnless(false, condition), factsUnless(value, then)),
    both(factsUnless(true, condition), factsUnless(value, otherwise)),
  );
  if (neverFails(condition)) return chosen;
  return either(chosen, both(factsUnless(false, condition), factsUnless(true, condition)));
}

/** Only by its shape. */
function neverFails(node: Node): boolean {
  const operands = argumentsOf(node, AND) ?? argumentsOf(node, OR) ?? argumentsOf(node, NOT);
  return operands === undefined ? askedFor(node) !== undefined : operands.every(neverFails);
}
