/**
 * Counts calls that are refused before there is an attempt. A flood of them costs an isolate two messages and two log
 * lines in {@link WINDOW_MS} for each kind, and never stores what was presented.
 */
import { v7 as uuidv7 } from 'uuid';
import type { RefusalReason } from '../callers/credential.ts';
import { errorFields, log } from '../platform/log.ts';
import type { RefusedCalls } from './attempt.ts';

/**
 * Refusals of one kind that follow within this time are counted in memory. They are sent after it, with the next
 * refusal, under the time at which the window began.
 */
const WINDOW_MS = 10_000;

/** Every member is one of few values: the credential's name is a configured one. */
export interface Refusal {
  readonly route: 'connector' | 'reports' | 'admin';
  readonly reason: RefusalReason | 'no-such-connector';
  /** Name of the configured credential; `''` when the presented user name is none. */
  readonly name: string;
}

interface Counted {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Refusals since then that were not sent. */
  readonly waiting: number;
}

/** By kind. Values, never promises. */
const counted = new Map<string, Counted>();

/**
 * Counts a refusal at `now` (milliseconds since 1970). `later` takes the work that sends it. `details` are for the log
 * line alone, and may be any short texts. Never throws.
 */
export function countRefusal(
  refusal: Refusal,
  now: number,
  queue: Pick<Queue, 'send'>,
  later: (work: Promise<unknown>) => void,
  details: Readonly<Record<string, string>> = {},
): void {
  const kind = JSON.stringify(refusal);
  const { since, waiting } = counted.get(kind) ?? { since: Number.NEGATIVE_INFINITY, waiting: 0 };
  if (Math.abs(now - since) < WINDOW_MS) {
    counted.set(kind, { since, waiting: waiting + 1 });
    return;
  }
  counted.set(kind, { since: now, waiting: 0 });
  const send = (at: number, calls: number, more: Readonly<Record<string, string>>) => {
    log('refused', { ...more, ...refusal, calls });
    const message: RefusedCalls = { kind: 'refused-calls', v: 1, id: uuidv7({ msecs: at }), ...refusal, calls };
    later(
      // The log line has the count too, so a queue that refuses loses nothing but the report.
      Promise.resolve()
        .then(() => queue.send(message))
        .catch((error: unknown) => log('refused-calls-not-sent', errorFields(error))),
    );
  };
  // A burst may have ended hours ago.
  if (waiting > 0) send(since, waiting, { since: new Date(since).toISOString() });
  send(now, 1, details);
}
