/** A database in the test run's real Postgres, for one test file. */
import type { SQL } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { connect, type Database } from '../../src/database/connect.ts';
import { ownDatabase as makeDatabase } from '../../src/local/postgres/temporary-database.ts';
import { empty } from './own-database.ts';

const LIMIT_MS = 30_000;

/** Creates it before the file's tests and drops it after them. Every test begins with empty tables. */
export function realDatabase() {
  let own: Awaited<ReturnType<typeof makeDatabase>> | undefined;
  const served = () => {
    if (own === undefined) throw new Error('The database exists only during tests.');
    return own;
  };
  const db = (): Database => connect(served().url, LIMIT_MS).db;
  const rows = async <Row extends Record<string, unknown>>(query: SQL) => (await db().execute<Row>(query)).rows;
  beforeAll(async () => {
    own = await makeDatabase(inject('postgresUrl'));
  });
  beforeEach(() => empty(db()));
  afterAll(() => own?.drop());
  return { served, db, rows };
}
