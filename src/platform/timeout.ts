/** Waits for something outside for so long and no longer. */

/** The time was up. What was waited for may still happen; how it ends is then nobody's concern. */
export class TimeoutError extends Error {
  override readonly name = 'Late';
}

/** What `work` resolves to. Rejects with what it throws, or with {@link TimeoutError} after `limitMs` by a timer (deployed clocks stand still while computing). */
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
  readonly late: () => void;
}

/**
 * Several limits on one timer, which is what a limit costs. The timer first looks after `firstLookMs`; a limit that is up
 * sooner moves it. `end` clears it, for who outlives the wait: a timer of a call ends with the call.
 */
export function sharedTimer(firstLookMs: number): { withTimeout: WithTimeout; end: () => void } {
  const waiting = new Set<Waiting>();
  let lookAt = Date.now() + firstLookMs;
  let timer = setTimeout(look, firstLookMs);

  function look(): void {
    // Clocks and timers need not agree to the millisecond.
    const now = Math.max(Date.now(), lookAt);
    let next = Number.POSITIVE_INFINITY;
    for (const { until, late } of waiting) {
      if (until <= now) late();
      else next = Math.min(next, until);
    }
    if (next === Number.POSITIVE_INFINITY) lookAt = next;
    else lookNextAt(next, now);
  }

  function lookNextAt(at: number, now: number): void {
    clearTimeout(timer);
    lookAt = at;
    timer = setTimeout(look, at - now);
  }

  return {
    withTimeout: <Value>(limitMs: number, work: () => Promise<Value>) =>
      new Promise<Value>((resolve, reject) => {
        const now = Date.now();
        const one: Waiting = {
          until: now + limitMs,
          late: () => {
            waiting.delete(one);
            reject(new TimeoutError(`not done within ${limitMs} ms`));
          },
        };
        waiting.add(one);
        if (one.until < lookAt) lookNextAt(one.until, now);
        // One `then` for both ends: each costs a call a promise.
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
