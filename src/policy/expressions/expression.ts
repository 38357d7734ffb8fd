/** Expressions of a policy: compiled once a version, run for every call. */
import { parse } from '@bufbuild/cel';
import { analyse } from './analyse.ts';
import { planned } from './environment.ts';
import { MAX_DEPTH, MAX_SOURCE } from './limits.ts';
import { PURPOSES, type Result } from './results.ts';
import type { Scope } from './scope.ts';
import { syntaxProblem, TOO_DEEP } from './syntax.ts';
import { isDeeper, type Tree } from './tree.ts';

export type { Result, Value } from './results.ts';

export interface Reads {
  /** Canonical names of the claims that are read, or asked for with has(). */
  readonly claims: readonly string[];
  readonly person: boolean;
  readonly time: boolean;
}

export interface Expression {
  /** Of a condition: true or false. Never throws; the same scope gives the same result. */
  run(scope: Scope): Result;
  readonly reads: Reads;
  /** Sentences that say why it can fail; empty: it cannot, whatever the call holds. */
  readonly mayFail: readonly string[];
}

export type Compiled =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly problems: readonly string[] };

/** `problems` are sentences that say what to write instead: all of them at once. */
export function compileExpression(
  source: string,
  expects: keyof typeof PURPOSES,
  listNames: ReadonlySet<string>,
): Compiled {
  if (source.trim() === '') return refused(PURPOSES[expects].empty);
  if (source.length > MAX_SOURCE) {
    return refused(
      `It has ${source.length} characters, at most ${MAX_SOURCE} are allowed: write several rules, or a list.`,
    );
  }
  try {
    const tree = treeOf(source);
    return typeof tree === 'string' ? refused(tree) : compileTree(tree, expects, listNames);
  } catch (error) {
    if (error instanceof RangeError) return refused(TOO_DEEP);
    throw error;
  }
}

const refused = (...problems: readonly string[]): Compiled => ({ ok: false, problems });

/** The parsed source, or a sentence on why it cannot be parsed. */
function treeOf(source: string): Tree | string {
  try {
    const { expr, ...parsed } = parse(source);
    if (expr === undefined) return 'It cannot be read.';
    return isDeeper(expr, MAX_DEPTH) ? TOO_DEEP : { ...parsed, expr };
  } catch (error) {
    return syntaxProblem(source, error);
  }
}

function compileTree(tree: Tree, expects: keyof typeof PURPOSES, listNames: ReadonlySet<string>): Compiled {
  const { findings, kind } = analyse(tree, listNames);
  const { problems, fails, claims, person, time, patterns } = findings;
  if (problems.size > 0) return refused(...problems);
  const { refuses, mayFail, resultOf } = PURPOSES[expects];
  const unfit = refuses(tree.expr, kind);
  if (unfit !== undefined) return refused(unfit);
  const evaluate = planned(tree, patterns);
  const expression: Expression = {
    run: (scope) => resultOf(evaluate(scope)),
    reads: { claims: [...claims].sort(), person, time },
    mayFail: [...fails, ...mayFail(tree.expr, kind)],
  };
  return { ok: true, expression };
}
