/** Timeouts, alone and on a shared timer. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sharedTimer, TimeoutError, withTimeout } from '../../../src/platform/timeout.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = () => new Promise<never>(() => {});
/** Milliseconds until each promise settles. */
async function endsAfter(promises: readonly Promise<unknown>[], most: number): Promise<(number | undefined)[]> {
  const ends: (number | undefined)[] = promises.map(() => undefined);
  const start = Date.now();
  for (const [index, promise] of promises.entries()) {
    const ended = () => {
      ends[index] = Date.now() - start;
    };
    promise.then(ended, ended);
  }
  for (let at = 0; at <= most; at += 5) await vi.advanceTimersByTimeAsync(5);
  return ends;
}

it('withTimeout: slow work rejects with TimeoutError, and other work keeps its own result or error', async () => {
  const late = withTimeout(100, never);
  const soon = withTimeout(100, () => new Promise((resolve) => setTimeout(() => resolve('done'), 50)));
  const thrown = withTimeout(100, () => Promise.reject(new Error('its own')));
  const settled = Promise.allSettled([late, soon, thrown]);
  await vi.advanceTimersByTimeAsync(100);
  expect(await settled).toEqual([
    { status: 'rejected', reason: expect.any(TimeoutError) },
    { status: 'fulfilled', value: 'done' },
    { status: 'rejected', reason: new Error('its own') },
  ]);
  expect(vi.getTimerCount()).toBe(0);
});

it('sharedTimer: each timeout ends at its own time, before or after the first check', async () => {
  const limits = sharedTimer(100);
  const waits = [30, 100, 105, 400].map((ms) => limits.withTimeout(ms, never));
  expect(await endsAfter(waits, 500)).toEqual([30, 100, 105, 400]);
});

it('sharedTimer: a timeout set after an idle check still ends', async () => {
  const limits = sharedTimer(50);
  await vi.advanceTimersByTimeAsync(80);
  expect(await endsAfter([limits.withTimeout(200, never)], 300)).toEqual([200]);
});

it('sharedTimer: end clears the timer', async () => {
  const limits = sharedTimer(100);
  expect(await limits.withTimeout(50, async () => 7)).toBe(7);
  limits.end();
  expect(vi.getTimerCount()).toBe(0);
});

it('withTimeout: a synchronous throw becomes a rejection', async () => {
  const broken = () => {
    throw new Error('at once');
  };
  await expect(withTimeout(100, broken)).rejects.toThrow('at once');
  expect(vi.getTimerCount()).toBe(0);
});
