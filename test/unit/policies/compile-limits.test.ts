/** Any text is compiled or refused within the limits of expressions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFunction } from '../../../src/expressions/functions.ts';
import { MAX_DEPTH, MAX_SOURCE } from '../../../src/expressions/limits.ts';
import { isTree } from '../../../src/expressions/tree.ts';
import { compile, problemsOf, run } from '../../support/compile-expression.ts';

describe('compile: limits', () => {
  it(`refuses more than ${MAX_SOURCE} characters`, () => {
    const source = (length: number) => `true${' '.repeat(length - 4)}`;
    expect(problemsOf(source(MAX_SOURCE))).toEqual([]);
    expect(problemsOf(source(MAX_SOURCE + 1))).toEqual([['too-long', source(MAX_SOURCE + 1)]]);
  });

  it('refuses deep nesting of every kind, and never throws', () => {
    const nested = [
      (levels: number) => `${'('.repeat(levels)}true${')'.repeat(levels)}`,
      (levels: number) => `${'!(true && '.repeat(levels)}true${')'.repeat(levels)}`,
      (levels: number) => `${'size(['.repeat(levels)}1${']) == 1'.repeat(levels)}`,
      (levels: number) => `${"{'a':".repeat(levels)}1${'}'.repeat(levels)}`,
      (levels: number) => `${'true?'.repeat(levels)}true${':true'.repeat(levels)}`,
      (levels: number) => `1${'+1'.repeat(levels)} == 1`,
      (levels: number) => `claims${'.a'.repeat(levels)} == 1`,
      (levels: number) => `person.roles${'.filter(x,true)'.repeat(levels)} == []`,
      (levels: number) => `${'!'.repeat(levels)}true`,
      (levels: number) => `${'-'.repeat(levels)}1 == 1`,
      (levels: number) => `${'(-'.repeat(levels)}1${')'.repeat(levels)} == 1`,
    ];
    for (const source of nested) {
      for (const levels of [1, 20, 59, 99, 101, 150, 390, 800, 1_900, 3_990]) {
        const outcome = compile(source(levels));
        expect(() => outcome.ok && run(outcome.expression, {})).not.toThrow();
      }
      expect(compile(source(1_900)).ok).toBe(false);
    }
    const sum = (levels: number) => `1${'+1'.repeat(levels)} == 1`;
    expect(problemsOf(sum(MAX_DEPTH - 2))).toEqual([]);
    expect(problemsOf(sum(MAX_DEPTH - 1))).toEqual([['too-deep', sum(MAX_DEPTH - 1)]]);
    expect(problemsOf(`true${' && true'.repeat(400)}`)).toEqual([]);
  });

  it('refuses over 1,000 parts, and accepts a list of all countries', () => {
    const countries = Array.from({ length: 250 }, (_, at) => `'${at}'`).join(',');
    expect(problemsOf(`request.locale in [${countries}]`)).toEqual([]);
    const numbers = `[${Array.from({ length: 1_100 }, () => '1').join(',')}] == []`;
    expect(problemsOf(numbers)).toEqual([['too-large', numbers]]);
  });
});

describe('compile: any text', () => {
  const tokens = fc.constantFrom(
    ...[
      'claims',
      '.',
      'email',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      "'a'",
      '"',
      "'",
      '&&',
      '||',
      '!',
      '?',
      ':',
      '==',
      '=',
      ' ',
    ],
    ...[
      '5',
      '1.5',
      'has',
      'in',
      'exists',
      'x',
      ',',
      '-',
      '+',
      '//',
      '\\',
      '\n',
      'b',
      'r',
      '`',
      'null',
      'é',
      '💥',
      '\0',
      '_',
    ],
    ...['request.step', 'person.roles', 'lists.codes', 'size', 'true', 'matches', 'claims.extension_A', 'u'],
  );
  const sources = fc.oneof(
    fc.array(tokens, { maxLength: 20 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  );

  it('any text compiles to a valid tree, or is refused with sentences whose ranges are within the text', () => {
    fc.assert(
      fc.property(sources, fc.constantFrom('condition' as const, 'value' as const), (source, purpose) => {
        const outcome = compile(source, purpose);
        if (outcome.ok) {
          const stored: unknown = JSON.parse(JSON.stringify(outcome.expression.tree));
          const names = { isFunction, isList: () => true, isPattern: () => true };
          expect(isTree(stored, names)).toBe(true);
          expect(stored).toEqual(outcome.expression.tree);
          return;
        }
        expect(outcome.problems.length).toBeGreaterThan(0);
        for (const { message, from, to } of outcome.problems) {
          expect(message).toMatch(/^.+[.…?]$/s);
          expect(from).toBeGreaterThanOrEqual(0);
          expect(to).toBeGreaterThanOrEqual(from);
          expect(to).toBeLessThanOrEqual(source.length);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
