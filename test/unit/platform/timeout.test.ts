/** Limits: each is kept, however many share a timer and in whatever order they are set. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sharedTimer, TimeoutError, withTimeout } from '../../../src/platform/timeout.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = () => new Promise<never>(() => {});
/** After how many milliseconds each of these ends, one step at a time. */
async function endsAfter(promises: readonly Promise<unknown>[], most: number): Promise<(number | undefined)[]> {
  const ends: (number | undefined)[] = promises.map(() => undefined);
  const began = Date.now();
  for (const [index, promise] of promises.entries()) {
    const ended = () => {
      ends[index] = Date.now() - began;
    };
    promise.then(ended, ended);
  }
  for (let at = 0; at <= most; at += 5) await vi.advanceTimersByTimeAsync(5);
  return ends;
}

it('what takes too long ends with Late; what does not, with what it came to', async () => {
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

it('limits that share a timer each end at their own time, sooner or later than it first looks', async () => {
  const limits = sharedTimer(100);
  const waits = [30, 100, 105, 400].map((ms) => limits.withTimeout(ms, never));
  expect(await endsAfter(waits, 500)).toEqual([30, 100, 105, 400]);
});

it('a limit set when the timer has looked and found nothing is kept too', async () => {
  const limits = sharedTimer(50);
  await vi.advanceTimersByTimeAsync(80);
  expect(await endsAfter([limits.withTimeout(200, never)], 300)).toEqual([200]);
});

it('what is done by then holds no timer when it is ended', async () => {
  const limits = sharedTimer(100);
  expect(await limits.withTimeout(50, async () => 7)).toBe(7);
  limits.end();
  expect(vi.getTimerCount()).toBe(0);
});

it('what throws at once is told as what rejects', async () => {
  const broken = () => {
    throw new Error('at once');
  };
  await expect(withTimeout(100, broken)).rejects.toThrow('at once');
  expect(vi.getTimerCount()).toBe(0);
});
