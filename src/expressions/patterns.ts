/** Regular expressions of RE2's syntax, which run in time linear in the text, compiled within limits. */
import { RE2JS } from '@bufbuild/re2';
import { MAX_PATTERN_CLASSES, MAX_PATTERN_COUNTS, MAX_PATTERN_SIZE, MAX_PATTERN_TEXT } from './limits.ts';

/**
 * The engine caches the states that it met, and in each the characters that followed. With 1,000 states, building them took
 * up to 1,777 ns a character and unit of size. With 50 it soon goes on without them, at 110 ns.
 */
const MAX_STATES = 50;
/** Characters after which a pattern forgets its states: so a pattern holds at most about 100 KB. */
const MAX_SEEN = 2_000;

export interface Pattern {
  /** In RE2's instructions. */
  readonly size: number;
  /** Whether any part of the text matches. Never throws. */
  test(text: string): boolean;
}

export type PatternRefusal =
  | { readonly code: 'control-character' | 'half-character' }
  | {
      readonly code: 'too-long' | 'too-many-counts' | 'too-many-classes' | 'too-large';
      readonly size: number;
      readonly most: number;
    }
  /** RE2's own words. */
  | { readonly code: 'syntax'; readonly reason: string };

/** But for tabs and line breaks. */
const CONTROL = /[^\P{Cc}\t\r\n]/u;

export function compilePattern(source: string): Pattern | PatternRefusal {
  if (CONTROL.test(source)) return { code: 'control-character' };
  if (!source.isWellFormed()) return { code: 'half-character' };
  if (source.length > MAX_PATTERN_TEXT) return tooMuch('too-long', source.length, MAX_PATTERN_TEXT);
  const counts = countsIn(source);
  if (counts > MAX_PATTERN_COUNTS) return tooMuch('too-many-counts', counts, MAX_PATTERN_COUNTS);
  const classes = source.match(/\\p/gi)?.length ?? 0;
  if (classes > MAX_PATTERN_CLASSES) return tooMuch('too-many-classes', classes, MAX_PATTERN_CLASSES);
  try {
    const compiled = RE2JS.compile(source);
    const size = compiled.re2().prog.numInst();
    return size > MAX_PATTERN_SIZE ? tooMuch('too-large', size, MAX_PATTERN_SIZE) : patternOf(compiled, size);
  } catch (error) {
    return { code: 'syntax', reason: reasonOf(error) };
  }
}

const tooMuch = (code: 'too-long' | 'too-many-counts' | 'too-many-classes' | 'too-large', size: number, most: number) =>
  ({ code, size, most }) as const;

/** The larger count of each pair of braces. */
const countsIn = (source: string): number =>
  [...source.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].reduce(
    (sum, [, least, most]) => sum + Math.max(Number(least), Number(most ?? 0)),
    0,
  );

function patternOf(compiled: RE2JS, size: number): Pattern {
  const { dfa } = compiled.re2();
  dfa.stateLimit = MAX_STATES;
  let seen = 0;
  return {
    size,
    test(text) {
      const matches = compiled.test(text);
      seen += text.length;
      if (seen > MAX_SEEN) {
        seen = 0;
        dfa.stateCache.clear();
        dfa.stateCount = 0;
        dfa.startState = null;
        dfa.cacheClears = 0;
        dfa.failed = false;
      }
      return matches;
    },
  };
}

const reasonOf = (error: unknown) =>
  (error instanceof RangeError ? 'it is nested too deeply' : String(error instanceof Error ? error.message : error))
    .replace('error parsing regexp: ', '')
    .replace(/\s+/g, ' ');
