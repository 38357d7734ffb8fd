/** Functions on code points, white space and timestamps. */
import { describe, expect, it } from 'vitest';
import { resultOf } from '../../../src/expressions/results.ts';
import type { ScopeInputs } from '../../../src/expressions/scope.ts';
import { evaluate } from '../../support/evaluate-expression.ts';

/** The value that a claim would get, or `fails`. */
function evaluated(source: string, changed: Partial<ScopeInputs> = {}): unknown {
  const result = resultOf(evaluate(source, changed), 'value');
  return result.ok ? result.value : 'fails';
}

describe('text functions', () => {
  it('positions and lengths count code points, and a lone surrogate counts as one', () => {
    const city = '\u{1f4a5}e\u0301\ud800x';
    const of = (source: string) => evaluated(source, { claims: { city } });
    expect(of('size(claims.city)')).toBe(5);
    expect(of("[claims.city.charAt(0), claims.city.charAt(4), claims.city.charAt(5)].join('|')")).toBe('\u{1f4a5}|x|');
    expect(of('claims.city.charAt(6)')).toBe('fails');
    expect(of('claims.city.substring(1, 3)')).toBe('e\u0301');
    expect(of('claims.city.substring(3)')).toBe('\ufffdx');
    expect(of("claims.city.indexOf('x')")).toBe(4);
    expect(of("claims.city.indexOf('e', 1)")).toBe(1);
    expect(of("claims.city.indexOf('e', 2)")).toBe(-1);
    expect(of("claims.city.lastIndexOf('x')")).toBe(4);
    expect(of("claims.city.lastIndexOf('e', 0)")).toBe(-1);
    expect(of("claims.city.split('').size()")).toBe(5);
    expect(of("claims.city.split('', 2)[1] == claims.city.substring(1)")).toBe(true);
    expect(evaluated("'\u{1f4a5}' > '\uffff'")).toBe(true);
  });

  it('trim removes every Unicode white space from both ends', () => {
    expect(evaluated("'\u2003\u00a0\t a b \u3000\u0085'.trim()")).toBe('a b');
  });
});

describe('timestamps', () => {
  it('a text of a timestamp has 0, 3, 6 or 9 digits below a second', () => {
    const digits = ['5', '000001', '123456789', '000'].map((fraction) => `2026-01-31T23:59:59.${fraction}Z`);
    expect(digits.map((text) => evaluated(`string(timestamp('${text}')).substring(19)`))).toEqual([
      '.500Z',
      '.000001Z',
      '.123456789Z',
      'Z',
    ]);
    expect(evaluated("string(duration('-1m0.25s'))")).toBe('-60.250s');
  });

  it.each([
    '2026-02-29T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T00:00:00',
    '2026-01-31T00:00:00+24:00',
    '2026-01-31',
  ])('timestamp() refuses %s', (text) => {
    expect(evaluated(`string(timestamp('${text}'))`)).toBe('fails');
  });
});
