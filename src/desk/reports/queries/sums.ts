/** How to query the aggregates: the set of dimensions with exactly the columns of a request, and its filters. */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import {
  attempts,
  type dailyCounts,
  type dailyDurations,
  type dailyShadow,
  dirtyHours,
  type hourlyTotals,
  summedUntil,
} from '../../../database/schema.ts';
import type { Days, Stretch } from '../parts.ts';
import type { Dimensions } from '../questions.ts';

/** Bits of `dims` (database/schema/aggregate-tables.ts). */
const DIMS = { clientId: 4, issuer: 2, rule: 1 } as const;
export type Dim = keyof typeof DIMS;

/** The set with the columns of these filters and breakdowns. */
export const dimsOf = (filters: Dimensions, ...breakdown: readonly Dim[]): number =>
  (Object.keys(DIMS) as Dim[])
    .filter((dim) => filters[dim] !== undefined || breakdown.includes(dim))
    .reduce((sum, dim) => sum + DIMS[dim], 0);

type Filtered = typeof attempts | typeof dailyCounts | typeof hourlyTotals | typeof dailyDurations | typeof dailyShadow;

/**
 * The filters as a condition on a table. `<> ''` is a literal, because the planner uses a partial index only if it can
 * prove the index's condition.
 */
export function matching(table: Filtered, { step, outcome, clientId, issuer, rule }: Dimensions): SQL | undefined {
  const is = (column: PgColumn, value: string | undefined) => (value === undefined ? undefined : eq(column, value));
  const named = (column: PgColumn, value: string | undefined) =>
    value === undefined ? undefined : and(eq(column, value), value === '' ? undefined : sql`${column} <> ''`);
  return and(
    is(table.step, step),
    outcome === undefined || outcome === 'continue'
      ? is(table.outcome, outcome)
      : and(is(table.outcome, outcome), sql`${table.outcome} <> 'continue'`),
    named(table.clientId, clientId),
    named(table.issuer, issuer),
    named(table.rule, rule),
  );
}

export const inDays = (table: typeof dailyCounts | typeof dailyDurations | typeof dailyShadow, { from, to }: Days) =>
  and(gte(table.day, from), lt(table.day, to));

/** Literals, so that the planner can prune partitions. */
export const inStretch = ({ from, to }: Stretch): SQL | undefined =>
  and(gte(attempts.occurredAt, from), lt(attempts.occurredAt, to));

export const instantSql = (at: Date): SQL => sql`${at.toISOString()}::timestamptz`;

export const epochSecondsOf = (instant: SQL): SQL => sql`extract(epoch from ${instant})::float8`;
/** Without the row, nothing is summed. */
export const untilSql: SQL = sql`coalesce((select ${summedUntil.until} from ${summedUntil}), '2000-01-01T00:00:00Z'::timestamptz)`;

/** How many hours of a range changed after they were aggregated. */
export const waitingHoursSql = ({ from, to }: Stretch): SQL =>
  sql`(select count(*) from ${dirtyHours} where ${and(
    sql`${dirtyHours.marks} > ${dirtyHours.summed}`,
    gte(dirtyHours.hour, from),
    lt(dirtyHours.hour, to),
    sql`${dirtyHours.hour} < ${untilSql}`,
  )})`;

export interface Progress {
  /** Hours before this are summed. */
  readonly until: Date;
  /** Attempts before this were dropped. */
  readonly droppedBefore: Date;
}

export async function progress(db: Database, run: RunQuery): Promise<Progress> {
  const { rows } = await run(
    db.execute<{ until: number; dropped: number }>(sql`
      select ${epochSecondsOf(untilSql)} as until, coalesce((select ${epochSecondsOf(sql`${summedUntil.droppedBefore}`)} from ${summedUntil}), 0) as dropped`),
  );
  return { until: at(rows[0]?.until), droppedBefore: at(rows[0]?.dropped) };
}

/** Converts seconds since 1970, as Postgres returns them. */
export const at = (seconds: number | string | undefined): Date => new Date(Math.round(Number(seconds ?? 0) * 1_000));
