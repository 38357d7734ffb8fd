/** Regular expressions of RE2's syntax, which run in time linear in the text, compiled once and kept within bounds. */
import { RE2JS } from '@bufbuild/re2';
import { MAX_PATTERN_SIZE } from './limits.ts';

/**
 * The engine keeps the states that it met, and in each the characters that followed: 5,600 states after one text of 10,000
 * characters, 28 MB. So few of them are kept (beyond, it goes on without), and all are dropped after so many characters.
 */
const MAX_STATES = 1_000;
const MAX_SEEN = 20_000;

/** But for tabs and line breaks. */
const CONTROL = /[^\P{Cc}\t\r\n]/u;

export interface Pattern {
  /** In RE2's instructions. */
  readonly size: number;
  /** Whether any part of the text matches. */
  test(text: string): boolean;
}

/** The pattern, or a sentence that says why there is none. */
export function compilePattern(source: string): Pattern | string {
  if (CONTROL.test(source)) {
    return String.raw`The pattern ${quoted(source)} holds a control character, which \b in a text is: for the edge of a word write \\b.`;
  }
  try {
    const compiled = compile(source);
    const size = compiled.re2().prog.numInst();
    if (size > MAX_PATTERN_SIZE) {
      return (
        `The pattern ${quoted(source)} is too large: RE2 makes ${size} steps of it, at most ${MAX_PATTERN_SIZE} are ` +
        'allowed. Write * or + instead of large counts, and size() to limit the length.'
      );
    }
    return patternOf(source, compiled, size);
  } catch (error) {
    return `RE2 does not take the pattern ${quoted(source)}: ${reason(error)}.${advice(source)}`;
  }
}

function patternOf(source: string, first: RE2JS, size: number): Pattern {
  let compiled = first;
  let seen = 0;
  return {
    size,
    test(text) {
      seen += text.length;
      if (seen > MAX_SEEN) {
        compiled = compile(source);
        seen = text.length;
      }
      return compiled.test(text);
    },
  };
}

function compile(source: string): RE2JS {
  const compiled = RE2JS.compile(source);
  compiled.re2().dfa.stateLimit = MAX_STATES;
  return compiled;
}

const quoted = (source: string) =>
  `'${source.length > 60 ? `${source.slice(0, 60)}…` : source}'`.replace(/\p{Cc}/gu, '\uFFFD');

const reason = (error: unknown) =>
  (error instanceof RangeError ? 'it is nested too deeply' : String(error instanceof Error ? error.message : error))
    .replace('error parsing regexp: ', '')
    .replace(/\s+/g, ' ');

function advice(source: string): string {
  if (/\(\?<?[=!]/.test(source)) return ' It has no lookahead or lookbehind: write a second condition with && instead.';
  if (/\\[1-9]/.test(source)) return ' It has no references back to a group.';
  return '';
}
