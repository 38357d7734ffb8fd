/** Bundles a Worker as `npm run deploy` would (minified as wrangler.toml says), without deploying it. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unstable_readConfig } from 'wrangler';

const ROOT = join(import.meta.dirname, '../..');
const WRANGLER = join(createRequire(import.meta.url).resolve('wrangler/package.json'), '../bin/wrangler.js');

/** What of wrangler.toml a Worker needs to run. */
export const { compatibility_date: COMPATIBILITY_DATE, vars: VARS } = readSettings();

/** Builds `entry` (a path from the project's root; Gatehouse itself without one) into `folder`, and returns the bundle's path. */
export async function build(folder: string, entry = 'src/index.ts'): Promise<string> {
  const args = [WRANGLER, 'deploy', entry, '--dry-run', '--outdir', folder];
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' };
  try {
    await promisify(execFile)(process.execPath, args, { cwd: ROOT, env });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`${entry} could not be bundled. Wrangler says:\n${said}`);
  }
  return join(folder, (entry.split('/').at(-1) ?? entry).replace(/\.ts$/, '.js'));
}

function readSettings(): { compatibility_date: string; vars: Record<string, string> } {
  const { compatibility_date, vars } = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') });
  if (compatibility_date === undefined) throw new Error('wrangler.toml has no compatibility_date.');
  return {
    compatibility_date,
    vars: Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, `${value}`])),
  };
}
