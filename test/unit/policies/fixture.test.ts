/**
 * Expressions of the tests, the README, the fixtures and the manual, as they were before expressions were compiled to trees, with the
 * verdict on each. Where that changed, the earlier verdict and the reason stand beside it.
 */
import { expect, it } from 'vitest';
import { compileExpression } from '../../../src/desk/policies/compile-expression.ts';
import { tryExpression } from '../../../src/desk/policies/trial-runs.ts';
import type { Purpose } from '../../../src/expressions/results.ts';
import fixture from '../../fixtures/expressions.json';

type Row = readonly [source: string, purpose: Purpose, verdict: string, before?: string, reason?: string];
const EXPRESSIONS = fixture.expressions as unknown as readonly Row[];

/** `accepted`, `can-fail`, or the codes of all problems. */
function verdictOn(source: string, purpose: Purpose): string {
  const outcome = compileExpression(source, purpose, new Set(fixture.lists));
  if (!outcome.ok) return [...new Set(outcome.problems.map(({ code }) => code))].join(' ');
  const { fails } = tryExpression(outcome.expression, purpose, { find: 'failure', work: 2_000_000 });
  return { never: 'accepted', sometimes: 'can-fail', always: 'fails-in-samples' }[fails];
}

it('expressions that were accepted before are accepted, but for those with a reason, and the others are refused with the same codes', () => {
  const verdicts = EXPRESSIONS.map(([source, purpose]) => [source, purpose, verdictOn(source, purpose)]);
  expect(verdicts).toEqual(EXPRESSIONS.map(([source, purpose, verdict]) => [source, purpose, verdict]));
});

it('each changed verdict has a reason', () => {
  const changed = EXPRESSIONS.filter(([, , , before]) => before !== undefined);
  expect(changed.length).toBeLessThan(EXPRESSIONS.length / 10);
  for (const [, , verdict, before, reason] of changed) {
    expect(before).not.toBe(verdict);
    expect(reason).toMatch(/\w{3}/);
  }
});
