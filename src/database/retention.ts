/** Applies retention: creates future partitions, drops partitions past retention, and deletes dependent rows. */
import { lt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { DAY_MS } from '../platform/duration.ts';
import { errorFields, log } from '../platform/log.ts';
import type { Database } from './connect.ts';
import { createMonths, existingMonths, isPast, LOCK_TIMEOUT, type Month, upcomingMonths } from './partitions.ts';
import { forgetUsersBefore } from './retain-users.ts';
import { changes, erasedKeys, probes, refusedCalls } from './schema.ts';

/**
 * Days for which the audit log is retained, or RETENTION_DAYS if longer. PCI DSS 10.5.1 requires twelve months of audit
 * trails; the rest allows a review of a whole year after its end.
 */
export const CHANGES_RETENTION_DAYS = 400;

/**
 * Days after RETENTION_DAYS for which the digest of an erased key is retained: a message waits at most 14 days in each
 * of two queues, then RETENTION_DAYS as a dead letter. An attempt of before is outside all retained months then, too.
 */
const ERASED_KEYS_DAYS = 31;
/** Days for which the digest of an erased key is retained. */
export const erasedKeysRetentionDays = (retentionDays: number): number => retentionDays + ERASED_KEYS_DAYS;

export interface RetentionResult {
  /** Names of created and dropped partitions. */
  readonly created: readonly string[];
  readonly dropped: readonly string[];
  /** Partitions past retention that were not dropped: they or an older one have dirty hours, or a lock timed out. */
  readonly held: readonly string[];
  /** False when a part failed, as logged. Retry soon. */
  readonly complete: boolean;
}

/**
 * Creates future partitions, drops those whose last day is more than `retentionDays` ago (an attempt exists up to a
 * month longer), and deletes what follows from dropped months alone, old changes and old erased keys. Never throws: a
 * failed part, such as a lock timeout, is logged, and the other parts run.
 */
export async function keepRetention(db: Database, now: Date, retentionDays: number): Promise<RetentionResult> {
  let complete = true;
  const part = async <T>(name: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      complete = false;
      log('retention-part-failed', { part: name, ...errorFields(error) });
      return undefined;
    }
  };

  const before = (await part('list', () => existingMonths(db))) ?? [];
  const missing = upcomingMonths(now).filter(({ name }) => before.every((existing) => existing.name !== name));
  await part('create', () =>
    createMonths(
      db,
      missing.map(({ from }) => from),
    ),
  );
  for (const month of before.filter((existing) => isPast(existing, now, retentionDays))) {
    // Oldest first: aggregates before a dropped month are final.
    if (!(await part(`drop ${month.name}`, () => dropWhenSummed(db, month)))) break;
  }
  await part('visits', () => deleteVisits(db));
  await part('user-days', () => deleteUserDays(db));
  const changesDays = Math.max(CHANGES_RETENTION_DAYS, retentionDays);
  await part('changes', () => deleteBefore(db, changes, changes.occurredAt, now, changesDays));
  await part('refused-calls', () => deleteBefore(db, refusedCalls, refusedCalls.occurredAt, now, retentionDays));
  await part('probes', () => deleteBefore(db, probes, probes.occurredAt, now, retentionDays));
  const erasedDays = erasedKeysRetentionDays(retentionDays);
  await part('erased-keys', () => deleteBefore(db, erasedKeys, erasedKeys.erasedAt, now, erasedDays));

  const after = (await part('list', () => existingMonths(db))) ?? before;
  const namesOf = (months: readonly Month[], others: readonly Month[]) =>
    months.map(({ name }) => name).filter((name) => others.every((other) => other.name !== name));
  const held = after.filter((month) => isPast(month, now, retentionDays)).map(({ name }) => name);
  return { created: namesOf(after, before), dropped: namesOf(before, after), held, complete };
}

/**
 * Drops a month unless one of its hours is dirty; false when it was not dropped. The first check takes no lock, since
 * waiting for one blocks inserts. The second runs under the lock that the drop needs, which excludes inserts. The order
 * of locks is the same as in aggregation and inserts.
 */
async function dropWhenSummed(db: Database, month: Month): Promise<boolean> {
  const isHeld = async () => {
    const { rows } = await db.execute<{ held: boolean }>(sql`select ${isDirty(month)} as held`);
    return rows[0]?.held ?? true;
  };
  if (await isHeld()) return false;
  const { name, from, to } = month;
  // A value never outlives its attempt: when this fails, the month stays for the next run.
  await forgetUsersBefore(db, to);
  await db.batch([
    db.execute(LOCK_TIMEOUT),
    db.execute(sql`select until from summed_until for update`),
    db.execute(sql`lock table only attempts in access exclusive mode`),
    db.execute(sql`do $$ begin
      if to_regclass(${literal(name)}) is not null and not ${isDirty(month)} then
        drop table ${sql.raw(name)};
        delete from dirty_hours where hour >= ${instant(from)} and hour < ${instant(to)};
        update summed_until set dropped_before = greatest(dropped_before, ${instant(to)});
      end if;
    end $$`),
  ]);
  return !(await isHeld());
}

/** Whether a month has hours that are not aggregated yet. */
const isDirty = ({ from, to }: Month): SQL => sql`(
  (select until from summed_until) < ${instant(to)} or exists (
    select from dirty_hours where marks > summed and hour >= ${instant(from)} and hour < ${instant(to)}))`;

/** Trusted names and instants as SQL text: `do` does not accept parameters. */
const literal = (name: string): SQL => sql.raw(`'${name}'`);
const instant = (at: Date): SQL => sql.raw(`'${at.toISOString()}'::timestamptz`);

/** Deletes at most a day of visits per statement. A month could exceed the statement timeout. */
async function deleteVisits(db: Database): Promise<void> {
  for (;;) {
    const { rowCount } = await db.execute(sql`
      delete from visits where hour < (select dropped_before from summed_until)
        and hour < (select min(hour) from visits) + interval '1 day'`);
    if (!rowCount) return;
  }
}

/** As {@link deleteVisits}. */
async function deleteUserDays(db: Database): Promise<void> {
  for (;;) {
    const { rowCount } = await db.execute(sql`
      delete from user_days where day < (select (dropped_before at time zone 'UTC')::date from summed_until)
        and day = (select min(day) from user_days)`);
    if (!rowCount) return;
  }
}

async function deleteBefore(db: Database, table: PgTable, at: PgColumn, now: Date, days: number): Promise<void> {
  await db.delete(table).where(lt(at, new Date(now.getTime() - days * DAY_MS)));
}
