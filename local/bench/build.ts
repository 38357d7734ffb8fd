/** Bundles a Worker as `npm run deploy` would (minified as wrangler.toml says), without deploying it. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unstable_readConfig } from 'wrangler';

const ROOT = join(import.meta.dirname, '../..');
const WRANGLER = join(createRequire(import.meta.url).resolve('wrangler/package.json'), '../bin/wrangler.js');

/** What of wrangler.toml a Worker needs to run. */
export const { COMPATIBILITY_DATE, VARS, CONSUMER } = readSettings();

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

function readSettings() {
  const { compatibility_date, vars, queues } = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') });
  const [consumer] = queues.consumers ?? [];
  if (compatibility_date === undefined || consumer === undefined)
    throw new Error('wrangler.toml must have a compatibility_date and a consumer of the queue: the bench runs by it.');
  const { queue, max_batch_size = 10, max_batch_timeout = 5, max_retries = 3 } = consumer;
  return {
    COMPATIBILITY_DATE: compatibility_date,
    VARS: Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, `${value}`])),
    CONSUMER: {
      queue,
      settings: { maxBatchSize: max_batch_size, maxBatchTimeout: max_batch_timeout, maxRetries: max_retries },
    },
  };
}
