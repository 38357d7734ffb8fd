/** The unfiltered summary of the last seven days in Workers KV, used when Neon does not answer. */
import * as z from 'zod/mini';
import { configOf } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { withTimeout } from '../../platform/timeout.ts';
import type { DeskEnv } from '../env.ts';
import { summaryRange } from './range.ts';
import type { Summary } from './summary.ts';

const SNAPSHOT_KEY = 'summary:latest';
/** Longer than for a request: a late snapshot is better than none. */
const LIMITS = { queryMs: 10_000, kvMs: 2_000 };
const DAY_SECONDS = 86_400;

/** The required part of a {@link Summary}. An older version may have written the snapshot. */
const snapshotSchema = z.looseObject({
  asOf: z.iso.datetime(),
  totals: z.looseObject({ attempts: z.number() }),
  series: z.array(z.looseObject({ start: z.iso.datetime(), attempts: z.number() })),
  coverage: z.array(z.string()),
});

/**
 * Writes the response of `GET /reports/summary` at `now` (milliseconds since 1970) to KV, for as long as attempts are
 * retained. The cron calls it after the sums. Throws DatabaseUnavailable, TimeoutError, or what KV throws.
 */
export async function snapshotSummary(env: DeskEnv, now: number, limits = LIMITS): Promise<void> {
  const config = configOf(env);
  const range = summaryRange({}, now);
  if (typeof range === 'string') throw new Error(range);
  const { summary } = await import('./queries/summary-counts.ts');
  const latest = await summary(config, range, {}, now, { ms: limits.queryMs });
  const expirationTtl = config.RETENTION_DAYS * DAY_SECONDS;
  await withTimeout(limits.kvMs, () => env.GATEHOUSE.put(SNAPSHOT_KEY, JSON.stringify(latest), { expirationTtl }));
}

/** The last snapshot, marked stale; undefined when there is none or KV does not answer within `KV_TIMEOUT_MS`. */
export async function readSnapshot(env: DeskEnv): Promise<Summary | undefined> {
  try {
    const text = await withTimeout(configOf(env).KV_TIMEOUT_MS, () => env.GATEHOUSE.get(SNAPSHOT_KEY));
    if (text === null) return undefined;
    const value: unknown = JSON.parse(text);
    snapshotSchema.parse(value);
    return stale(value as Summary);
  } catch (error) {
    log('snapshot-unreadable', errorFields(error));
    return undefined;
  }
}

const stale = (latest: Summary): Summary => ({
  ...latest,
  stale: true,
  coverage: [`The database does not answer. These numbers are from ${latest.asOf}.`, ...latest.coverage],
});
