/** Why a call was made twice, as far as durations tell. Pure. */
import { MINUTE_MS } from '../../platform/duration.ts';
import { isStopped } from './attempt-verdict.ts';
import type { AttemptRow } from './queries/columns.ts';
import type { OneCall } from './tries.ts';

/**
 * `answer-too-late`: the answer before took longer than Microsoft waits. `answer-in-time`: it was ready in time, and
 * was probably lost or delayed on its way. `begun-again`: no repetition by Microsoft. It came too early or too late for
 * one, is of another sign-in, or the answer before stopped the person in time.
 */
export const REPEAT_CAUSES = ['answer-too-late', 'answer-in-time', 'begun-again'] as const;
type RepeatCause = (typeof REPEAT_CAUSES)[number];

/** That an attempt is a call made again. */
export interface Repeat {
  /** Id of the attempt before with the same fingerprint. */
  readonly of: string;
  readonly afterMs: number;
  readonly cause: RepeatCause;
  readonly sentence: string;
}

/** How long Microsoft waits for an answer on a channel (contract 2.6), in milliseconds. */
export const waitsMs = (channel: string): number => (channel === 'custom-policy' ? 10_000 : 5_000);
/** Microsoft repeats a call after at most 30 seconds (contract 2.6); with a margin for the way. */
const REPEATED_WITHIN_MS = MINUTE_MS;
/** The first of two calls may take so much longer on its way than the second. */
const ON_ITS_WAY_MS = 1_000;

type Answered = Pick<AttemptRow, 'id' | 'channel' | 'durationMs' | 'outcome' | 'reply' | 'correlationId'> & {
  readonly occurredAt: Date | string;
};

/** By id of each attempt but the first of its call. */
export const repeatsOf = (calls: readonly OneCall<Answered>[]): ReadonlyMap<string, Repeat> =>
  new Map(
    calls.flatMap((attempts) =>
      attempts.flatMap((again, index) => {
        const before = attempts[index - 1];
        return before === undefined ? [] : [[again.id, repeatOf(before, again)] as const];
      }),
    ),
  );

function repeatOf(before: Answered, again: Answered): Repeat {
  const afterMs = new Date(again.occurredAt).getTime() - new Date(before.occurredAt).getTime();
  const limitMs = waitsMs(before.channel);
  const isLate = before.durationMs >= limitMs;
  const begun = whyBegun(before, again, { afterMs, limitMs, isLate });
  const cause = begun !== undefined ? 'begun-again' : isLate ? 'answer-too-late' : 'answer-in-time';
  const took = `took ${before.durationMs} ms, and Microsoft waits ${limitMs / 1_000} seconds`;
  const why =
    begun !== undefined
      ? `${begun}, so the person probably began again with the same input`
      : isLate
        ? `The first answer came too late: it ${took}`
        : `The first answer was ready in time: it ${took}. It was lost or delayed on its way, or the person began again`;
  const what = begun !== undefined ? 'The same call came' : 'Called twice: the same call came';
  return { of: before.id, afterMs, cause, sentence: `${what} ${lasting(afterMs)} before. ${why}.` };
}

interface Between {
  readonly afterMs: number;
  /** How long Microsoft waits. */
  readonly limitMs: number;
  readonly isLate: boolean;
}

/** Why Microsoft did not repeat the call itself, as far as is known; undefined when it probably did. */
function whyBegun(before: Answered, again: Answered, { afterMs, limitMs, isLate }: Between): string | undefined {
  if (afterMs > REPEATED_WITHIN_MS) return 'Microsoft repeats a call within a minute';
  if (afterMs < limitMs - ON_ITS_WAY_MS) return `Microsoft waits ${limitMs / 1_000} seconds before it repeats a call`;
  const ids = new Set([before.correlationId, again.correlationId]);
  if (ids.size === 2 && !ids.has('')) return 'The two calls belong to different sign-ins';
  return isStopped(before) && !isLate ? 'The first answer was ready in time and stopped the person' : undefined;
}

const lasting = (ms: number) =>
  ms < MINUTE_MS ? `${Math.round(ms / 100) / 10} seconds` : `${Math.round(ms / MINUTE_MS)} minutes`;
