/** The monthly partitions of `attempts`: their names and bounds (pure), which months exist, and making those that are missing. */

import { type SQL, sql } from 'drizzle-orm';
import { DAY_MS } from '../platform/duration.ts';
import type { Database } from './connect.ts';

/** A calendar month in UTC and the partition that holds it: instants from `from` (inclusive) to `to` (exclusive). */
export interface Month {
  readonly name: string;
  readonly from: Date;
  readonly to: Date;
}

/** Months are made this far ahead: the cron may stand still for a quarter before an insert has to make its own month. */
const MONTHS_AHEAD = 3;
const NAME = /^attempts_(\d{4})_(0[1-9]|1[0-2])$/;

/**
 * DDL waits this long for its lock. Behind a slow report it would otherwise wait for as long as the report runs, with every
 * insert queued behind it.
 */
export const LOCK_TIMEOUT = sql.raw(`set local lock_timeout = '2s'`);

/** The month an instant lies in. */
export function monthOf(instant: Date): Month {
  return month(instant.getUTCFullYear(), instant.getUTCMonth());
}

/** The month whose partition has this name; undefined when it is no name of ours. */
export function monthNamed(name: string): Month | undefined {
  const parts = NAME.exec(name);
  return parts === null ? undefined : month(Number(parts[1]), Number(parts[2]) - 1);
}

/** Whether a month is past retention: its last day is more than `retentionDays` ago, so nothing in it need be kept. */
export function isPast({ to }: Month, now: Date, retentionDays: number): boolean {
  return to.getTime() + retentionDays * DAY_MS <= now.getTime();
}

/**
 * The whole months whose attempts are kept: from the oldest that is not past retention (inclusive) to three months after that
 * of `now` (exclusive end). An attempt outside has no place, and no month is made for it.
 */
export function retainedMonths(now: Date, retentionDays: number): { readonly from: Date; readonly to: Date } {
  const { from } = monthOf(new Date(now.getTime() - retentionDays * DAY_MS));
  return { from, to: month(now.getUTCFullYear(), now.getUTCMonth() + MONTHS_AHEAD).to };
}

/** Whether an attempt of this instant lies in a month that is kept: what the consumer asks before it makes one. */
export function isRetained(instant: Date, now: Date, retentionDays: number): boolean {
  const { from, to } = retainedMonths(now, retentionDays);
  return instant >= from && instant < to;
}

/** The months that stand ready for inserts: that of `now` and the three after it. */
export function upcomingMonths(now: Date): Month[] {
  return Array.from({ length: MONTHS_AHEAD + 1 }, (_, ahead) => month(now.getUTCFullYear(), now.getUTCMonth() + ahead));
}

/** The months that have a partition, oldest first. Partitions under names that are not ours are left out. */
export async function existingMonths(db: Database): Promise<Month[]> {
  const { rows } = await db.execute<{ name: string }>(sql`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'attempts'::regclass order by 1`);
  return rows.map(({ name }) => monthNamed(name)).filter((found) => found !== undefined);
}

/**
 * Makes the partitions that hold these instants, in one transaction; those that exist are left alone. Two at once both
 * succeed: `if not exists` alone would let the second fail on the first one's uncommitted table, so they take turns.
 * Throws what Postgres says, such as 55P03 when the lock did not come in time: try again later.
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

/** The bounds name their zone: without it they would mean the session's. */
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
