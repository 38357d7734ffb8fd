/** Migrations through the real driver, and the check for missing ones. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NeonDbError } from '@neondatabase/serverless';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../src/cli/migrate-command.ts';
import { findMissingMigration } from '../../src/cli/migrations-check.ts';
import { connect } from '../../src/database/connect.ts';
import { readiness } from '../../src/desk/health/database-state.ts';
import type { LocalNeon } from '../../src/local/neon.ts';
import { readConfig } from '../../src/platform/config.ts';
import { done, npmRun, refused, run } from '../support/command.ts';
import { startMigratedNeon } from '../support/migrated-neon.ts';

const ROOT = join(import.meta.dirname, '../..');
const LIMIT_MS = 60_000;

const root = mkdtempSync(join(tmpdir(), 'gatehouse-migrate-'));
let server: LocalNeon;

beforeAll(async () => {
  server = await startMigratedNeon();
});
beforeEach(async () => {
  const { sql } = connect(server.url, LIMIT_MS);
  await sql.transaction([
    sql`drop schema if exists drizzle cascade`,
    sql`drop schema public cascade`,
    sql`create schema public`,
  ]);
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

/** A folder of migrations in drizzle-kit's format. */
function migrations(name: string, files: Record<string, string>): string {
  const folder = join(root, name);
  mkdirSync(join(folder, 'meta'), { recursive: true });
  const entries = Object.keys(files).map((tag, idx) => ({
    idx,
    version: '7',
    when: 1000 + idx,
    tag,
    breakpoints: true,
  }));
  writeFileSync(
    join(folder, 'meta', '_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  );
  for (const [tag, text] of Object.entries(files)) writeFileSync(join(folder, `${tag}.sql`), text);
  return folder;
}

const BREAK = '\n--> statement-breakpoint\n';
const read = (query: string) => connect(server.url, LIMIT_MS).sql.query(query);

describe('migrate', () => {
  it('readiness reports a migration that is not applied yet', async () => {
    const folder = join(root, 'first-only');
    cpSync(join(ROOT, 'drizzle'), folder, { recursive: true });
    const journal = join(folder, 'meta', '_journal.json');
    const { entries, ...rest } = JSON.parse(readFileSync(journal, 'utf8')) as { entries: object[] };
    writeFileSync(journal, JSON.stringify({ ...rest, entries: entries.slice(0, 1) }));
    const config = readConfig({ DATABASE_URL: server.url });
    await migrate(server.url, folder);
    expect((await readiness(config, LIMIT_MS)).migrated).toBe(false);
    await migrate(server.url);
    expect((await readiness(config, LIMIT_MS)).migrated).toBe(true);
  });

  it('migrate creates the schema in an empty database, records it in drizzle’s journal, and does nothing a second time', async () => {
    const names = readdirSync(join(ROOT, 'drizzle'))
      .filter((name) => name.endsWith('.sql'))
      .map((name) => name.slice(0, -'.sql'.length))
      .sort();
    expect(await migrate(server.url)).toEqual(names);
    expect(await read("select count(*)::int as n from pg_class where relname = 'attempts' and relkind = 'p'")).toEqual([
      { n: 1 },
    ]);
    expect(await read('select hash, created_at from drizzle.__drizzle_migrations')).toHaveLength(names.length);
    expect(await migrate(server.url)).toEqual([]);
  });

  it('migrate applies only new migrations', async () => {
    const first = { '0000_one': `create table one (id int);${BREAK}insert into one values (1);` };
    expect(await migrate(server.url, migrations('new', first))).toEqual(['0000_one']);
    const both = { ...first, '0001_two': 'insert into one values (2);' };
    expect(await migrate(server.url, migrations('new', both))).toEqual(['0001_two']);
    expect(await read('select id from one order by id')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('migrate applies each migration once when several runs are concurrent', async () => {
    const folder = migrations('race', {
      '0000_one': `create table one (id int);${BREAK}insert into one values (1);`,
      '0001_two': 'insert into one values (2);',
    });
    const runs = await Promise.all(Array.from({ length: 5 }, () => migrate(server.url, folder)));
    expect(runs.flat().sort()).toEqual(['0000_one', '0001_two']);
    expect(await read('select id from one order by id')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('a migration that fails is rolled back, and earlier ones stay applied', async () => {
    const folder = migrations('failing', {
      '0000_one': 'create table one (id int);',
      '0001_bad': `insert into one values (1);${BREAK}insert into nowhere values (1);`,
      '0002_never': 'insert into one values (2);',
    });
    const error = await migrate(server.url, folder).catch((it: unknown) => it);
    expect(error).toMatchObject({
      message: 'drizzle/0001_bad.sql failed and was rolled back: relation "nowhere" does not exist',
      cause: expect.any(NeonDbError),
    });
    expect(await read('select id from one')).toEqual([]);
    expect(await read('select created_at::int as at from drizzle.__drizzle_migrations')).toEqual([{ at: 1000 }]);
  });

  it('migrate refuses a migration that was edited after it was applied', async () => {
    await migrate(server.url, migrations('edited', { '0000_one': 'create table one (id int);' }));
    const edited = migrations('edited', { '0000_one': 'create table one (id int, more int);' });
    await expect(migrate(server.url, edited)).rejects.toThrow('drizzle/0000_one.sql was edited after');
  });

  it('migrate reports why a migration must wait, applies the later ones before it, and applies it on a later run', async () => {
    const first = { '0000_one': 'create table one (ready boolean);' };
    const folder = migrations('waiting', {
      ...first,
      '0001_two': `create table two (id int);${BREAK}do $$ begin
        if not exists (select from one) then raise sqlstate 'MI002' using message = 'nothing is ready'; end if; end $$;`,
      '0002_three': 'create table three (id int);',
    });
    const waiting: string[][] = [];
    const run = () => migrate(server.url, folder, (...reported) => waiting.push(reported));
    expect([await run(), await run(), waiting]).toEqual([
      ['0000_one', '0002_three'],
      [],
      [
        ['0001_two', 'nothing is ready'],
        ['0001_two', 'nothing is ready'],
      ],
    ]);
    expect(await read("select to_regclass('two') is null as gone")).toEqual([{ gone: true }]);
    await read('insert into one values (true)');
    expect(await run()).toEqual(['0001_two']);
  });

  it('`npm run migrate` prints the database and the applied migrations, and never the password', async () => {
    const { code, stdout, stderr } = await npmRun('migrate', '--database-url', server.url);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Migrating gatehouse at 127\.0\.0\.1:\d+ \(from --database-url\)\nApplied 0000_/);
    expect(stdout).not.toContain(new URL(server.url).password);
    const again = await run('migrate', [], { DATABASE_URL: server.url });
    expect(again).toMatchObject(done('Nothing to apply'));
    const away = await run('migrate', ['--database-url', 'postgres://u:p@127.0.0.1:2/d']);
    expect(away).toMatchObject(refused(1, 'Error connecting to database'));
  });
});

describe('migrations check', () => {
  /** A copy of the schema outside the repository, with a change of the attempts. */
  const changed = (name: string, change: (text: string) => string) => {
    const copy = join(root, name);
    for (const path of ['schema.ts', 'schema'])
      cpSync(join(ROOT, 'src/database', path), join(copy, path), { recursive: true });
    for (const file of readdirSync(join(copy, 'schema'))) {
      const path = join(copy, 'schema', file);
      const text = readFileSync(path, 'utf8').replaceAll(
        /from '(drizzle-orm[^']*)'/g,
        (_, specifier) => `from '${join(ROOT, 'node_modules', specifier, 'index.js')}'`,
      );
      writeFileSync(path, file === 'message-tables.ts' ? change(text) : text);
    }
    return join(copy, 'schema.ts');
  };

  it('the check passes for the repository, and does not change it', () => {
    const before = join(root, 'before');
    cpSync(join(ROOT, 'drizzle'), before, { recursive: true });
    expect(findMissingMigration()).toBeUndefined();
    expect(readdirSync(join(ROOT, 'drizzle'), { recursive: true })).toEqual(readdirSync(before, { recursive: true }));
  });

  it('the check prints the SQL of a schema change without a migration', () => {
    const file = changed('added', (text) =>
      text.replace('step: dimension(),', 'step: dimension(), extra: dimension(),'),
    );
    const missing = findMissingMigration(file) ?? '';
    expect(missing.match(/\b(?:ALTER|CREATE|DROP)\b.*/g)).toEqual([expect.stringContaining('ADD COLUMN "extra"')]);
  });

  it('the check fails when drizzle-kit cannot decide or read the schema', () => {
    const renamed = changed('renamed', (text) => text.replace('step: dimension(),', 'phase: dimension(),'));
    expect(findMissingMigration(renamed)).toContain('Interactive prompts');
    expect(findMissingMigration(changed('broken', (text) => `${text} (`))).toBeTruthy();
  });
});
