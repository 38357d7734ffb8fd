/** Compiles the source of an expression to a tree, or returns its problems. */
import { MAX_DEPTH, MAX_SOURCE } from '../../expressions/limits.ts';
import type { Purpose } from '../../expressions/results.ts';
import { subtrees, type Tree } from '../../expressions/tree.ts';
import { excerpt, parseExpression } from './cel.ts';
import { type ExpressionFault, type ExpressionProblem, expressionProblem } from './problem-sentences.ts';
import { type ClaimType, IN_USER_FLOW, type ResultForm, type RulePlace } from './rule-place.ts';
import { syntaxProblem } from './syntax.ts';
import { type Reads, toTree } from './to-tree.ts';
import { constantFailure } from './trial-runs.ts';
import { typeProblems } from './types.ts';

export type { ExpressionProblem, ProblemCode } from './problem-sentences.ts';
export type { Reads } from './to-tree.ts';

export interface CompiledExpression {
  readonly source: string;
  readonly tree: Tree;
  readonly reads: Reads;
  /** Of the inputs of exchanges, by canonical name. Other claims have the types of user flows. */
  readonly claimTypes: ReadonlyMap<string, ClaimType>;
  readonly forms: readonly ResultForm[];
}

export type CompileResult =
  | { readonly ok: true; readonly expression: CompiledExpression }
  | { readonly ok: false; readonly problems: readonly ExpressionProblem[] };

/**
 * Returns all problems at once, or only the syntax error. `forms`: what the value becomes, when the steps of the rule
 * ask for more than the purpose. Never throws.
 */
export function compileExpression(
  source: string,
  purpose: Purpose,
  listNames: ReadonlySet<string>,
  place: RulePlace = IN_USER_FLOW,
  forms: readonly ResultForm[] = [purpose],
): CompileResult {
  const everything = { from: 0, to: source.length };
  const refused = (fault: ExpressionFault): CompileResult => ({
    ok: false,
    problems: [expressionProblem(fault, everything)],
  });
  if (source.trim() === '') return refused(['empty', purpose]);
  if (source.length > MAX_SOURCE) return refused(['too-long', source.length]);
  const parsed = parseExpression(source);
  if (!parsed.ok) return { ok: false, problems: [syntaxProblem(source, parsed.code, parsed.range)] };
  const { tree, reads, problems, standIns, constants, claimTypes } = toTree(source, parsed.node, listNames, place);
  const all = [...problems, ...typeProblems(source, standIns, problems.length === 0 ? forms : [])];
  if (all.length === 0) {
    for (const { tree: call, ...range } of constants) {
      const why = constantFailure(call);
      if (why !== undefined) all.push(expressionProblem(['always-fails', excerpt(source, range), why], range));
    }
  }
  if (all.length > 0) return { ok: false, problems: all.toSorted((a, b) => a.from - b.from) };
  return depthOf(tree) > MAX_DEPTH
    ? refused(['too-deep'])
    : { ok: true, expression: { source, tree, reads, claimTypes, forms } };
}

/** Levels of recursion during evaluation. */
const depthOf = (tree: Tree): number =>
  typeof tree === 'object' ? 1 + Math.max(0, ...subtrees(tree).map(depthOf)) : 0;
