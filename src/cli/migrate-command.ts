/**
 * `npm run migrate`: brings a database to the schema of `drizzle/`.
 *
 * drizzle's own migrator for Neon over HTTP sends each statement alone, so a failure would leave half a migration. This
 * one sends a migration and its journal row as one transaction. The journal is drizzle's, so its other tools read it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import * as z from 'zod';
import { connect } from '../database/connect.ts';
import { isMissingUsers } from '../desk/users/missing-users.ts';
import { findDatabaseUrl, onDatabase } from './database-url.ts';
import { print } from './io.ts';
import type { Define } from './program.ts';
import { CommandRefusal } from './refusal.ts';

const MIGRATIONS_FOLDER = join(import.meta.dirname, '../../drizzle');
/** For each request. An index on a large table takes minutes. */
const REQUEST_LIMIT_MS = 300_000;
/** Any number, the same in every run: each migration holds this advisory lock. */
const LOCK = 'select pg_advisory_xact_lock(7102026)';
/** The SQL standard reserves SQLSTATE classes that begin with I to Z for implementations. */
const ALREADY_APPLIED = 'MI001';
/** A migration raises this SQLSTATE when it must wait. Its message says for what. */
const NOT_YET = 'MI002';

const Journal = z.object({ entries: z.array(z.object({ tag: z.string() })) });
const AppliedRow = z.object({ hash: z.string(), created_at: z.coerce.number() });

/** Names as in `drizzle/`, without `.sql`. */
type Migration = MigrationMeta & { name: string };

/**
 * Applies the migrations that the journal lacks, in order, and returns their names. Safe to run twice at once.
 * Rejects with a message for the user when a statement fails (that migration is rolled back; `cause` is the driver's
 * error) and when a migration was edited after it was applied. A migration that must wait calls `onWaiting`. Later ones
 * are applied before it: the version that it waits for may need what they add.
 */
export async function migrate(
  databaseUrl: string,
  folder: string = MIGRATIONS_FOLDER,
  onWaiting: (name: string, reason: string) => void = () => undefined,
): Promise<string[]> {
  const applied = await readJournal(databaseUrl);
  const names: string[] = [];
  for (const migration of readFolder(folder)) {
    const hash = applied.get(migration.folderMillis);
    if (hash === undefined) {
      const applied = await apply(databaseUrl, migration);
      if (typeof applied === 'string') {
        onWaiting(migration.name, applied);
      } else if (applied) names.push(migration.name);
    } else if (hash !== migration.hash) {
      throw new Error(
        `drizzle/${migration.name}.sql was edited after this database had applied it. Restore it and add a new migration. A local data folder can be deleted instead.`,
      );
    }
  }
  return names;
}

function readFolder(folder: string): Migration[] {
  const { entries } = Journal.parse(JSON.parse(readFileSync(`${folder}/meta/_journal.json`, 'utf8')));
  return readMigrationFiles({ migrationsFolder: folder }).map((migration, index) => ({
    ...migration,
    name: entries[index]?.tag ?? String(migration.folderMillis),
  }));
}

/** Creates the journal if it is missing. The key is the migration's own time, as in drizzle. */
async function readJournal(databaseUrl: string): Promise<Map<number, string>> {
  const { sql } = connect(databaseUrl, REQUEST_LIMIT_MS);
  const results = await sql.transaction([
    sql.query(LOCK),
    sql`create schema if not exists drizzle`,
    sql`create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`,
    sql`select hash, created_at from drizzle.__drizzle_migrations`,
  ]);
  return new Map(
    z
      .array(AppliedRow)
      .parse(results[3])
      .map((row) => [row.created_at, row.hash]),
  );
}

/** False when another run applied it first. A message when it must wait; then it is rolled back. */
async function apply(
  databaseUrl: string,
  { name, sql: statements, hash, folderMillis }: Migration,
): Promise<boolean | string> {
  const { sql } = connect(databaseUrl, REQUEST_LIMIT_MS);
  const refuseTwice = `do $$ begin
    if exists (select from drizzle.__drizzle_migrations where created_at = ${folderMillis}) then
      raise sqlstate '${ALREADY_APPLIED}' using message = 'this migration has been applied';
    end if;
  end $$`;
  try {
    await sql.transaction([
      sql.query(LOCK),
      sql.query(refuseTwice),
      ...statements.map((statement) => sql.query(statement)),
      sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${folderMillis})`,
    ]);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) {
      if (error.code === ALREADY_APPLIED) return false;
      if (error.code === NOT_YET) return error.message;
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`drizzle/${name}.sql failed and was rolled back: ${reason}`, { cause: error });
  }
}

const USERS_ADVICE =
  'Reports on users lack people of older attempts. After `npm run deploy`, run `npm run sums -- rebuild` once.';

export const define: Define = (program, io) => {
  onDatabase(program).does(async ({ databaseUrl }: { databaseUrl?: string }) => {
    const found = findDatabaseUrl(databaseUrl, io.env);
    if (!found.ok) throw new CommandRefusal(found.problem, 2);
    print(io, `Migrating ${found.name}`);
    const waiting: string[] = [];
    const refuse = (error: unknown) => {
      throw new CommandRefusal(reasons(error).join(': '));
    };
    const onWaiting = (name: string, reason: string) => waiting.push(`${name} waits: ${reason}`);
    const names = await migrate(found.url, undefined, onWaiting).catch(refuse);
    for (const name of names) print(io, `Applied ${name}`);
    for (const line of waiting) print(io, line);
    if (names.length + waiting.length === 0) print(io, 'Nothing to apply: the database is up to date.');
    if (await isMissingUsers(connect(found.url, REQUEST_LIMIT_MS).db).catch(refuse)) print(io, USERS_ADVICE);
    return 0;
  });
};

/** The driver wraps fetch's error as `sourceError`; fetch wraps the network's error as `cause`. */
function reasons(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const inner = 'sourceError' in error ? error.sourceError : error.cause;
  const further = inner instanceof Error ? reasons(inner) : [];
  return [error.message, ...further.filter((it) => !error.message.includes(it))];
}
