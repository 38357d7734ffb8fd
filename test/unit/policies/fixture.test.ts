/**
 * Expressions from before the compiler to trees, each with its verdict. A changed verdict has the earlier one and a
 * reason.
 */
import { expect, it } from 'vitest';
import { compileExpression } from '../../../src/desk/policies/compile-expression.ts';
import { tryExpression } from '../../../src/desk/policies/trial-runs.ts';
import type { Purpose } from '../../../src/expressions/results.ts';
import fixture from '../../fixtures/expressions.json';

type Row = readonly [source: string, purpose: Purpose, verdict: string, before?: string, reason?: string];
const EXPRESSIONS = fixture.expressions as unknown as readonly Row[];

/** `accepted`, `can-fail`, `fails-in-samples`, or the codes of all problems. */
function verdictOn(source: string, purpose: Purpose): string {
  const outcome = compileExpression(source, purpose, new Set(fixture.lists));
  if (!outcome.ok) return [...new Set(outcome.problems.map(({ code }) => code))].join(' ');
  const { fails } = tryExpression(outcome.expression, purpose, { find: 'failure', work: 2_000_000 });
  return { never: 'accepted', sometimes: 'can-fail', always: 'fails-in-samples' }[fails];
}

it('compile: each expression of the fixture has its recorded verdict', () => {
  const verdicts = EXPRESSIONS.map(([source, purpose]) => [source, purpose, verdictOn(source, purpose)]);
  expect(verdicts).toEqual(EXPRESSIONS.map(([source, purpose, verdict]) => [source, purpose, verdict]));
});

it('compile: each changed verdict in the fixture has a reason, and under a tenth changed', () => {
  const changed = EXPRESSIONS.filter(([, , , before]) => before !== undefined);
  expect(changed.length).toBeLessThan(EXPRESSIONS.length / 10);
  for (const [, , verdict, before, reason] of changed) {
    expect(before).not.toBe(verdict);
    expect(reason).toMatch(/\w{3}/);
  }
});
