/** `npm run drizzle:check`: fails when `src/database/schema.ts` has a change that no migration in `drizzle/` makes. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import config from '../../drizzle.config.ts';

const ROOT = join(import.meta.dirname, '../..');
const DRIZZLE_KIT = join(ROOT, 'node_modules/drizzle-kit/bin.cjs');
/** drizzle-kit takes two seconds. After this long it is waiting for input. */
const LIMIT_MS = 60_000;
/** The exit code is 0 even when the schema does not compile, so only this output counts. */
const NO_CHANGES = 'No schema changes';

/**
 * Returns undefined when the migrations are complete, else the SQL that drizzle-kit would add, or its output when it
 * stopped at a question (was this column renamed or replaced?). Changes no file of the project.
 */
export function findMissingMigration(schema: string = String(config.schema)): string | undefined {
  const copy = mkdtempSync(join(tmpdir(), 'gatehouse-migrations-'));
  try {
    cpSync(join(ROOT, String(config.out)), copy, { recursive: true });
    const before = new Set(readdirSync(copy));
    const { stdout, stderr, error } = spawnSync(
      process.execPath,
      [DRIZZLE_KIT, 'generate', ...flags(schema, relative(ROOT, copy))],
      { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS },
    );
    const added = readdirSync(copy).filter((name) => name.endsWith('.sql') && !before.has(name));
    if (added.length > 0) return added.map((name) => readFileSync(join(copy, name), 'utf8')).join('\n');
    return stdout.includes(NO_CHANGES) ? undefined : [error?.message, stdout, stderr].filter(Boolean).join('\n');
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** drizzle-kit takes no other output folder together with `drizzle.config.ts`, so its settings are passed as flags. */
function flags(schema: string, out: string): string[] {
  return ['--dialect', config.dialect, '--casing', String(config.casing), '--schema', schema, '--out', out];
}

if (import.meta.main) {
  const missing = findMissingMigration();
  if (missing === undefined) {
    console.log('drizzle/ has a migration for everything in src/database/schema.ts');
  } else {
    process.stderr.write(
      `src/database/schema.ts has changes that no migration in drizzle/ makes. Run: npx drizzle-kit generate\n\n${missing}\n`,
    );
    process.exitCode = 1;
  }
}
