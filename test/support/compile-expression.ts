/** Compiles and runs expressions for tests. */
import { type CompiledExpression, compileExpression } from '../../src/desk/policies/compile-expression.ts';
import { runOf, Shared } from '../../src/expressions/evaluate.ts';
import { listText } from '../../src/expressions/list.ts';
import { type Purpose, type RunResult, resultOf } from '../../src/expressions/results.ts';
import { openScope, type ScopeInputs } from '../../src/expressions/scope.ts';
import { CALL as ANY_CALL } from './evaluate-expression.ts';

const LISTS = new Map([
  ['codes', listText(['SPRING', '5']) ?? ''],
  ['blockedDomains', listText(['mailinator.com']) ?? ''],
]);

export const compile = (source: string, purpose: Purpose = 'condition') =>
  compileExpression(source, purpose, new Set(LISTS.keys()));

export function compiled(source: string, purpose: Purpose = 'condition'): CompiledExpression {
  const outcome = compile(source, purpose);
  if (!outcome.ok) throw new Error(`${source}: ${outcome.problems.map(({ message }) => message).join(' ')}`);
  return outcome.expression;
}

/** Each problem as its code and its part of the source. */
export function problemsOf(source: string, purpose: Purpose = 'condition'): readonly (readonly [string, string])[] {
  const outcome = compile(source, purpose);
  return outcome.ok ? [] : outcome.problems.map(({ code, from, to }) => [code, source.slice(from, to)] as const);
}

const CALL: ScopeInputs = { ...ANY_CALL, lists: LISTS };

export const run = (
  { tree }: CompiledExpression,
  changed: Partial<ScopeInputs>,
  purpose: Purpose = 'condition',
): RunResult => resultOf(runOf(tree, new Shared())(openScope({ ...CALL, ...changed })), purpose);

export const resultFor = (source: string, changed: Partial<ScopeInputs> = {}, purpose: Purpose = 'value'): RunResult =>
  run(compiled(source, purpose), changed, purpose);

/** The value, or `fails`; `refused` when it does not compile. */
export function evaluated(source: string, changed: Partial<ScopeInputs> = {}): unknown {
  if (!compile(source, 'value').ok) return 'refused';
  const result = resultFor(source, changed);
  return result.ok ? result.value : 'fails';
}
