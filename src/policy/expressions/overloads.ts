/** The functions that expressions may call, by the library's own table: what each takes and gives, and how it is written. */
import type { CelFunc } from '@bufbuild/cel';
import { functionNames, functionsNamed } from './environment.ts';
import { bitsOf, named } from './kinds.ts';
import { IN, isOperator, signOf } from './tree.ts';

export interface Overload {
  readonly isMethod: boolean;
  /** The kinds that each parameter takes; what stands before the dot comes first. */
  readonly takes: readonly number[];
  readonly gives: number;
}

/** They are for expressions whose kinds nobody looks at beforehand. */
const NOT_OFFERED = new Set(['type', 'dyn', 'bytes']);
export const isNotOffered = (name: string): boolean => NOT_OFFERED.has(name);

/** A duration in seconds out of range fails only where it is used. */
const LEFT_OUT = 'duration(int)';

const known = new Map<string, readonly Overload[]>();

/** Without those that take or give bytes, null or types. Empty: there is no such function. */
export function overloadsOf(name: string): readonly Overload[] {
  const before = known.get(name);
  if (before !== undefined || isNotOffered(name)) return before ?? [];
  const found = [...functionsNamed(name)].filter(({ id }) => id !== LEFT_OUT).flatMap(overloadOf);
  if (found.length > 0) known.set(name, found);
  return found;
}

function overloadOf({ target, arguments: parameters, result }: CelFunc): readonly Overload[] {
  const takes = [...(target === undefined ? [] : [target]), ...parameters].map(bitsOf);
  const gives = bitsOf(result);
  return gives === 0 || takes.includes(0) ? [] : [{ isMethod: target !== undefined, takes, gives }];
}

export const offeredNames = (): string[] => functionNames().filter((name) => overloadsOf(name).length > 0);

/** How a function is called, as in `text.matches(text)`; undefined when there is none of that name. */
export function writtenAs(name: string): string | undefined {
  const [overload] = overloadsOf(name);
  return overload && signature(name, overload);
}

export const signatures = (name: string, all: readonly Overload[]): string =>
  [...new Set(all.map((overload) => signature(name, overload)))].join(', ');

function signature(name: string, { isMethod, takes }: Overload): string {
  const words = takes.map(word);
  const [target = '', ...rest] = words;
  if (name === IN) return 'value in list, or text in lists.x';
  if (isOperator(name)) return rest.length === 0 ? `${signOf(name)}${target}` : `${target} ${signOf(name)} ${rest[0]}`;
  return isMethod ? `${target}.${name}(${rest.join(', ')})` : `${name}(${words.join(', ')})`;
}

/** A kind in one word, where CEL has one. */
const word = (bits: number) =>
  named(bits)
    .replace(/^an? /, '')
    .replace('whole number of the uint kind', 'uint')
    .replace('whole number', 'int')
    .replace('number', 'double')
    .replace('true/false', 'bool')
    .replace('anything', 'value');
