/** Keeps what is kept and no longer: makes the months ahead, drops the months past retention, deletes what follows them. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { errorFields, log } from '../log.ts';
import {
  createMonths,
  existingMonths,
  isPast,
  keptMonths,
  LOCK_TIMEOUT,
  type Month,
  upcomingMonths,
} from './partitions.ts';

/**
 * Who changed whose roles is asked long after sign-ins are forgotten: audit trails are commonly kept for a year (PCI DSS
 * 10.5.1 asks for twelve months), and whoever looks into the whole of last year needs some weeks more. Longer when
 * RETENTION_DAYS is.
 */
export const CHANGES_RETENTION_DAYS = 400;
const DAY_MS = 86_400_000;

export interface Kept {
  /** Names of the partitions made and dropped. */
  readonly created: readonly string[];
  readonly dropped: readonly string[];
  /** Past retention but not dropped: they hold attempts that no sum has counted yet, or somebody held the lock. */
  readonly held: readonly string[];
  /** False when a part failed, which is in the log: keep retention again soon. */
  readonly complete: boolean;
}

/**
 * Makes the months ahead, drops those whose last day is more than `retentionDays` ago (so an attempt lives that long and up
 * to a month longer), and deletes the people of dropped hours and old changes. Never throws: a part that fails, such as a
 * lock that did not come within 2 s, is logged and the others go on.
 */
export async function keepRetention(db: Database, now: Date, retentionDays: number): Promise<Kept> {
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
    await part(`drop ${month.name}`, () => dropWhenSummed(db, month));
  }
  await part('people', () => deletePeople(db, keptMonths(now, retentionDays).from));
  await part('changes', () => deleteChanges(db, now, Math.max(CHANGES_RETENTION_DAYS, retentionDays)));

  const after = (await part('list', () => existingMonths(db))) ?? before;
  const namesOf = (months: readonly Month[], others: readonly Month[]) =>
    months.map(({ name }) => name).filter((name) => others.every((other) => other.name !== name));
  const held = after.filter((month) => isPast(month, now, retentionDays)).map(({ name }) => name);
  return { created: namesOf(after, before), dropped: namesOf(before, after), held, complete };
}

/**
 * Drops a month unless it holds an attempt that is in no sum. Dropping needs the lock on `attempts` anyway; taking it first
 * means that every insert into this month has ended when its rows are looked at, and that no insert can deadlock with us.
 * While sums are stopped `written_in` says nothing, so nothing is dropped.
 */
async function dropWhenSummed(db: Database, { name }: Month): Promise<void> {
  const drop: SQL = sql.raw(`
    do $$ begin
      if to_regclass('${name}') is not null
        and (select summed_before <= pg_snapshot_xmax(pg_current_snapshot()) from summing_progress)
        and not exists (select from ${name} where written_in >= (select summed_before from summing_progress))
      then drop table ${name};
      end if;
    end $$`);
  await db.batch([
    db.execute(LOCK_TIMEOUT),
    db.execute(sql`lock table only attempts in access exclusive mode`),
    db.execute(drop),
  ]);
}

/** At most a day of people a statement: a month at once could take longer than a statement may. */
async function deletePeople(db: Database, before: Date): Promise<void> {
  for (;;) {
    const { rowCount } = await db.execute(sql`
      delete from hourly_people where hour < ${before.toISOString()}::timestamptz
        and hour < (select min(hour) from hourly_people) + interval '1 day'`);
    if (!rowCount) return;
  }
}

async function deleteChanges(db: Database, now: Date, days: number): Promise<void> {
  const before = new Date(now.getTime() - days * DAY_MS);
  await db.execute(sql`delete from changes where occurred_at < ${before.toISOString()}::timestamptz`);
}
