/**
 * A Neon with the tables of all migrations. Creating a Postgres takes seconds, so each is a copy of one that is kept.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openAsBlob, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { migrate } from '../../src/cli/migrate-command.ts';
import { connect } from '../../src/database/connect.ts';
import { type LocalNeon, type LocalNeonOptions, startNeon } from '../../src/local/neon.ts';

const ROOT = join(import.meta.dirname, '../..');
/** For tools that keep something between runs; `npm ci` removes it. */
const CACHE = join(ROOT, 'node_modules/.cache/gatehouse');

/** Creating a Postgres blocks its process: on a busy machine longer than the default of ten seconds. */
const STALE_MS = 60_000;

/** Changes with PGlite, with how we create a Postgres, and with the migrations. */
function fingerprint(): string {
  const migrations = readdirSync(join(ROOT, 'drizzle')).filter((name) => name.endsWith('.sql'));
  const files = [
    'node_modules/@electric-sql/pglite/package.json',
    'src/local/neon/postgres.ts',
    ...migrations.map((name) => `drizzle/${name}`),
  ];
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(ROOT, file)));
  return hash.digest('hex').slice(0, 16);
}

/** One process makes the file, and the others wait for it. */
async function template(): Promise<Blob> {
  const file = join(CACHE, `neon-${fingerprint()}.tar`);
  if (!existsSync(file)) {
    mkdirSync(CACHE, { recursive: true });
    const unlock = await lock(CACHE, { stale: STALE_MS, retries: { retries: 1_200, factor: 1, minTimeout: 100 } });
    try {
      if (!existsSync(file)) await make(file);
    } finally {
      await unlock();
    }
  }
  return openAsBlob(file);
}

async function make(file: string): Promise<void> {
  const neon = await startNeon();
  await migrate(neon.url);
  writeFileSync(`${file}.unfinished`, await (await neon.dump()).bytes());
  await neon.close();
  renameSync(`${file}.unfinished`, file);
}

export const startMigratedNeon = async (options: LocalNeonOptions = {}): Promise<LocalNeon> =>
  startNeon({ ...options, copyOf: await template() });

/** Without a table. */
export async function startEmptyNeon(): Promise<LocalNeon> {
  const neon = await startMigratedNeon();
  const { sql } = connect(neon.url, 60_000);
  await sql.transaction([sql`drop schema drizzle cascade`, sql`drop schema public cascade`, sql`create schema public`]);
  return neon;
}
