/** The monthly partitions of `attempts`: names and bounds, existing partitions, and their creation. */
import { type SQL, sql } from 'drizzle-orm';
import { DAY_MS } from '../platform/duration.ts';
import type { Database } from './connect.ts';

/** A calendar month in UTC and its partition: from `from` (inclusive) to `to` (exclusive). */
export interface Month {
  readonly name: string;
  readonly from: Date;
  readonly to: Date;
}

/** Months of future partitions. The cron may fail for a quarter before an insert must create a partition. */
const MONTHS_AHEAD = 3;
const NAME = /^attempts_(\d{4})_(0[1-9]|1[0-2])$/;

/** Limits the wait of DDL for its lock. While DDL waits for a slow report, every insert waits behind it. */
export const lockTimeout = (ms: number) => sql.raw(`set local lock_timeout = '${ms}ms'`);
export const LOCK_TIMEOUT = lockTimeout(2_000);

/** The month of an instant. */
export function monthOf(instant: Date): Month {
  return month(instant.getUTCFullYear(), instant.getUTCMonth());
}

/** Parses the name of a partition; undefined when it is not a monthly partition. */
export function monthNamed(name: string): Month | undefined {
  const parts = NAME.exec(name);
  return parts === null ? undefined : month(Number(parts[1]), Number(parts[2]) - 1);
}

/** Whether a month is past retention: its last day is more than `retentionDays` ago. */
export function isPast({ to }: Month, now: Date, retentionDays: number): boolean {
  return to.getTime() + retentionDays * DAY_MS <= now.getTime();
}

/**
 * The range of months that are retained: from the oldest month within retention to the end of the third month after
 * `now` (exclusive). An attempt outside the range is refused, and no partition is created for it.
 */
export function retainedMonths(now: Date, retentionDays: number): { readonly from: Date; readonly to: Date } {
  const { from } = monthOf(new Date(now.getTime() - retentionDays * DAY_MS));
  return { from, to: month(now.getUTCFullYear(), now.getUTCMonth() + MONTHS_AHEAD).to };
}

/** Whether an instant is in a retained month. The consumer checks it before it creates a partition. */
export function isRetained(instant: Date, now: Date, retentionDays: number): boolean {
  const { from, to } = retainedMonths(now, retentionDays);
  return instant >= from && instant < to;
}

/** The months whose partitions must exist: the month of `now` and the next three. */
export function upcomingMonths(now: Date): Month[] {
  return Array.from({ length: MONTHS_AHEAD + 1 }, (_, ahead) => month(now.getUTCFullYear(), now.getUTCMonth() + ahead));
}

/** The months that have a partition, oldest first. Partitions with other names are ignored. */
export async function existingMonths(db: Database): Promise<Month[]> {
  const { rows } = await db.execute<{ name: string }>(sql`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'attempts'::regclass order by 1`);
  return rows.map(({ name }) => monthNamed(name)).filter((found) => found !== undefined);
}

/**
 * Creates the missing partitions for these instants in one transaction. An advisory lock serialises concurrent calls:
 * with `if not exists` alone, the second would fail on the uncommitted table of the first. Throws Postgres errors, such
 * as 55P03 when the lock times out; the caller may retry.
 */
export async function createMonths(db: Database, instants: readonly Date[]): Promise<void> {
  const months = new Map(instants.map((instant) => [monthOf(instant).name, monthOf(instant)]));
  if (months.size === 0) return;
  await db.batch([
    db.execute(LOCK_TIMEOUT),
    db.execute(sql`select pg_advisory_xact_lock(hashtextextended('gatehouse: partitions of attempts', 0))`),
    ...[...months.values()].map((missing) => db.execute(createSql(missing))),
  ]);
}

/** The bounds name their time zone. Otherwise Postgres would use the session's. */
function createSql({ name, from, to }: Month): SQL {
  return sql.raw(
    `create table if not exists ${name} partition of attempts for values from ('${bound(from)}') to ('${bound(to)}')`,
  );
}

const bound = (instant: Date) => instant.toISOString().replace('.000Z', 'Z');

function month(year: number, monthIndex: number): Month {
  const from = new Date(Date.UTC(year, monthIndex));
  const name = `attempts_${from.getUTCFullYear()}_${String(from.getUTCMonth() + 1).padStart(2, '0')}`;
  return { name, from, to: new Date(Date.UTC(year, monthIndex + 1)) };
}
