/** Calls of a past day that Gatehouse refused before it read them. Pure. */
import { v7 as uuidv7 } from 'uuid';
import type { RefusedCalls } from '../../../attempts/attempt.ts';
import { DAY_MS } from '../../../platform/duration.ts';
import { type Dice, diceFor } from '../dice.ts';
import { visitsOfDay } from './calendar.ts';
import type { Past } from './fill-past.ts';

/** Programs of strangers that guess at every public address. */
const STRANGERS = { atMost: 3, calls: 20 } as const;

/** `day` is the number of whole days since 1970 (UTC). In any order. */
export function refusedOfDay({ people, seed, nowMs }: Omit<Past, 'days' | 'stop'>, day: number): RefusedCalls[] {
  const strangers = diceFor('strangers', seed, day);
  const guesses = Array.from({ length: strangers.int(1, STRANGERS.atMost) }, () =>
    refusedAt(day * DAY_MS + strangers.int(0, DAY_MS - 1), strangers, strangers.int(1, STRANGERS.calls)),
  );
  const visits = [...visitsOfDay(seed, people, day)].flatMap(({ atMs, calls: [first], dice }) =>
    first?.credential === 'wrong' ? [refusedAt(atMs + first.pauseMs, dice, 1)] : [],
  );
  return [...guesses, ...visits].filter(({ atMs }) => atMs <= nowMs).map(({ message }) => message);
}

function refusedAt(atMs: number, dice: Dice, calls: number): { atMs: number; message: RefusedCalls } {
  const id = uuidv7({ msecs: atMs, random: dice.bytes(16) });
  return {
    atMs,
    message: { kind: 'refused-calls', v: 1, id, route: 'connector', reason: 'wrong-credential', name: '', calls },
  };
}
