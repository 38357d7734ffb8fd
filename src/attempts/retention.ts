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
 * Drops a month unless it holds an attempt that is in no sum. Asked twice: first without a lock, since waiting for one holds
 * up inserts; then under the lock that dropping needs anyway, when every insert into this month has ended and none can begin
 * (taken on `attempts` first, as inserts do, so that nobody deadlocks).
 */
async function dropWhenSummed(db: Database, month: Month): Promise<void> {
  const { rows } = await db.execute<{ summed: boolean }>(sql`select ${isSummed(month)} as summed`);
  if (!rows[0]?.summed) return;
  await db.batch([
    db.execute(LOCK_TIMEOUT),
    db.execute(sql`lock table only attempts in access exclusive mode`),
    db.execute(sql`do $$ begin
      if to_regclass(${literal(month.name)}) is not null then
        if ${isSummed(month)} then drop table ${sql.raw(month.name)}; end if;
      end if;
    end $$`),
  ]);
}

/** Whether every attempt of a month is in the sums. While sums are stopped `written_in` says nothing about that: false. */
const isSummed = ({ name }: Month): SQL => sql`(
  select summed_before <= pg_snapshot_xmax(pg_current_snapshot())
    and coalesce((select written_in from ${sql.raw(name)} order by written_in desc limit 1) < summed_before, true)
  from summing_progress)`;

/** A name of ours as SQL text: `do` takes no parameters. */
const literal = (name: string): SQL => sql.raw(`'${name}'`);

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
