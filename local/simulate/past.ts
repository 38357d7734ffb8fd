/** `npm run simulate -- --days N`: which database may get a made-up past, and what is said about it. */
import { readConfig, SAMPLE_CREDENTIALS } from '../../src/config.ts';
import { isLoopback } from '../../src/database/loopback.ts';
import { findDatabaseUrl } from '../commands/database-url.ts';
import { rootOf } from '../commands/driver-error.ts';
import { calledWrongly, Refusal } from '../commands/ending.ts';
import { CUT_OFF_EXIT_CODE } from './live.ts';
import { DAY_MS } from './past/calendar.ts';
import { type Filled, fillPast } from './past/fill.ts';
import { DEFAULT_URL } from './target.ts';

/** Signs the support codes of a made-up past, the same at every run. */
const SUPPORT_CODE_KEY = 'for the made-up past of npm run simulate alone';
/** The longest that the setting allows: a machine that is busy elsewhere must not become part of the past. */
const DECISION_TIMEOUT_MS = '4500';

export interface PastRequest {
  readonly people: number;
  readonly seed: number;
  readonly days: number;
  readonly databaseUrl: string | undefined;
  readonly stop: AbortSignal;
}

/** Returns the exit code. */
export async function playPast(request: PastRequest): Promise<number> {
  const { people, seed, days, stop } = request;
  const found = findDatabaseUrl(request.databaseUrl);
  if (!found.ok) throw new Refusal(found.problem, 2);
  if (!isLoopback(new URL(found.url).hostname)) {
    throw new Refusal(
      `--days writes only into a database on this machine, and this one is not: ${found.name}. ` +
        'Made-up attempts could not be told from real ones there, and nobody could take them out of its sums again.',
      2,
    );
  }
  const config = readConfig({ DATABASE_URL: found.url, SUPPORT_CODE_KEY, DECISION_TIMEOUT_MS, LOCAL: 'yes' });
  if (days > config.RETENTION_DAYS) {
    throw calledWrongly(
      `--days ${days} is too many: attempts are kept for ${config.RETENTION_DAYS} days (RETENTION_DAYS).`,
      'simulate',
    );
  }
  console.log(`Filling ${days} days with ${people} people (seed ${seed}) in ${found.name}`);
  const startedAt = performance.now();
  const filled = await fillPast(config, { people, seed, days, nowMs: Date.now(), stop }).catch((error: unknown) => {
    throw new Refusal(`${advice(error)} What is written stays; running this again adds the rest.`);
  });
  console.log(closingLines(filled, (performance.now() - startedAt) / 1_000, stop.aborted));
  return stop.aborted ? CUT_OFF_EXIT_CODE : 0;
}

function closingLines({ written, already, from, to }: Filled, seconds: number, cutOff: boolean): string {
  const range = `${from.toISOString()} to ${to.toISOString()}`;
  const known = already === 0 ? '' : `, ${already} were there already from an earlier run`;
  const asked = `from=${day(from)}&interval=day`;
  return `${cutOff ? 'Cut off; running this again adds the rest.\n' : ''}\
${written} attempts written${known}: ${range}, in ${seconds.toFixed(1)} s.
Reports count them at once. The hourly sums follow with the first tick of the cron after the next call, or within a day.
See them: curl -s -u ${SAMPLE_CREDENTIALS.reports} '${DEFAULT_URL}/reports/summary?${asked}'`;
}

const day = (instant: Date) => new Date(Math.floor(instant.getTime() / DAY_MS) * DAY_MS).toISOString().slice(0, 10);

/** What went wrong, and what to do about it where we know. */
function advice(error: unknown): string {
  const { code, message } = rootOf(error);
  if (code === '42P01') return 'This database has no tables of Gatehouse: run npm run migrate first.';
  if (code === 'TimeoutError') return 'The database took longer than a minute to answer.';
  if (code === 'ECONNREFUSED') return 'The database does not answer: start it with npm run dev.';
  return `The database says: ${message}${code === undefined ? '' : ` (${code})`}.`;
}
