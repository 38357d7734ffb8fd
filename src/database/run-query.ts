/** How every report reaches Neon. Import the files of this folder lazily (`await import`): drizzle costs start-up time. */
import { sql } from 'drizzle-orm';
import type { RunnableQuery } from 'drizzle-orm/runnable-query';
import type { Config } from '../platform/config.ts';
import { connect, type Database } from './connect.ts';
import { DatabaseUnavailable } from './unavailable.ts';

/** Somebody waits for the answer; what takes longer should be asked for a shorter time. */
export const REPORT_LIMIT_MS = 10_000;

/** Runs one query, alone in its transaction. */
export type RunQuery = <Result>(query: RunnableQuery<Result, 'pg'>) => Promise<Result>;

/**
 * Asks through one connection, of which everything is aborted after `limitMs`, in Postgres too: aborting a request alone
 * leaves its statement running there. Throws {@link DatabaseUnavailable} for all that goes wrong in `question`, so let it do
 * nothing but ask.
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
 * Just-in-time compilation and parallel workers take longer than the report when the planner expects too many rows (measured:
 * 1.8 s of 3.7, and 230 ms where one process takes 60). By the preset cost of random pages, which is that of a disk with
 * heads, it reads a month from end to end for a week of it. Sorting at the preset 4 MB of memory happens on disk.
 */
const settings = (limitMs: number) =>
  sql.raw(`select set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
    set_config('random_page_cost', '1.1', true), set_config('work_mem', '32MB', true),
    set_config('statement_timeout', '${Math.ceil(limitMs)}', true)`);
