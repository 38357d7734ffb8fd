/** The jobs that run every five minutes, in order. */
import { connect } from '../database/connect.ts';
import { keepRetention } from '../database/retention.ts';
import { configOf } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import { isDue, markDone } from './aggregates/due.ts';
import { sumDue } from './aggregates/sum-due.ts';
import { vacuumDaily } from './aggregates/vacuum.ts';
import type { DeskEnv } from './env.ts';
import { listDue, publishDue } from './policies/publish.ts';
import { snapshotSummary } from './reports/snapshot.ts';

/** Time limit of a request: one day, or the vacuum. */
const SUM_LIMIT_MS = 60_000;
/** A day is one request of the 50 that Workers' free plan allows. The rest waits for the next tick. */
const MAX_DAYS_A_TICK = 20;
/** Retention is several statements: each lock may take 2 s, and each day of people a few seconds. */
const RETENTION_LIMIT_MS = 60_000;

/** Work after sums and retention. Two runs may overlap, so `run` must be idempotent. */
export interface Job {
  /** Name in the log, in kebab-case. */
  readonly name: string;
  /** True when the job has to wake Neon. Without it, the job runs only when Neon is awake for other work. */
  readonly wakes?: () => Promise<boolean>;
  readonly run: () => Promise<unknown>;
}

/** Publishes a policy that an outage left unpublished, then writes the snapshot of the summary for the next outage. */
const jobsAfterSums = (env: DeskEnv, now: number): readonly Job[] => [
  {
    name: 'policy-publish',
    wakes: async () => (await listDue(env.GATEHOUSE, 1)).length > 0,
    run: async () => publishDue(env.GATEHOUSE, (await import('./policies/versions.ts')).versionsIn(configOf(env)), now),
  },
  { name: 'summary-snapshot', run: () => snapshotSummary(env, now) },
];

/**
 * One run at `now` (milliseconds since 1970): sums, retention and vacuum, then `jobs` in order. Nothing runs, so Neon
 * can sleep, when nothing was written, nothing waits and the last sum is less than a day old. Never throws: a failure
 * is logged, the other jobs run, and the next tick repeats a failed sum or retention. Runs may overlap.
 */
export async function runSchedule(env: DeskEnv, now: number, jobs = jobsAfterSums(env, now)): Promise<void> {
  const kv = env.GATEHOUSE;
  const config = configOf(env);
  if (config.DATABASE_URL === '') return log('tick-skipped', { reason: 'DATABASE_URL is not set' });
  const due = await isDueOrUnknown('sums', () => isDue(kv, now));
  const wanted = await Promise.all(jobs.map(({ name, wakes }) => wakes !== undefined && isDueOrUnknown(name, wakes)));
  if (!due && !wanted.includes(true)) return;

  const open = () => connect(config.DATABASE_URL, SUM_LIMIT_MS).db;
  const summed = await done('sum', () => sumDue(open, new Date(now), { maxDays: MAX_DAYS_A_TICK, confirms: true }));
  const retention = await done('retention', () =>
    keepRetention(connect(config.DATABASE_URL, RETENTION_LIMIT_MS).db, new Date(now), config.RETENTION_DAYS),
  );
  await done('vacuum', () => vacuumDaily(open, new Date(now)));
  if (retention !== undefined && retention.created.length + retention.dropped.length + retention.held.length > 0) {
    log('retention', {
      created: retention.created.join(),
      dropped: retention.dropped.join(),
      held: retention.held.join(),
    });
  }
  if (summed?.left === 0 && retention?.complete) await done('mark-done', () => markDone(kv, now));
  for (const { name, run } of jobs) await done(name, run);
}

/** True when KV does not answer: an unnecessary run costs little, a missing one may cost much. */
const isDueOrUnknown = async (job: string, ask: () => Promise<boolean>) => (await done(`${job}-due`, ask)) ?? true;

async function done<T>(job: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    log('tick-job-failed', { job, ...errorFields(error) });
    return undefined;
  }
}
