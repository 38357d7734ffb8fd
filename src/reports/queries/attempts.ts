/** Attempts, newest first. Each look-up by person, code or correlation id names the partial index it wants. */
import { and, desc, eq, gte, lt, lte, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { occurredAtOf } from '../../attempts/bounds.ts';
import type { Config } from '../../config.ts';
import type { Database } from '../../database/connect.ts';
import { attempts } from '../../database/schema.ts';
import { type AttemptJson, attemptJson } from '../attempt-json.ts';
import { type Position, type Question, writeCursor } from '../cursor.ts';
import type { AttemptsPage, Filters } from '../questions.ts';
import { listFrom } from '../range.ts';
import { ask } from './ask.ts';
import { type AttemptRow, attemptColumns } from './columns.ts';

export const newestFirst = [desc(attempts.occurredAt), desc(attempts.id)];

/** A page of a list; `next` is absent on the last one. */
export interface AttemptList {
  readonly attempts: AttemptJson[];
  readonly next?: string;
}

/** One page. `now` is in milliseconds since 1970. */
export async function listAttempts(config: Config, page: AttemptsPage, now: number): Promise<AttemptList> {
  const from = listFrom(page.narrowed, page.after, now);
  const conditions = and(matching(page.narrowed), from && gte(attempts.occurredAt, from), following(page.after));
  const rows = await ask(config, (db) => newest(db, conditions, page.limit + 1));
  return pageOf(rows, page.limit, page.question, page.narrowed.from === undefined ? from : undefined);
}

/** The attempt with this UUIDv7, whose time leads to its partition. */
export async function findAttempt(config: Config, id: string): Promise<AttemptJson | undefined> {
  const at = new Date(occurredAtOf(id));
  const conditions = and(eq(attempts.occurredAt, at), eq(attempts.id, id));
  const [row] = await ask(config, (db) => newest(db, conditions, 1));
  return row && attemptJson(row);
}

const newest = (db: Database, conditions: SQL | undefined, limit: number): PromiseLike<AttemptRow[]> =>
  db
    .select(attemptColumns)
    .from(attempts)
    .where(conditions)
    .orderBy(...newestFirst)
    .limit(limit);

/** Cuts the row that was asked for beyond the page, which only says that there is a next one. */
export async function pageOf(
  rows: readonly AttemptRow[],
  limit: number,
  question: Question,
  from?: Date,
): Promise<AttemptList> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last ? { next: await writeCursor(question, { ...last, from }) } : {};
  return { attempts: shown.map(attemptJson), ...next };
}

/** Rows after a place in a list that runs newest first. The first condition is for the planner: it leaves partitions out. */
export const following = (after: Position | undefined): SQL | undefined =>
  after &&
  and(
    lte(attempts.occurredAt, after.occurredAt),
    sql`(${attempts.occurredAt}, ${attempts.id}) < (${after.occurredAt.toISOString()}::timestamptz, ${after.id}::uuid)`,
  );

const matching = (filters: Filters): SQL | undefined =>
  and(
    indexed(attempts.oidKey, filters.objectId),
    indexed(attempts.emailKey, filters.email),
    indexed(attempts.supportCode, filters.supportCode),
    indexed(attempts.correlationId, filters.correlationId),
    is(attempts.step, filters.step),
    is(attempts.outcome, filters.outcome),
    is(attempts.clientId, filters.clientId),
    is(attempts.issuer, filters.issuer),
    is(attempts.rule, filters.rule),
    filters.shadow && and(sql`${attempts.shadowVersion} > 0`, eq(attempts.shadowDiffers, filters.shadow === 'differs')),
    filters.to && lt(attempts.occurredAt, filters.to),
  );

/** `<> ''` stands there as a literal, since the planner takes a partial index only when it can prove its condition. */
export const indexed = (column: PgColumn, value: string | undefined): SQL | undefined =>
  value === undefined ? undefined : and(eq(column, value), sql`${column} <> ''`);

const is = (column: PgColumn, value: string | undefined): SQL | undefined =>
  value === undefined ? undefined : eq(column, value);
