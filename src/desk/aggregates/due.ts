/**
 * Decides whether attempts wait for aggregation without a request to Neon, so that an idle Neon can sleep. KV holds two
 * times: `sums:due`, when the consumer last wrote, and `sums:done`, when the last run began that left no finished hour
 * waiting. They are compared and never deleted, so a write during a run is not lost, as it would be with a flag.
 */
import { overUntil } from './hours.ts';

const DUE = 'sums:due';
const DONE = 'sums:done';
/** KV allows one write a second to a key. The consumer may write hundreds of batches in that time. */
const MARK_EVERY_MS = 60_000;
/**
 * A mark may be this much older than the write it covers: the minute in which an isolate does not mark again, and a
 * minute for clock skew and for the time between a write and its mark.
 */
const MARK_SLACK_MS = MARK_EVERY_MS + 60_000;
/** Aggregation runs at least once a day, regardless of the marks. */
const AT_LEAST_EVERY_MS = 24 * 60 * 60_000;

/** Time of this isolate's last mark, by namespace. */
const marked = new WeakMap<KVNamespace, number>();

/**
 * Records that attempts were written by `now` (milliseconds since 1970). The consumer calls it after each batch. An
 * isolate writes to KV at most once a minute. Rejects when KV does; the next call tries again.
 */
export async function markDue(kv: KVNamespace, now: number): Promise<void> {
  const last = marked.get(kv);
  if (last !== undefined && now - last < MARK_EVERY_MS) return;
  marked.set(kv, now);
  try {
    await kv.put(DUE, new Date(now).toISOString());
  } catch (error) {
    marked.delete(kv);
    throw error;
  }
}

/** Records that the run that began at `startedAt` (milliseconds since 1970) left nothing waiting. */
export async function markDone(kv: KVNamespace, startedAt: number): Promise<void> {
  await kv.put(DONE, new Date(startedAt).toISOString());
}

/**
 * True in three cases: attempts may have been written since the last run began; an hour that may have attempts has
 * ended since then; or the last run is a day old.
 */
export async function isDue(kv: KVNamespace, now: number): Promise<boolean> {
  const [due, done] = await Promise.all([kv.get(DUE), kv.get(DONE)]);
  return mayWait(millisecondsOf(due), millisecondsOf(done), now);
}

/** Pure form of {@link isDue}: milliseconds since 1970, NaN where KV has no time. */
export function mayWait(due: number, done: number, now: number): boolean {
  // KV may return an old value for a minute or longer. An old `due` delays the run; an old `done` costs one extra run.
  if (Number.isNaN(done) || now - done >= AT_LEAST_EVERY_MS) return true;
  if (due > done - MARK_SLACK_MS) return true;
  const [before, over] = [done, now].map((at) => overUntil(new Date(at)).getTime()) as [number, number];
  return over > before && due > before - MARK_SLACK_MS;
}

const millisecondsOf = (text: string | null) => (text === null ? Number.NaN : Date.parse(text));
