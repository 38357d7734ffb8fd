/** Timeouts for work outside the Worker. */

/** Thrown when the limit is reached. The work is not cancelled; its result is ignored. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Resolves and rejects as `work` does, or rejects with {@link TimeoutError} after `limitMs`. It relies on a timer: a
 * deployed Worker's clock does not advance during computation.
 */
export type WithTimeout = <Value>(limitMs: number, work: () => Promise<Value>) => Promise<Value>;

export const withTimeout: WithTimeout = async (limitMs, work) => {
  const limits = sharedTimer(limitMs);
  try {
    return await limits.withTimeout(limitMs, work);
  } finally {
    limits.end();
  }
};

interface Waiting {
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly expire: () => void;
}

/**
 * Runs several timeouts on one timer, since the timer is their cost. The timer first fires after `firstCheckMs`, or
 * sooner when a limit is shorter. `end` clears it. The timers of a call end with the call.
 */
export function sharedTimer(firstCheckMs: number): { withTimeout: WithTimeout; end: () => void } {
  const waiting = new Set<Waiting>();
  let checkAt = Date.now() + firstCheckMs;
  let timer = setTimeout(check, firstCheckMs);

  function check(): void {
    // The clock and the timer may differ by a millisecond.
    const now = Math.max(Date.now(), checkAt);
    let next = Number.POSITIVE_INFINITY;
    for (const { until, expire } of waiting) {
      if (until <= now) expire();
      else next = Math.min(next, until);
    }
    if (next === Number.POSITIVE_INFINITY) checkAt = next;
    else scheduleCheck(next, now);
  }

  function scheduleCheck(at: number, now: number): void {
    clearTimeout(timer);
    checkAt = at;
    timer = setTimeout(check, at - now);
  }

  return {
    withTimeout: <Value>(limitMs: number, work: () => Promise<Value>) =>
      new Promise<Value>((resolve, reject) => {
        const now = Date.now();
        const one: Waiting = {
          until: now + limitMs,
          expire: () => {
            waiting.delete(one);
            reject(new TimeoutError(`not done within ${limitMs} ms`));
          },
        };
        waiting.add(one);
        if (one.until < checkAt) scheduleCheck(one.until, now);
        // One `then` with two handlers costs one promise.
        work().then(
          (value) => {
            waiting.delete(one);
            resolve(value);
          },
          (error: unknown) => {
            waiting.delete(one);
            reject(error);
          },
        );
      }),
    end: () => clearTimeout(timer),
  };
}
