/** What the cron does every five minutes, and that it leaves Neon asleep when there is nothing to do. */

import { connect } from '../../database/connect.ts';
import { keepRetention } from '../../database/retention.ts';
import { configOf } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import type { DeskEnv } from '../env.ts';
import { isDue, markDone } from './due.ts';
import { sumDue } from './sum-due.ts';
import { vacuumDaily } from './vacuum.ts';

export { markDue } from './due.ts';

/** For each request: a day, or the vacuum. */
const SUM_LIMIT_MS = 60_000;
/** A day is a request, and Workers' free plan allows a call 50. The rest waits for the next tick. */
const MAX_DAYS_A_TICK = 20;
/** Retention is several statements, of which each lock may take 2 s and each day of people some seconds. */
const RETENTION_LIMIT_MS = 60_000;

/** Something else that the cron does, after sums and retention. It may be done twice at once: make it harmless. */
export interface Job {
  /** For the log, in kebab-case. */
  readonly name: string;
  /** True when the job has work that is worth waking Neon for. Without it the job runs only when Neon is awake anyway. */
  readonly wakes?: () => Promise<boolean>;
  readonly run: () => Promise<unknown>;
}

/**
 * One tick at `now` (milliseconds since 1970): sum, retention, then `jobs` in their order; none of it when nothing was
 * written, nothing waits and the last sum is less than a day old. Overlapping ticks are harmless. Never throws: what fails is
 * logged, the rest goes on, and a sum or retention that failed is tried again at the next tick.
 */
export async function tick(env: DeskEnv, now: number, jobs: readonly Job[] = []): Promise<void> {
  const kv = env.GATEHOUSE;
  const config = configOf(env);
  if (config.DATABASE_URL === '') return log('tick-skipped', { reason: 'DATABASE_URL is not set' });
  const due = await askedSafely('sums', () => isDue(kv, now));
  const wanted = await Promise.all(jobs.map(({ name, wakes }) => wakes !== undefined && askedSafely(name, wakes)));
  if (!due && !wanted.includes(true)) return;

  const open = () => connect(config.DATABASE_URL, SUM_LIMIT_MS).db;
  const summed = await done('sum', () => sumDue(open, new Date(now), { maxDays: MAX_DAYS_A_TICK, confirms: true }));
  const kept = await done('retention', () =>
    keepRetention(connect(config.DATABASE_URL, RETENTION_LIMIT_MS).db, new Date(now), config.RETENTION_DAYS),
  );
  await done('vacuum', () => vacuumDaily(open, new Date(now)));
  if (kept !== undefined && kept.created.length + kept.dropped.length + kept.held.length > 0) {
    log('retention', { created: kept.created.join(), dropped: kept.dropped.join(), held: kept.held.join() });
  }
  if (summed?.left === 0 && kept?.complete) await done('mark-done', () => markDone(kv, now));
  for (const { name, run } of jobs) await done(name, run);
}

/** When KV does not answer, what it would say is not known: working for nothing costs little, not working may cost much. */
const askedSafely = async (job: string, ask: () => Promise<boolean>) => (await done(`${job}-due`, ask)) ?? true;

async function done<T>(job: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    log('tick-job-failed', { job, ...errorFields(error) });
    return undefined;
  }
}
