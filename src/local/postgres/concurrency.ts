/**
 * Runs writers, aggregation, marks, retention and readers of `src/` at the same time on one Postgres and checks the
 * result. PGlite cannot do this with its single connection.
 */

import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Message } from '../../attempts/attempt.ts';
import { connect } from '../../database/connect.ts';
import { createMonths, existingMonths, monthOf } from '../../database/partitions.ts';
import { keepRetention } from '../../database/retention.ts';
import { markAll } from '../../desk/aggregates/rebuild.ts';
import { sumDue } from '../../desk/aggregates/sum-due.ts';
import { writeMessages } from '../../desk/consume/write-messages.ts';
import { type Config, readConfig } from '../../platform/config.ts';
import { DAY_MS, HOUR_MS } from '../../platform/duration.ts';
import type { Finding } from './finding.ts';
import { leftBehind } from './left-behind.ts';
import { madeUpAttempts } from './made-up.ts';
import { insertQuery } from './open-transaction.ts';
import type { Served } from './served.ts';
import { newWriteTally, type WriteTally, whatHappened } from './write-tally.ts';

const REQUEST_LIMIT_MS = 60_000;
/** The maximum age of attempts. Writers do not reach all these hours at once, so some hours are clean. */
const LATE_HOURS = 40;
const CONSUMERS = 5;
const OPEN_TRANSACTIONS = 3;
/** More than in production, where two cron runs overlap only when one takes five minutes. */
const SUMS = 4;
/** The clock of the aggregation is ahead, so the hours that are written to are over. */
const AHEAD_MS = 3 * HOUR_MS;

/** Runs everything for `seconds` and returns the findings. The tables must be empty before; they are not afterwards. */
export async function runConcurrently(served: Served, seconds: number): Promise<Finding[]> {
  const started = new Date();
  const later = () => new Date(Date.now() + AHEAD_MS);
  const past = longPast(started);
  const end = started.getTime() + seconds * 1_000;
  const config = readConfig({ DATABASE_URL: served.url, LOCAL: 'yes' });
  const db = () => connect(served.url, REQUEST_LIMIT_MS).db;
  const tally = newWriteTally();

  /** Repeats `work` until the deadline. Errors are recorded and fail the check at the end. */
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
  // Five consumers find no partition for the current month. Each creates it, and none may fail.
  await Promise.all(times(CONSUMERS, () => consume(config, tally)));
  // Open transactions create no partitions.
  await createMonths(db(), [new Date(started.getTime() - (LATE_HOURS + 4) * HOUR_MS)]);
  // Without rows, retention would drop the month before the late writer starts.
  await served.pool.query(insertQuery(madeUpAttempts(50, past).map((attempt) => recorded(tally.lateWritten, attempt))));
  await Promise.all([
    ...times(CONSUMERS, () => until(end, () => consume(config, tally))),
    ...times(OPEN_TRANSACTIONS, () => until(end, () => openTransaction(served, tally))),
    until(end, () => writeLate(served, past, tally)),
    ...times(SUMS, () =>
      until(end, async () => {
        const { days } = await sumDue(db, later());
        tally.days += days;
        tally.sums++;
        await pause(20);
      }),
    ),
    ...times(2, () =>
      until(end, async () => {
        await read(served, tally);
        await pause(10);
      }),
    ),
    at(0.5, async () => {
      tally.marked += await markAll(db(), later());
    }),
    // Two at once, as in overlapping cron runs. Retention itself logs and retries a lock that it did not get.
    ...[0.2, 0.2, 0.4, 0.5, 0.7, 0.8].map((share) => at(share, () => keepRetention(db(), new Date(), 90))),
  ]);
  while ((await sumDue(db, later())).days > 0) await pause(10);
  await read(served, tally);
  await keepRetention(db(), new Date(), 90);
  const dropped = (await existingMonths(db())).every(({ name }) => name !== monthOf(past).name);
  return [...(await leftBehind(served, tally, monthOf(past).to, dropped)), ...whatHappened(tally, SUMS)];
}

/** The middle of a month past any retention, which is dropped while the late writer inserts into it. */
export function longPast(now: Date): Date {
  const { from } = monthOf(new Date(now.getTime() - 240 * DAY_MS));
  return new Date(from.getTime() + 15 * DAY_MS);
}

const recentTime = () => new Date(Date.now() - randomInt(LATE_HOURS) * HOUR_MS);

const recorded = (set: Set<string>, attempt: Message): Message => {
  set.add(attempt.id);
  return attempt;
};

/** Writes a batch as the consumer does. Some batches are delivered twice; failed ones are retried, as by the queue. */
async function consume(config: Config, tally: WriteTally): Promise<void> {
  const batch = madeUpAttempts(randomInt(1, 30), recentTime());
  for (let deliveries = randomInt(8) === 0 ? 2 : 1; deliveries > 0; ) {
    try {
      await writeMessages(config, batch, REQUEST_LIMIT_MS);
      deliveries--;
    } catch {
      tally.retried++;
    }
  }
  for (const attempt of batch) recorded(tally.written, attempt);
}

/** Stays open for up to 100 ms after its insert. One in three is rolled back. */
async function openTransaction(served: Served, tally: WriteTally): Promise<void> {
  const batch = madeUpAttempts(randomInt(2, 10), recentTime());
  const client = await served.pool.connect();
  try {
    await client.query('begin');
    await client.query(insertQuery(batch));
    await pause(randomInt(100));
    if (randomInt(3) === 0) {
      await client.query('rollback');
      tally.rolledBack += batch.length;
    } else {
      await client.query('commit');
      for (const attempt of batch) recorded(tally.written, attempt);
    }
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

/** Writes in bursts into the month that retention drops. After the drop, Postgres rightly refuses the rows (23514). */
async function writeLate(served: Served, past: Date, tally: WriteTally): Promise<void> {
  const batch = madeUpAttempts(3, past);
  await pause(randomInt(10) === 0 ? randomInt(1_500) : 5);
  try {
    await served.pool.query(insertQuery(batch));
    for (const attempt of batch) recorded(tally.lateWritten, attempt);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === '23514')) throw error;
    await pause(50);
  }
}

/** Checks that in one snapshot each clean hour has exact aggregates and each day equals the sum of its hours. */
async function read(served: Served, tally: WriteTally): Promise<void> {
  const { rows } = await served.pool.query<{ hours: string; wrong: string; days: string }>(
    `with clean as (
         select hour from dirty_hours where marks = summed and hour < (select until from summed_until)
       ), plain as (
         select date_trunc('hour', occurred_at, 'UTC') as hour, count(*) as attempts from attempts group by 1
       ), summed as (
         select hour, sum(attempts) as attempts from hourly_totals where dims = 0 group by hour
       ), by_day as (
         select (hour at time zone 'UTC')::date as day, sum(attempts) as attempts from hourly_totals where dims = 0 group by 1
       )
       select (select count(*) from clean) as hours,
         (select count(*) from clean left join plain using (hour) left join summed using (hour)
           where plain.attempts is distinct from summed.attempts) as wrong,
         (select count(*) from by_day full join (select day, sum(attempts) as attempts from daily_counts where dims = 7 group by day) as counts
           using (day) where by_day.attempts is distinct from counts.attempts
             and not exists (select from dirty_hours where marks > summed and (hour at time zone 'UTC')::date = day)) as days`,
  );
  for (const { hours, wrong, days } of rows) {
    if (wrong !== '0' || days !== '0') tally.wrongReads.push(`${wrong} of ${hours} hours and ${days} days differ`);
    tally.cleanHours += Number(hours);
  }
  tally.reads++;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? describe(error.cause) : error.message;
}
