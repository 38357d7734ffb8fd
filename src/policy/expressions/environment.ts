/** CEL's environment: its functions and ours, and how one planned expression is evaluated in it. */
import {
  type CelFunc,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celMethod,
  isCelError,
  type parse,
  plan,
} from '@bufbuild/cel';
import { ageOf } from './dates.ts';
import { CEL_FUNCTIONS, fail } from './functions.ts';
import type { Pattern } from './patterns.ts';
import type { Scope } from './scope.ts';

const { BOOL, INT, STRING } = CelScalar;

/** The patterns of an expression by their source, compiled with it. */
export type Patterns = ReadonlyMap<string, Pattern>;
export type Evaluate = (scope: Scope) => CelValue | Failure;

/** Why there is no value, in the library's words. */
export class Failure {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** What the evaluation at hand has besides its variables; evaluation is synchronous, and never within another. */
let patterns: Patterns = new Map();
let now = 0;

const ENVIRONMENT = celEnv({
  funcs: [
    ...CEL_FUNCTIONS,
    celFunc('age', [STRING], INT, (text) => {
      const years = ageOf(text, now);
      return BigInt(years ?? fail('that is no date as in 2001-12-31'));
    }),
    celMethod('matches', STRING, [STRING], BOOL, function (source) {
      return patterns.get(source)?.test(this) ?? fail('has no such pattern');
    }),
  ],
});

/** Every function that there is, by name. */
export const functionsNamed = (name: string): Iterable<CelFunc> => ENVIRONMENT.funcs.find(name) ?? [];
export const functionNames = (): string[] => [...new Set([...ENVIRONMENT.funcs].map(({ name }) => name))];

/** Pure: the same scope gives the same value. Never throws. */
export function planned(expr: ReturnType<typeof parse>, ownPatterns: Patterns): Evaluate {
  const evaluate = plan(ENVIRONMENT, expr);
  return (scope) => {
    // A failure is an Error of the library's: its stack took ten times as long as everything else.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    patterns = ownPatterns;
    now = scope.now;
    try {
      const value = evaluate(scope as never);
      return isCelError(value) ? new Failure(plain(value.message)) : value;
    } catch (error) {
      return new Failure(plain(String(error)));
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
}

/** The library's words for what happens to people who wrote no program. */
const plain = (message: string): string =>
  message
    .replace(/^field not found: (.*)$/s, '$1 is absent')
    .replace(/^found no matching overload for '(.*?)' applied to '\(?.*$/s, '$1 does not take what it was given')
    .replace(/^index \S+ out of bounds.*$/s, 'that is shorter')
    .replace(/^Failed to parse timestamp.*$/s, 'that is no time as in 2026-01-31T00:00:00Z')
    .replace(/^Failed to parse duration.*$/s, 'that is no duration as in 24h')
    .replace(/^Unable to convert string.*$/s, "that is neither 'true' nor 'false'")
    .replace(/^type mismatch: expected bool.*$/s, 'a part of it is neither true nor false');
