/** `npm run simulate -- --days N`: which database may get a made-up past, and what is said about it. */

import { findDatabaseUrl } from '../../cli/database-url.ts';
import { rootCauseOf } from '../../cli/driver-error.ts';
import { CommandRefusal } from '../../cli/refusal.ts';
import { isLoopback } from '../../database/loopback.ts';
import { readConfig, SAMPLE_CREDENTIALS } from '../../platform/config.ts';
import { printLine, type Streams } from '../run-program.ts';
import { CUT_OFF_EXIT_CODE } from './live.ts';
import { fillPast } from './past/fill-past.ts';
import { DEFAULT_URL } from './target.ts';

const SETTINGS = {
  LOCAL: 'yes',
  /** Signs the support codes of a made-up past, the same at every run. */
  SUPPORT_CODE_KEY: 'for the made-up past of npm run simulate alone',
  /** The longest that the setting allows: a machine that is busy elsewhere must not become part of the past. */
  DECISION_TIMEOUT_MS: '4500',
};

export interface PastRequest {
  readonly people: number;
  readonly seed: number;
  readonly days: number;
  readonly databaseUrl: string | undefined;
  readonly stop: AbortSignal;
}

/** Returns the exit code. */
export async function playPast({ databaseUrl, ...request }: PastRequest, io: Streams): Promise<number> {
  const { people, seed, days, stop } = request;
  const found = findDatabaseUrl(databaseUrl);
  if (!found.ok) throw new CommandRefusal(found.problem, 2);
  if (!isLoopback(new URL(found.url).hostname)) {
    throw new CommandRefusal(
      `--days writes only into a database on this machine, and this one is not: ${found.name}. ` +
        'Made-up attempts could not be told from real ones there, and could not be taken out of its sums again.',
      2,
    );
  }
  const config = readConfig({ ...SETTINGS, DATABASE_URL: found.url });
  const kept = config.RETENTION_DAYS;
  if (days > kept)
    throw new CommandRefusal(`--days ${days} is too many: attempts are kept for ${kept} days (RETENTION_DAYS).`, 2);
  printLine(io, `Filling ${days} days with ${people} people (seed ${seed}) in ${found.name}`);
  const startedAt = performance.now();
  const filled = await fillPast(config, { ...request, nowMs: Date.now() }).catch((error: unknown) => {
    throw new CommandRefusal(`${adviceOn(error)} What is written stays; running this again adds the rest.`);
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const [first, last] = [filled.from.toISOString(), filled.to.toISOString()];
  const known = filled.already === 0 ? '' : `, ${filled.already} were there already from an earlier run`;
  if (stop.aborted) printLine(io, 'Cut off; running this again adds the rest.');
  printLine(
    io,
    `${filled.written} attempts written${known}: ${first} to ${last}, in ${seconds} s.
Reports count them at once. The sums follow with the first tick of the cron after the next call, or within a day.
See them: curl -s -u ${SAMPLE_CREDENTIALS.reports} '${DEFAULT_URL}/reports/summary?from=${first.slice(0, 10)}&interval=day'`,
  );
  return stop.aborted ? CUT_OFF_EXIT_CODE : 0;
}

/** What went wrong, and what to do about it where we know. */
function adviceOn(error: unknown): string {
  const { code, message } = rootCauseOf(error);
  if (code === '42P01') return 'This database has no tables of Gatehouse: run npm run migrate first.';
  if (code === 'TimeoutError') return 'The database took longer than a minute to answer.';
  if (code === 'ECONNREFUSED') return 'The database does not answer: start it with npm run dev.';
  return `The database says: ${message}${code === undefined ? '' : ` (${code})`}.`;
}
