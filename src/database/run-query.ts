/** Runs the queries of reports. Import this folder lazily (`await import`): Drizzle costs start-up time. */
import { sql } from 'drizzle-orm';
import type { RunnableQuery } from 'drizzle-orm/runnable-query';
import type { Config } from '../platform/config.ts';
import { connect, type Database } from './connect.ts';
import { DatabaseUnavailable } from './unavailable.ts';

/** A person waits for the report. A slower query should cover a shorter time range. */
export const REPORT_LIMIT_MS = 10_000;

/** Runs one query in its own transaction. */
export type RunQuery = <Result>(query: RunnableQuery<Result, 'pg'>) => Promise<Result>;

/**
 * Runs queries on one client, with a timeout of `limitMs`. The timeout applies in Postgres too, since an aborted
 * request leaves its statement running. Every error in `question` becomes {@link DatabaseUnavailable}, so `question`
 * must only run queries.
 */
export async function runQuery<Answer>(
  { DATABASE_URL }: Config,
  question: (db: Database, run: RunQuery) => PromiseLike<Answer>,
  limitMs = REPORT_LIMIT_MS,
): Promise<Answer> {
  try {
    if (DATABASE_URL === '') throw new Error('DATABASE_URL is not set');
    const { db } = connect(DATABASE_URL, limitMs);
    return await question(db, async (query) => {
      const [, result] = await db.batch([db.execute(settings(limitMs)), query]);
      return result;
    });
  } catch (error) {
    throw new DatabaseUnavailable(error);
  }
}

/**
 * JIT compilation and parallel workers can cost more than the query when the planner overestimates rows (measured: 1.8
 * of 3.7 s; 230 ms instead of 60). The default `random_page_cost` is for spinning disks: Postgres would scan a whole
 * month for a week of it. The default `work_mem` of 4 MB makes sorts spill to disk.
 */
const settings = (limitMs: number) =>
  sql.raw(`select set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
    set_config('random_page_cost', '1.1', true), set_config('work_mem', '32MB', true),
    set_config('statement_timeout', '${Math.ceil(limitMs)}', true)`);
