/** RE2 regular expressions. A search takes time proportional to size × length of the text. */
import { RE2JS } from '@bufbuild/re2';
import { MAX_PATTERN_CLASSES, MAX_PATTERN_SIZE, MAX_PATTERN_STEPS, MAX_PATTERN_TEXT } from './limits.ts';
import { matchesAnywhere } from './nfa.ts';

/**
 * The engine's DFA caches states and their transitions. Above this number of states it gives up on the text and
 * `nfa.ts` takes over, because building states is the most expensive part.
 */
const MAX_STATES = 50;
/** Characters after which a pattern clears its states. This limits its memory to about 100 KB. */
const MAX_SEEN = 2_000;

export interface Pattern {
  /** Number of RE2 instructions. */
  readonly size: number;
  /** Whether any part of the text matches. Never throws. */
  test(text: string): boolean;
}

export type PatternRefusal =
  | { readonly code: 'control-character' | 'half-character' }
  | { readonly code: 'too-long' | 'too-many-classes' | 'too-large'; readonly size: number; readonly most: number }
  /** `reason` is RE2's message. */
  | { readonly code: 'syntax'; readonly reason: string };

/** A Unicode class, or a range beyond Latin letters. With (?i), RE2 folds each of its characters. */
const CLASS = /\\p/gi;
const WIDE_RANGE = /-(?:\\x\{0*[1-9a-f][\da-f]{2,}\}|[\u{100}-\u{10ffff}])/giu;
const countOf = (source: string, part: RegExp) => source.match(part)?.length ?? 0;
/** Except tabs and line breaks. */
const CONTROL = /[^\P{Cc}\t\r\n]/u;

export function compilePattern(source: string): Pattern | PatternRefusal {
  if (CONTROL.test(source)) return { code: 'control-character' };
  if (!source.isWellFormed()) return { code: 'half-character' };
  if (source.length > MAX_PATTERN_TEXT) return tooMuch('too-long', source.length, MAX_PATTERN_TEXT);
  const classes = countOf(source, CLASS) + countOf(source, WIDE_RANGE);
  if (classes > MAX_PATTERN_CLASSES) return tooMuch('too-many-classes', classes, MAX_PATTERN_CLASSES);
  const steps = stepsIn(source);
  if (steps > MAX_PATTERN_STEPS) return tooMuch('too-large', steps, MAX_PATTERN_STEPS);
  try {
    const compiled = RE2JS.compile(source);
    const size = compiled.re2().prog.numInst();
    return size > MAX_PATTERN_SIZE ? tooMuch('too-large', size, MAX_PATTERN_SIZE) : patternOf(compiled, size);
  } catch (error) {
    return { code: 'syntax', reason: reasonOf(error) };
  }
}

/**
 * Units of CPU that RE2 takes to compile a pattern, at most 100 µs each (measured): 14 ms for a wide range that it
 * folds, 0.5 ms for a class that it folds, 0.3 ms for 500 steps.
 */
export function compileWork(source: string): number {
  const folds = /\(\?\w*i/.test(source);
  const ranges = countOf(source, WIDE_RANGE) * (folds ? 150 : 1);
  const classes = countOf(source, CLASS) * (folds ? 8 : 1);
  return Math.ceil(1 + ranges + classes + stepsIn(source) / 100);
}

const tooMuch = (code: 'too-long' | 'too-many-classes' | 'too-large', size: number, most: number) =>
  ({ code, size, most }) as const;

const TOKENS = /\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|[\s\S]/g;

/** The number of characters and classes after RE2 expands repetitions, which it does before it checks the size. */
function stepsIn(source: string): number {
  const around: number[] = [];
  let [steps, last] = [0, 0];
  const literal = source.replace(/\\Q([\s\S]*?)(?:\\E|$)/g, (_, text: string) => '.'.repeat(text.length));
  for (const [token, least, most] of literal.matchAll(TOKENS)) {
    if (token === '(') {
      around.push(steps);
      steps = 0;
    } else if (token === ')') {
      last = steps + 1;
      steps = last + (around.pop() ?? 0);
    } else if (least !== undefined) {
      steps += last * Math.max(0, Math.max(Number(least), Number(most ?? 0)) - 1);
    } else {
      last = 1;
      steps++;
    }
  }
  return steps;
}

function patternOf(compiled: RE2JS, size: number): Pattern {
  const re2 = compiled.re2();
  const { dfa, prog } = re2;
  dfa.stateLimit = MAX_STATES;
  re2._nfaFallback = (input) => matchesAnywhere(prog, input);
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
  (error instanceof RangeError ? 'nested too deeply' : String(error instanceof Error ? error.message : error))
    .replace('error parsing regexp: ', '')
    .replace(/\s+/g, ' ');
