/** How many rows of a list match. Import lazily, as run-query.ts. */
import { type SQL, sql } from 'drizzle-orm';
import type { Config } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import { runQuery } from './run-query.ts';
import { DatabaseUnavailable } from './unavailable.ts';

/** A person reads "more than 1,000" as "many". */
const MAX_COUNTED = 1_000;
/** So many rows are enough to know that there are more. */
export const COUNTED_ROWS = MAX_COUNTED + 1;
/** The count is beside the list, which is already known. */
const COUNT_LIMIT_MS = 1_000;

/** `isMore`: there are more than `count`. `leftOut`: why they were not counted, and what to do. */
export type Matches = { readonly count: number; readonly isMore: boolean } | { readonly leftOut: string };

export const NOT_COUNTED: Matches = {
  leftOut: 'Not counted, since that would take too long. Ask for a shorter period, or with more filters.',
};

export const matchesOf = (rows: number): Matches =>
  rows > MAX_COUNTED ? { count: MAX_COUNTED, isMore: true } : { count: rows, isMore: false };

/** Counts the rows of a `from` clause, which has at most {@link COUNTED_ROWS}. Never rejects for a slow database. */
export async function countMatches(config: Config, from: SQL): Promise<Matches> {
  const select = sql`select count(*)::int as count from ${from} as counted`;
  try {
    const { rows } = await runQuery(config, (db, run) => run(db.execute<{ count: number }>(select)), COUNT_LIMIT_MS);
    return matchesOf(Number(rows[0]?.count ?? 0));
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) throw error;
    log('count-left-out', errorFields(error));
    return NOT_COUNTED;
  }
}
