/** `npm run simulate -- --days N`: chooses the database, writes past attempts and reports the result. */

import { findDatabaseUrl } from '../../cli/database-url.ts';
import { rootCauseOf } from '../../cli/driver-error.ts';
import { CommandRefusal } from '../../cli/refusal.ts';
import { isLoopback } from '../../database/loopback.ts';
import { readConfig } from '../../platform/config.ts';
import { SAMPLE_CREDENTIALS } from '../../platform/credential-settings.ts';
import { printLine, type Streams } from '../run-program.ts';
import { CUT_OFF_EXIT_CODE } from './live.ts';
import { fillPast, firstDayOf } from './past/fill-past.ts';
import { policyInForce } from './past/policy-in-force.ts';

const SETTINGS = {
  LOCAL: 'yes',
  /** Signs the support codes: the same in every run. */
  SUPPORT_CODE_KEY: 'for the made-up past of npm run simulate alone',
  /** The maximum, so that a busy machine causes no timeouts in past attempts. */
  DECISION_TIMEOUT_MS: '4500',
};

export interface PastRequest {
  readonly people: number;
  readonly seed: number;
  readonly days: number;
  readonly databaseUrl: string | undefined;
  readonly stop: AbortSignal;
}

/** Returns the exit code. Writes only to a database on this machine. */
export async function playPast({ databaseUrl, ...request }: PastRequest, io: Streams): Promise<number> {
  const { people, seed, days, stop } = request;
  const found = findDatabaseUrl(databaseUrl);
  if (!found.ok) throw new CommandRefusal(found.problem, 2);
  if (!isLoopback(new URL(found.url).hostname)) {
    throw new CommandRefusal(
      `--days writes only to a database on this machine, which ${found.name} is not. ` +
        'Made-up attempts could not be distinguished from real ones, or removed from the aggregates. Use a local database.',
      2,
    );
  }
  const config = readConfig({ ...SETTINGS, DATABASE_URL: found.url });
  const most = config.RETENTION_DAYS;
  if (days > most)
    throw new CommandRefusal(`--days ${days} is too many. Use at most ${most} days, the retention of attempts.`, 2);
  const nowMs = Date.now();
  const policy = await policyInForce(config, firstDayOf(days, nowMs));
  printLine(io, `Filling ${days} days with ${people} people (seed ${seed}) under ${policy.name} in ${found.name}`);
  const startedAt = performance.now();
  const filled = await fillPast(policy, { ...request, nowMs }).catch((error: unknown) => {
    throw new CommandRefusal(`${adviceOn(error)} Run this again to add the rest.`);
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const [first, last] = [filled.from.toISOString(), filled.to.toISOString()];
  const known = filled.already === 0 ? '' : `, ${filled.already} exist from an earlier run`;
  if (stop.aborted) printLine(io, 'Interrupted. Run this again to add the rest.');
  printLine(
    io,
    `${filled.written} attempts written${known}: ${first} to ${last}, in ${seconds} s.
Reports include them immediately. The cron aggregates them after the next call, or within a day.
Show them: ${showAt(found.gatehouse, `/reports/summary?from=${first.slice(0, 10)}&interval=day`)}`,
  );
  return stop.aborted ? CUT_OFF_EXIT_CODE : 0;
}

/** A command where the address of the Gatehouse is known, else the path. */
const showAt = (gatehouse: string | undefined, path: string) =>
  gatehouse === undefined ? `GET ${path}` : `curl -s -u ${SAMPLE_CREDENTIALS.reports} '${gatehouse}${path}'`;

/** The message of an error, with advice where the cause is known. */
function adviceOn(error: unknown): string {
  const { code, message } = rootCauseOf(error);
  if (code === '42P01') return 'The tables of Gatehouse are missing. Run npm run migrate first.';
  if (code === 'TimeoutError') return 'The database took longer than a minute to answer.';
  if (code === 'ECONNREFUSED') return 'The database does not answer. Start it with npm run dev.';
  return `The database failed: ${message}${code === undefined ? '' : ` (${code})`}.`;
}
