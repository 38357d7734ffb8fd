/** No accepted policy makes a call, or the load of a gate, cost more than its limit. Work is counted, not timed. */
import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../../src/desk/policies/check.ts';
import { runOf, Shared } from '../../../src/expressions/evaluate.ts';
import { MAX_COMPILE_WORK, MAX_WORK } from '../../../src/expressions/limits.ts';
import { compilePattern, compileWork } from '../../../src/expressions/patterns.ts';
import { openScope } from '../../../src/expressions/scope.ts';
import { matchWork } from '../../../src/expressions/work.ts';
import { CALL } from '../../support/evaluate-expression.ts';

const matching = (patterns: readonly string[]) => ({
  rules: patterns.map((pattern, at) => ({
    id: `r${at}`,
    steps: ['PostAttributeCollection'],
    when: `has(claims.city) && claims.city.matches('${pattern}')`,
    invalid: true,
  })),
});
const problemsOf = (patterns: readonly string[]) => {
  const check = checkPolicy(matching(patterns), '');
  return check.ok ? [] : check.problems.map(({ message }) => message);
};

describe('the work of a call', () => {
  it('stays within the budget when a person types 10,000 characters into twenty patterns of the largest accepted size', () => {
    const patterns = Array.from({ length: 20 }, (_, at) => `.*a.{${340 - at}}[cd]`);
    const shared = new Shared();
    const city = 'ab'.repeat(5_000);
    const scope = openScope({ ...CALL, claims: { city } });
    let searched = 0;
    for (const pattern of patterns) {
      const compiled = shared.patternOf(pattern);
      if ('code' in compiled) throw new Error(compiled.code);
      const { size, test } = compiled;
      // Counts the work of searches that really run.
      Object.assign(compiled, {
        test(text: string) {
          searched += matchWork(size, text.length);
          return test(text);
        },
      });
      runOf(['matches', ['claims', 'city'], pattern], shared)(scope);
    }
    expect(searched).toBeLessThanOrEqual(MAX_WORK);
  });

  it('stays within the budget for texts of every length, and what exceeds it fails', () => {
    for (const length of [1, 50, 256, 1_000, 5_000, 10_000]) {
      const scope = openScope({ ...CALL, claims: { city: 'ab'.repeat(length / 2) } });
      const shared = new Shared();
      const values = Array.from({ length: 500 }, (_, at) =>
        runOf(['matches', ['+', ['claims', 'city'], `${at}`], '.*a.{340}[cd]'], shared)(scope),
      );
      expect(values.filter((value) => typeof value === 'boolean').length * matchWork(342, length)).toBeLessThanOrEqual(
        MAX_WORK,
      );
      if (length > 1) expect(scope.work).toBe(-1);
    }
  });

  it('of twenty such patterns exceeds the budget already for short texts, so the policy is refused', () => {
    expect(problemsOf(Array.from({ length: 20 }, (_, at) => `.*a.{${340 - at}}[cd]`))).toEqual([
      expect.stringContaining('could take too long'),
    ]);
  });
});

describe('the work of loading a policy', () => {
  const wide = (at: number) => `(?i)${'[\\\\x{80}-\\\\x{FFFF}]'.repeat(5)}${at}`;

  it('is limited for all patterns together', () => {
    expect(problemsOf([wide(0), wide(1)])).toEqual([]);
    expect(problemsOf(Array.from({ length: 10 }, (_, at) => wide(at)))).toEqual([
      expect.stringContaining('All patterns together take too long to load'),
    ]);
    expect(problemsOf(Array.from({ length: 10 }, () => wide(0)))).toEqual([]);
  });

  it('counts every range that RE2 folds, however it is written', () => {
    for (const end of ['\\x{FFFF}', '\\x{0100}', '\\x{10FFFF}', '\u{10ffff}', '\uffff', '\\x{000FFF}'])
      expect([end, compileWork(`(?i)[a-${end}]`) > 100]).toEqual([end, true]);
    expect(compilePattern(`(?i)${'[\\x{80}-\\x{FFFF}]'.repeat(25)}`)).toMatchObject({ code: 'too-many-classes' });
    for (const usual of ['^[0-9]{5}$', '(?i)^[a-z0-9._%+-]+@[a-z.]+$', '^[A-Z\u00c0-\u00dd]+$'])
      expect(compileWork(usual) * 500).toBeLessThanOrEqual(MAX_COMPILE_WORK);
  });
});
