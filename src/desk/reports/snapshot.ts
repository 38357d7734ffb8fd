/** The unfiltered summary of the last seven days in Workers KV, for when Neon does not answer. */

import * as z from 'zod/mini';
import { configOf } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { withTimeout } from '../../platform/timeout.ts';
import type { DeskEnv } from '../env.ts';
import { summaryRange } from './range.ts';
import type { Summary } from './summary.ts';

const SNAPSHOT_KEY = 'summary:latest';
/** The cron has time: a summary that is late is still better than none. */
const SNAPSHOT_LIMIT_MS = 30_000;
const DAY_SECONDS = 86_400;

/** As much of a {@link Summary} as its readers cannot do without; an older version may have written it. */
const written = z.looseObject({
  asOf: z.iso.datetime(),
  totals: z.looseObject({ attempts: z.number() }),
  series: z.array(z.looseObject({ start: z.iso.datetime(), attempts: z.number() })),
  coverage: z.array(z.string()),
});

/**
 * For the cron, after the sums: writes what `GET /reports/summary` without parameters would answer at `now` (milliseconds
 * since 1970) to KV, for as long as attempts are kept. Throws DatabaseUnavailable, or what KV throws.
 */
export async function snapshotSummary(env: DeskEnv, now: number): Promise<void> {
  const config = configOf(env);
  const range = summaryRange({}, now);
  if (typeof range === 'string') throw new Error(range);
  const { summary } = await import('./queries/summary-counts.ts');
  const latest = await summary(config, range, {}, now, { ms: SNAPSHOT_LIMIT_MS });
  await env.GATEHOUSE.put(SNAPSHOT_KEY, JSON.stringify(latest), {
    expirationTtl: config.RETENTION_DAYS * DAY_SECONDS,
  });
}

/** The last snapshot, marked stale; undefined when there is none or KV does not answer within `KV_TIMEOUT_MS`. */
export async function readSnapshot(env: DeskEnv): Promise<Summary | undefined> {
  try {
    const text = await withTimeout(configOf(env).KV_TIMEOUT_MS, () => env.GATEHOUSE.get(SNAPSHOT_KEY));
    if (text === null) return undefined;
    const value: unknown = JSON.parse(text);
    written.parse(value);
    return stale(value as Summary);
  } catch (error) {
    log('snapshot-unreadable', errorFields(error));
    return undefined;
  }
}

const stale = (latest: Summary): Summary => ({
  ...latest,
  stale: true,
  coverage: [
    `The database does not answer at the moment: these are the numbers of ${latest.asOf}.`,
    ...latest.coverage,
  ],
});
