/** Arithmetic, whose results are as large as its operands make them. */
import { DOUBLE, DURATION, INT, kindOf, NOTHING, TIME } from './kinds.ts';
import type { Rule } from './outcome.ts';
import { shown, wholeNumberOf } from './tree.ts';

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
/** Seconds that a duration may have (64 bits of nanoseconds), and that a time may be away from 1970 on either side. */
export const MAX_DURATION = 9_200_000_000;
export const MAX_TIME = 62_000_000_000;

export const sum = (a: number, b: number) => a + b;
export const product = (a: number, b: number) => a * b;

/** Numbers and times, whose magnitude is known by that of the operands. */
export const arithmetic =
  (of: (a: number, b: number) => number): Rule =>
  (call) => {
    const [a = NOTHING, b = NOTHING] = call.kinds;
    const magnitude = of(a.magnitude, b.magnitude);
    const kind = kindOf(call.gives, { magnitude });
    if (call.gives === DOUBLE) return { kind: kindOf(DOUBLE), fails: undefined };
    const most = { [INT]: MAX_SAFE, [TIME]: MAX_TIME, [DURATION]: MAX_DURATION }[call.gives];
    if (most !== undefined && magnitude <= most) return { kind, fails: undefined };
    return { kind, fails: `${shown(call.node)} fails when the result is out of range.` };
  };

export const division: Rule = (call) => {
  const [a = NOTHING] = call.kinds;
  const by = call.arguments[1] && wholeNumberOf(call.arguments[1]);
  if (call.gives === DOUBLE) return { kind: kindOf(DOUBLE), fails: undefined };
  const safe = by !== undefined && by !== 0n && a.magnitude <= MAX_SAFE;
  return {
    kind: kindOf(call.gives, { magnitude: a.magnitude }),
    fails: safe ? undefined : `${shown(call.node)} fails when it divides by 0, or the result is out of range.`,
  };
};
