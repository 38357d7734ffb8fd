/**
 * Writers, sums, a rebuild, retention and readers, all at once on one Postgres: what PGlite, with its one connection, cannot
 * show. `src/` does the work; here it is only started and looked at.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Message } from '../../../src/attempts/attempt.ts';
import { createMonths, existingMonths, monthOf } from '../../../src/attempts/partitions.ts';
import { keepRetention } from '../../../src/attempts/retention.ts';
import { writeMessages } from '../../../src/attempts/store.ts';
import { type Config, readConfig } from '../../../src/config.ts';
import { connect } from '../../../src/database/connect.ts';
import { rebuild } from '../../../src/summaries/rebuild.ts';
import { sum } from '../../../src/summaries/sum.ts';
import type { Finding } from './finding.ts';
import { leftBehind } from './left-behind.ts';
import { madeUpAttempts } from './made-up.ts';
import { insertQuery } from './open-transaction.ts';
import type { Served } from './served.ts';
import { newTally, type Tally, whatHappened } from './tally.ts';

const DAY_MS = 86_400_000;
const REQUEST_LIMIT_MS = 60_000;
const CONSUMERS = 5;
const OPEN_TRANSACTIONS = 3;
/** Far more than a cron makes: with three, forgetting `greatest` in the sum went unnoticed for 20 s; with ten it did not. */
const SUMS = 10;

/** Runs everything for so many seconds, then says what held. The database is empty but for its tables before, and not after. */
export async function runConcurrently(served: Served, seconds: number): Promise<Finding[]> {
  const started = new Date();
  const now = () => new Date();
  // Two thirds of a year back: past any retention, so that it is dropped under the hands of the late writer.
  const past = new Date(started.getTime() - 240 * DAY_MS);
  const end = started.getTime() + seconds * 1_000;
  const config = readConfig({ DATABASE_URL: served.url, LOCAL: 'yes' });
  const db = () => connect(served.url, REQUEST_LIMIT_MS).db;
  const tally = newTally();

  /** Repeats until the time is over. What it throws is noted, not fatal: at the end there must be nothing noted. */
  const until = async (deadline: number, work: () => Promise<unknown>): Promise<void> => {
    while (Date.now() < deadline) {
      await work().catch((error: unknown) => tally.errors.push(describe(error)));
    }
  };
  const times = (count: number, work: () => Promise<void>) => Array.from({ length: count }, work);
  const at = async (share: number, work: () => Promise<unknown>) => {
    await pause(share * seconds * 1_000);
    await work().catch((error: unknown) => tally.errors.push(describe(error)));
  };

  await Promise.all(times(4, () => createMonths(db(), [past])));
  // Five at once that find no month for now: each makes it, and none may fail.
  await Promise.all(times(CONSUMERS, () => consume(config, tally)));
  // Otherwise retention would drop the month before anybody has written there.
  await served.pool.query(insertQuery(madeUpAttempts(50, past).map((attempt) => noted(tally.lateWritten, attempt))));
  await Promise.all([
    ...times(CONSUMERS, () => until(end, () => consume(config, tally))),
    ...times(OPEN_TRANSACTIONS, () => until(end, () => openTransaction(served, tally))),
    until(end, () => writeLate(served, past, tally)),
    ...times(SUMS, () =>
      until(end, async () => {
        const { summed } = await sum(db());
        tally.summed += summed;
        tally.sums++;
      }),
    ),
    ...times(2, () => reader(served, started, end, tally)),
    ...[0.3, 0.6, 0.9].map((share) =>
      at(share, async () => {
        await rebuild(db);
        tally.rebuilds++;
      }),
    ),
    // Two at once, as two overlapping ticks would; a lock that does not come is retention's own to log and to try again.
    ...[0.2, 0.2, 0.4, 0.5, 0.7, 0.8].map((share) => at(share, () => keepRetention(db(), now(), 90))),
  ]);
  while ((await sum(db())).waiting) await pause(100);
  await keepRetention(db(), now(), 90);
  const dropped = (await existingMonths(db())).every(({ name }) => name !== monthOf(past).name);
  return [...(await leftBehind(served, tally, past, dropped)), ...whatHappened(tally, SUMS)];
}

const noted = (set: Set<string>, attempt: Message): Message => {
  set.add(attempt.id);
  return attempt;
};

/** The consumer's own write, delivered twice now and then; what fails is delivered again, as the queue would. */
async function consume(config: Config, tally: Tally): Promise<void> {
  const batch = madeUpAttempts(randomInt(1, 30), new Date());
  for (let deliveries = randomInt(8) === 0 ? 2 : 1; deliveries > 0; ) {
    try {
      await writeMessages(config, batch, REQUEST_LIMIT_MS);
      deliveries--;
    } catch {
      tally.retried++;
    }
  }
  for (const attempt of batch) noted(tally.written, attempt);
}

/** Kept open for up to a second between two inserts, and rolled back one time in three. */
async function openTransaction(served: Served, tally: Tally): Promise<void> {
  const batch = madeUpAttempts(randomInt(2, 10), new Date());
  const client = await served.pool.connect();
  try {
    await client.query('begin');
    await client.query(insertQuery(batch.slice(0, 1)));
    await pause(randomInt(1_000));
    await client.query(insertQuery(batch.slice(1)));
    if (randomInt(3) === 0) {
      await client.query('rollback');
      tally.rolledBack += batch.length;
    } else {
      await client.query('commit');
      for (const attempt of batch) noted(tally.written, attempt);
    }
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

/** Into the month that retention wants to drop, in bursts, so that it can. Once it is gone there is no place for such rows, which is right. */
async function writeLate(served: Served, past: Date, tally: Tally): Promise<void> {
  const batch = madeUpAttempts(3, past);
  if (randomInt(10) === 0) await pause(randomInt(1_500));
  try {
    await served.pool.query(insertQuery(batch));
    for (const attempt of batch) noted(tally.lateWritten, attempt);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === '23514')) throw error;
    await pause(50);
  }
}

/** Reads as reports do: progress, sums and the rows since, in one snapshot; at any moment that is every row. */
async function reader(served: Served, since: Date, end: number, tally: Tally): Promise<void> {
  const from = new Date(since.getTime() - 30 * DAY_MS).toISOString();
  let before = 0n;
  while (Date.now() < end) {
    const { rows } = await served.pool.query<Record<'progress' | 'counted' | 'timed' | 'plain', string>>(
      `with since as (select count(*) as rows from attempts, summing_progress where written_in >= summed_before and occurred_at >= $1)
       select summed_before::text as progress, (select count(*) from attempts where occurred_at >= $1)::text as plain,
         ((select coalesce(sum(attempts), 0) from hourly_counts where hour >= date_trunc('hour', $1, 'UTC')) + rows)::text as counted,
         ((select coalesce(sum(attempts), 0) from hourly_durations where hour >= date_trunc('hour', $1, 'UTC')) + rows)::text as timed
       from since, summing_progress`.replaceAll('$1', '$1::timestamptz'),
      [from],
    );
    for (const { progress, counted, timed, plain } of rows) {
      if (counted !== plain || timed !== plain) tally.wrongReads.push(`${counted} and ${timed} of ${plain}`);
      if (BigInt(progress) < before) tally.wrongReads.push(`progress went back from ${before} to ${progress}`);
      before = BigInt(progress);
    }
    tally.reads++;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? describe(error.cause) : error.message;
}
