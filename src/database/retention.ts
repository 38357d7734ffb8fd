/** Keeps what is kept and no longer: makes the months ahead, drops the months past retention, deletes what follows them. */

import { type SQL, sql } from 'drizzle-orm';
import { DAY_MS } from '../platform/duration.ts';
import { errorFields, log } from '../platform/log.ts';
import type { Database } from './connect.ts';
import { createMonths, existingMonths, isPast, LOCK_TIMEOUT, type Month, upcomingMonths } from './partitions.ts';

/**
 * Who changed whose roles is asked long after sign-ins are forgotten: audit trails are commonly kept for a year (PCI DSS
 * 10.5.1 asks for twelve months), and whoever looks into the whole of last year needs some weeks more. Longer when
 * RETENTION_DAYS is.
 */
export const CHANGES_RETENTION_DAYS = 400;

export interface RetentionResult {
  /** Names of the partitions made and dropped. */
  readonly created: readonly string[];
  readonly dropped: readonly string[];
  /** Past retention but not dropped: they have dirty hours, an older month is held, or a lock was not granted. */
  readonly held: readonly string[];
  /** False when a part failed, which is in the log: keep retention again soon. */
  readonly complete: boolean;
}

/**
 * Makes the months ahead, drops those whose last day is more than `retentionDays` ago (so an attempt lives that long and up
 * to a month longer), and deletes the visits of dropped months and old changes. Never throws: a part that fails, such as a
 * lock that did not come within 2 s, is logged and the others go on.
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
    // In their order, since what lies before a dropped month is final.
    if (!(await part(`drop ${month.name}`, () => dropWhenSummed(db, month)))) break;
  }
  await part('visits', () => deleteVisits(db));
  await part('changes', () => deleteChanges(db, now, Math.max(CHANGES_RETENTION_DAYS, retentionDays)));

  const after = (await part('list', () => existingMonths(db))) ?? before;
  const namesOf = (months: readonly Month[], others: readonly Month[]) =>
    months.map(({ name }) => name).filter((name) => others.every((other) => other.name !== name));
  const held = after.filter((month) => isPast(month, now, retentionDays)).map(({ name }) => name);
  return { created: namesOf(after, before), dropped: namesOf(before, after), held, complete };
}

/**
 * Drops a month unless one of its hours is dirty. Asked twice: first without a lock, since waiting for one holds up inserts;
 * then under the lock that dropping needs anyway, when every insert into this month has ended and none can begin. Locks are
 * taken in the order in which sums and inserts take them. False when the month is held.
 */
async function dropWhenSummed(db: Database, month: Month): Promise<boolean> {
  const isHeld = async () => {
    const { rows } = await db.execute<{ held: boolean }>(sql`select ${isDirty(month)} as held`);
    return rows[0]?.held ?? true;
  };
  if (await isHeld()) return false;
  const { name, from, to } = month;
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

/** Whether an hour of a month waits to be summed. */
const isDirty = ({ from, to }: Month): SQL => sql`(
  (select until from summed_until) < ${instant(to)} or exists (
    select from dirty_hours where marks > summed and hour >= ${instant(from)} and hour < ${instant(to)}))`;

/** Names and instants of ours as SQL text: `do` takes no parameters. */
const literal = (name: string): SQL => sql.raw(`'${name}'`);
const instant = (at: Date): SQL => sql.raw(`'${at.toISOString()}'::timestamptz`);

/** At most a day of visits a statement: a month at once could take longer than a statement may. */
async function deleteVisits(db: Database): Promise<void> {
  for (;;) {
    const { rowCount } = await db.execute(sql`
      delete from visits where hour < (select dropped_before from summed_until)
        and hour < (select min(hour) from visits) + interval '1 day'`);
    if (!rowCount) return;
  }
}

async function deleteChanges(db: Database, now: Date, days: number): Promise<void> {
  const before = new Date(now.getTime() - days * DAY_MS);
  await db.execute(sql`delete from changes where occurred_at < ${before.toISOString()}::timestamptz`);
}
