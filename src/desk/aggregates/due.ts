/**
 * Whether attempts wait to be summed, known without asking Neon, so that an idle Neon can sleep. Two times in KV, compared
 * and never deleted, so a write that comes while a sum runs cannot be lost with a flag: `sums:due`, when the consumer last
 * wrote, and `sums:done`, when the last sum that left no hour behind that was over began.
 */
import { overUntil } from './hours.ts';

const DUE = 'sums:due';
const DONE = 'sums:done';
/** KV takes one write a second for a key; the consumer may write hundreds of batches in that time. */
const MARK_EVERY_MS = 60_000;
/**
 * A mark may be this much older than a write that it stands for: the minute in which an isolate keeps quiet, and a minute for
 * the clocks of two machines and the time between a write and its mark.
 */
const MARK_SLACK_MS = MARK_EVERY_MS + 60_000;
/** Sums run at least once a day, whatever the marks say. */
const AT_LEAST_EVERY_MS = 24 * 60 * 60_000;

/** When this isolate last marked, by namespace. */
const marked = new WeakMap<KVNamespace, number>();

/**
 * Notes that attempts were written by `now` (milliseconds since 1970); the consumer calls it after each batch. At most one
 * write to KV a minute and isolate. Rejects when KV does, and the next call tries again.
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

/** Notes that a sum which began at `startedAt` (milliseconds since 1970) left nothing that waits. */
export async function markDone(kv: KVNamespace, startedAt: number): Promise<void> {
  await kv.put(DONE, new Date(startedAt).toISOString());
}

/**
 * Whether to sum now: something may have been written since the last sum began, an hour is over that was not when it began and
 * in which something may have been written, or that sum is a day ago.
 */
export async function isDue(kv: KVNamespace, now: number): Promise<boolean> {
  const [due, done] = await Promise.all([kv.get(DUE), kv.get(DONE)]);
  return mayWait(millisecondsOf(due), millisecondsOf(done), now);
}

/** Pure form of {@link isDue}: milliseconds since 1970, NaN where KV holds no time. */
export function mayWait(due: number, done: number, now: number): boolean {
  // KV may show an old value for a minute or longer: an old `due` is seen at a later tick, an old `done` costs one sum more.
  if (Number.isNaN(done) || now - done >= AT_LEAST_EVERY_MS) return true;
  if (due > done - MARK_SLACK_MS) return true;
  const [before, over] = [done, now].map((at) => overUntil(new Date(at)).getTime()) as [number, number];
  return over > before && due > before - MARK_SLACK_MS;
}

const millisecondsOf = (text: string | null) => (text === null ? Number.NaN : Date.parse(text));
