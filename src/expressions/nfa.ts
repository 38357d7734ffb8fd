/**
 * Runs an RE2 program over a text. All threads advance in step, so each instruction runs at most once per character.
 * The engine's own NFA takes time quadratic in the instructions for patterns such as `(.?){150}`.
 */
import type { RE2JS } from '@bufbuild/re2';

type Re2 = ReturnType<RE2JS['re2']>;
type Input = Parameters<Re2['_nfaFallback']>[0];

/** Operations of the engine's `Inst`, which it does not export. */
const [ALT, ALT_MATCH, CAPTURE, EMPTY_WIDTH, FAIL, MATCH, NOP] = [1, 2, 3, 4, 5, 6, 7];
/** Flags of a position between two characters (the engine's `Utils`). */
const [BEGIN_LINE, END_LINE, BEGIN_TEXT, END_TEXT, WORD_BOUNDARY, NO_WORD_BOUNDARY] = [1, 2, 4, 8, 16, 32];
const NEWLINE = 10;

/** Whether the program matches anywhere. */
export function matchesAnywhere({ inst, start }: Re2['prog'], input: Input): boolean {
  let current: number[] = [];
  let next: number[] = [];
  const stack: number[] = [];
  /** The last position at which each instruction was reached. */
  const reached = new Int32Array(inst.length).fill(-1);
  const end = input.endPos();
  let [at, before, step] = [0, -1, input.step(0)];

  /** Follows instructions that consume no character. True on a match. */
  const follow = (first: number, context: number, threads: number[]): boolean => {
    stack.push(first);
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      const here = inst[pc];
      if (here === undefined || reached[pc] === at) continue;
      reached[pc] = at;
      if (here.op === MATCH) return true;
      if (here.op === ALT || here.op === ALT_MATCH) stack.push(here.arg, here.out);
      else if (here.op === NOP || here.op === CAPTURE) stack.push(here.out);
      else if (here.op === EMPTY_WIDTH) {
        if ((here.arg & ~context) === 0) stack.push(here.out);
      } else if (here.op !== FAIL) threads.push(pc);
    }
    return false;
  };

  for (;;) {
    const rune = step >> 3;
    if (follow(start, contextOf(before, rune), current)) return true;
    if (at >= end) return false;
    at += step & 7;
    step = input.step(at);
    const context = contextOf(rune, step >> 3);
    for (const pc of current) {
      const here = inst[pc];
      if (here?.matchRune(rune) && follow(here.out, context, next)) return true;
    }
    before = rune;
    [current, next] = [next, current];
    next.length = 0;
  }
}

/** -1 marks the start and the end of the text. */
function contextOf(before: number, after: number): number {
  let context = isWord(before) === isWord(after) ? NO_WORD_BOUNDARY : WORD_BOUNDARY;
  if (before === -1) context |= BEGIN_TEXT | BEGIN_LINE;
  if (before === NEWLINE) context |= BEGIN_LINE;
  if (after === -1) context |= END_TEXT | END_LINE;
  if (after === NEWLINE) context |= END_LINE;
  return context;
}

const isWord = (rune: number) =>
  (rune >= 0x61 && rune <= 0x7a) || (rune >= 0x41 && rune <= 0x5a) || (rune >= 0x30 && rune <= 0x39) || rune === 0x5f;
