/** Expressions and calls of a test's own. */
import { compileExpression, type Expression, type Result } from '../src/policy/expressions/expression.ts';
import { openScope, type Scope, type ScopeInputs } from '../src/policy/expressions/scope.ts';

const listOf = (...entries: string[]) => new Map(entries.map((entry) => [entry, true as const]));

type Purpose = 'condition' | 'value';

export const LISTS: ScopeInputs['lists'] = new Map([
  ['codes', listOf('SPRING', '5')],
  ['blockedDomains', listOf('mailinator.com')],
]);
const LIST_NAMES = new Set(LISTS.keys());

export const aScope = (changed: Partial<ScopeInputs> = {}): Scope =>
  openScope({
    claims: {},
    identity: undefined,
    roles: [],
    groups: [],
    attributes: {},
    step: 'PostAttributeCollection',
    clientId: 'c0ffee00-0000-4000-8000-000000000001',
    application: 'Shop',
    locale: 'de-AT',
    channel: 'user-flow',
    now: Date.UTC(2026, 10, 21, 12),
    lists: LISTS,
    ...changed,
  });

export const compiling = (source: string, expects: Purpose = 'condition') =>
  compileExpression(source, expects, LIST_NAMES);

export function compiled(source: string, expects: Purpose = 'condition'): Expression {
  const outcome = compiling(source, expects);
  if (!outcome.ok) throw new Error(`${source}: ${outcome.problems.join(' ')}`);
  return outcome.expression;
}

export function problemsOf(source: string, expects: Purpose = 'condition'): readonly string[] {
  const outcome = compiling(source, expects);
  return outcome.ok ? [] : outcome.problems;
}

export const failuresOf = (source: string, expects: Purpose = 'condition'): readonly string[] =>
  compiled(source, expects).mayFail;

export const resultOf = (source: string, changed: Partial<ScopeInputs> = {}, expects: Purpose = 'value'): Result =>
  compiled(source, expects).run(aScope(changed));

/** The value, or `fails`. */
export function evaluated(source: string, changed: Partial<ScopeInputs> = {}): unknown {
  const result = resultOf(source, changed);
  return result.ok ? result.value : 'fails';
}
