/** Asks Postgres for an erasure: each request is one transaction with a limit, and fails as DatabaseUnavailable. */
import { type SQL, sql } from 'drizzle-orm';
import type { RunnableQuery } from 'drizzle-orm/runnable-query';
import { connect, type Database } from '../../../database/connect.ts';
import { DatabaseUnavailable } from '../../../database/unavailable.ts';

const LIMIT_MS = 15_000;

/** Runs one query, between others in the same transaction. */
export type AskPostgres = <Result>(
  query: (db: Database) => RunnableQuery<Result, 'pg'>,
  before?: readonly SQL[],
  after?: readonly SQL[],
) => Promise<Result>;

/**
 * The indexes of the keys are right for every query: a person is few rows of many. A writer's statement may hold the
 * lock on erased keys for as long as its own limit.
 */
const SETTINGS = sql.raw(`select set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true),
  set_config('max_parallel_workers_per_gather', '0', true), set_config('statement_timeout', '${LIMIT_MS}', true)`);

export const askPostgres =
  (databaseUrl: string): AskPostgres =>
  async <Result>(
    query: (db: Database) => RunnableQuery<Result, 'pg'>,
    before: readonly SQL[] = [],
    after: readonly SQL[] = [],
  ) => {
    try {
      if (databaseUrl === '') throw new Error('DATABASE_URL is not set');
      const { db } = connect(databaseUrl, LIMIT_MS);
      const results: unknown[] = await db.batch([
        db.execute(SETTINGS),
        ...before.map((statement) => db.execute(statement)),
        query(db),
        ...after.map((statement) => db.execute(statement)),
      ]);
      return results[before.length + 1] as Result;
    } catch (error) {
      throw new DatabaseUnavailable(error);
    }
  };
