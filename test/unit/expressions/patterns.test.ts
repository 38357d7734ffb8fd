/** Patterns: refusals before compilation, and the cost of a search. */
import { RE2JS } from '@bufbuild/re2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PATTERN_SIZE, MAX_PATTERN_STEPS } from '../../../src/expressions/limits.ts';
import { matchesAnywhere } from '../../../src/expressions/nfa.ts';
import { compilePattern } from '../../../src/expressions/patterns.ts';

const anyPattern = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '\\w',
      '\\W',
      '\\b',
      '\\B',
      '^',
      '$',
      '\\A',
      '\\z',
      '\\pL',
      '\u00e9',
      '\u{1f4a5}',
      'k',
      '\n',
      '',
    ),
    fc.tuple(tie('pattern'), tie('pattern')).map((parts) => parts.join('')),
    fc.tuple(tie('pattern'), tie('pattern')).map((parts) => `(?:${parts.join('|')})`),
    fc
      .tuple(
        fc.constantFrom('(', '(?i:', '(?s:', '(?m:', '(?:'),
        tie('pattern'),
        fc.constantFrom('', '*', '+', '?', '*?', '{3}', '{0,2}', '{2,}'),
      )
      .map(([open, part, repeat]) => `${open}${part})${repeat}`),
  ),
})).pattern;
const anyText = fc.string({
  unit: fc.constantFrom('a', 'b', 'K', '\u212a', '_', ' ', '\n', '\u00c9', '\u{1f4a5}', '\ud800'),
  maxLength: 30,
});

it('matchesAnywhere finds the same matches as the DFA of the engine', () => {
  fc.assert(
    fc.property(anyPattern, fc.array(anyText, { minLength: 5, maxLength: 5 }), (source, texts) => {
      const compiled = RE2JS.compile(source);
      const re2 = compiled.re2();
      const threads = RE2JS.compile(source).re2();
      threads.dfa.match = () => null;
      threads._nfaFallback = (input) => matchesAnywhere(threads.prog, input);
      for (const text of texts) expect(threads.match(text)).toBe(re2.match(text));
    }),
    { numRuns: 3_000 },
  );
});

it('a pattern has the same matches after searches in other texts', () => {
  fc.assert(
    fc.property(anyPattern, fc.array(fc.tuple(anyText, fc.nat(200)), { maxLength: 10 }), (source, texts) => {
      const pattern = compilePattern(`(?:${source}).{0,9}|[ab].{12}k`);
      fc.pre(!('code' in pattern));
      for (const [text, times] of texts) {
        const long = text.repeat(times);
        expect(pattern.test(long)).toBe(RE2JS.compile(`(?:${source}).{0,9}|[ab].{12}k`).test(long));
      }
    }),
    { numRuns: 200 },
  );
});

it('matchesAnywhere takes steps in proportion to the pattern size, also when most of the pattern is optional', () => {
  const re2 = RE2JS.compile('(?s)(?:.?){150}[ab].{60}[cd]').re2();
  let steps = 0;
  const inst = new Proxy(re2.prog.inst, {
    get(all, at) {
      steps++;
      return Reflect.get(all, at);
    },
  });
  const prog = Object.assign(Object.create(re2.prog), { inst });
  re2.dfa.match = () => null;
  re2._nfaFallback = (input) => matchesAnywhere(prog, input);
  expect(re2.match('ab'.repeat(500))).toBe(false);
  expect(steps).toBeLessThan(1_000 * 4 * re2.prog.numInst());
});

describe('compilePattern', () => {
  const thousandfold = (part: string, times: number) => `(?:(?:(?:${part.repeat(times)}){10}){10}){10}`;

  it.each([
    ['with a control character', '\b', { code: 'control-character' }],
    ['with a lone surrogate', '\ud800', { code: 'half-character' }],
    ['with many characters', 'a'.repeat(501), { code: 'too-long', size: 501 }],
    ['with many Unicode classes', '\\pL'.repeat(11), { code: 'too-many-classes' }],
    ['with many ranges into the upper planes', '(?i)[\\x{80}-\\x{10FFFF}]'.repeat(11), { code: 'too-many-classes' }],
    ['with many ranges of literal characters', '(?i)[a-\u{10ffff}]'.repeat(11), { code: 'too-many-classes' }],
    ['with large counts', 'a{1000}'.repeat(60), { code: 'too-large', most: MAX_PATTERN_STEPS }],
    ['with a range of counts', '(?:a{0,100}b){2,20}', { code: 'too-large', most: MAX_PATTERN_STEPS }],
    ['with nested counts', thousandfold('a', 400), { code: 'too-large', most: MAX_PATTERN_STEPS }],
    ['with brackets in classes', thousandfold('[)}a]', 80), { code: 'too-large', most: MAX_PATTERN_STEPS }],
    ['with a class in a class', thousandfold('[[:alpha:])]', 30), { code: 'too-large', most: MAX_PATTERN_STEPS }],
    ['with escaped brackets', thousandfold('\\)', 200), { code: 'too-large', most: MAX_PATTERN_STEPS }],
    ['with quoted brackets', thousandfold('\\Q)\\E', 60), { code: 'too-large', most: MAX_PATTERN_STEPS }],
  ])('a pattern %s is refused before RE2 compiles it', (_, source, refusal) => {
    expect(compilePattern(source)).toMatchObject(refusal);
  });

  it('an accepted pattern never exceeds the limit of instructions', () => {
    fc.assert(
      fc.property(
        anyPattern,
        fc.array(fc.constantFrom('{10}', '{0,9}', '+', '{2,7}', '?'), { maxLength: 4 }),
        (source, repeats) => {
          const repeated = repeats.reduce((inner, repeat) => `(?:${inner})${repeat}`, source);
          if ('code' in compilePattern(repeated)) return;
          expect(RE2JS.compile(repeated).re2().prog.numInst()).toBeLessThanOrEqual(MAX_PATTERN_SIZE);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

it('compilePattern: a syntax error has the message of RE2', () => {
  expect(compilePattern('(?=a)')).toEqual({ code: 'syntax', reason: 'invalid or unsupported Perl syntax: `(?=`' });
  expect(compilePattern('('.repeat(400))).toMatchObject({ code: 'syntax' });
});
