/** The jobs that run every five minutes, in order. */
import { sql } from 'drizzle-orm';
import { connect } from '../database/connect.ts';
import { keepRetention } from '../database/retention.ts';
import { configOf } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import { withTimeout } from '../platform/timeout.ts';
import { isDue, markDone } from './aggregates/due.ts';
import { sumDue } from './aggregates/sum-due.ts';
import { vacuumDaily } from './aggregates/vacuum.ts';
import type { DeskEnv } from './env.ts';
import { listDue, publishDue } from './policies/publish.ts';
import { isRekeyDue, rekey } from './rekey/rekey.ts';
import { snapshotSummary } from './reports/snapshot.ts';

/**
 * No part may wait for ever, and a tick ends within 30 s of the moment in which KV, the queue or Neon begins to hang:
 * at most one request of `requestMs`, one probe, and some operations of KV.
 */
const LIMITS = {
  /** An operation of KV. A mark that does not answer in time counts as due. */
  kvMs: 2_000,
  /** The first request to Neon, which may wake it (1 to 2 s). */
  wakeMs: 10_000,
  /** A request: one day, or the vacuum. A day of some million attempts fits; `npm run sums` sums a larger one. */
  requestMs: 20_000,
  /** Retention is several statements: each lock may take 2 s, and each day of people a few seconds. */
  retentionMs: 20_000,
  /** Asks whether Neon still answers, after a failure. */
  probeMs: 3_000,
  /** A job after the sums. */
  jobMs: 15_000,
};
export type TickLimits = typeof LIMITS;

/** A day is one request of the 50 that Workers' free plan allows. The rest waits for the next tick. */
const MAX_DAYS_A_TICK = 20;

/** Work after sums and retention. Two runs may overlap, so `run` must be idempotent. */
export interface Job {
  /** Name in the log, in kebab-case. */
  readonly name: string;
  /** The job asks Neon. It does not run after a job to which Neon did not answer. */
  readonly asksNeon?: boolean;
  /** True when the job has to wake Neon. Without it, the job runs only when Neon is awake for other work. */
  readonly wakes?: () => Promise<boolean>;
  readonly run: () => Promise<unknown>;
}

/**
 * Publishes a policy that an outage left unpublished, writes the snapshot of the summary for the next outage, and moves
 * records of people to the newest `EMAIL_KEY`.
 */
export const jobsAfterSums = (env: DeskEnv, now: number): readonly Job[] => [
  {
    name: 'policy-publish',
    asksNeon: true,
    wakes: async () => (await listDue(env.GATEHOUSE, 1)).length > 0,
    run: async () => publishDue(env.GATEHOUSE, (await import('./policies/versions.ts')).versionsIn(configOf(env)), now),
  },
  { name: 'summary-snapshot', asksNeon: true, run: () => snapshotSummary(env, now) },
  {
    name: 'rekey',
    wakes: () => isRekeyDue(env.GATEHOUSE, configOf(env).EMAIL_KEY, now),
    run: () => rekey(env.GATEHOUSE, configOf(env).EMAIL_KEY, now),
  },
];

/**
 * One run at `now` (milliseconds since 1970): sums, retention and vacuum, then `jobs` in order. Nothing runs, so Neon
 * can sleep, when nothing was written, nothing waits and the last sum is less than a day old. Never throws: a failure
 * is logged, the other jobs run, and the next tick repeats a failed sum or retention. Once Neon does not answer, only
 * the jobs that do not ask it run. Runs may overlap.
 */
export async function runSchedule(
  env: DeskEnv,
  now: number,
  jobs = jobsAfterSums(env, now),
  limits: TickLimits = LIMITS,
): Promise<void> {
  const kv = env.GATEHOUSE;
  const { DATABASE_URL: url, RETENTION_DAYS: retentionDays } = configOf(env);
  if (url === '') return log('tick-skipped', { reason: 'DATABASE_URL is not set' });
  const { kvMs } = limits;
  const isWanted = async (name: string, wakes: Job['wakes']) =>
    wakes !== undefined && isDueOrUnknown(name, () => withTimeout(limits.jobMs, wakes));
  const [due, ...wanted] = await Promise.all([
    isDueOrUnknown('sums', () => withTimeout(kvMs, () => isDue(kv, now))),
    ...jobs.map(({ name, wakes }) => isWanted(name, wakes)),
  ]);
  if (!due && !wanted.includes(true)) return;

  let answers = true;
  const askingNeon = async <T>(job: string, work: () => Promise<T>, isWhole = (_: T) => true) => {
    if (!answers) return undefined;
    const result = await done(job, work);
    if (result === undefined || !isWhole(result))
      answers = (await done('probe', () => probe(url, limits.probeMs))) ?? false;
    return result;
  };
  let opened = 0;
  const open = () => connect(url, opened++ === 0 ? limits.wakeMs : limits.requestMs).db;
  const at = new Date(now);
  const summed = await askingNeon('sum', () => sumDue(open, at, { maxDays: MAX_DAYS_A_TICK, confirms: true }));
  const retain = () => keepRetention(connect(url, limits.retentionMs).db, at, retentionDays);
  const retention = await askingNeon('retention', retain, ({ complete }) => complete);
  await askingNeon('vacuum', () => vacuumDaily(open, at));
  if (retention !== undefined && retention.created.length + retention.dropped.length + retention.held.length > 0) {
    log('retention', {
      created: retention.created.join(),
      dropped: retention.dropped.join(),
      held: retention.held.join(),
    });
  }
  if (summed?.left === 0 && retention?.complete)
    await done('mark-done', () => withTimeout(kvMs, () => markDone(kv, now)));
  for (const { name, asksNeon, run } of jobs) {
    const limited = () => withTimeout(limits.jobMs, async () => (await run()) ?? true);
    await (asksNeon ? askingNeon(name, limited) : done(name, limited));
  }
}

/** Resolves to true when Neon answers. */
async function probe(url: string, limitMs: number): Promise<true> {
  await connect(url, limitMs).db.execute(sql`select 1`);
  return true;
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
