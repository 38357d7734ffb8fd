/** The Workers of the bench: their sources and bindings. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { SECRETS } from './sign-in.ts';

const ROOT = join(import.meta.dirname, '../../..');
const WRANGLER = join(createRequire(import.meta.url).resolve('wrangler/package.json'), '../bin/wrangler.js');

const KV_AND_QUEUE = { GATEHOUSE: 'kvNamespace = "stubs"', ATTEMPTS: 'queue = "stubs"' };

/**
 * The bundle under test. `config` is its wrangler configuration, `texts` override secrets and settings, `bindings` are
 * all others in Cap'n Proto's syntax.
 */
const GATEHOUSE = {
  entry: 'src/gate/index.ts',
  config: 'wrangler.toml',
  texts: {
    ...SECRETS,
    // A slow start on a busy machine must not end in a call without a policy.
    KV_TIMEOUT_MS: '4000',
    DECISION_TIMEOUT_MS: '4500',
  },
  // No call of the bench reaches the desk.
  bindings: { ...KV_AND_QUEUE, DESK: 'service = "stubs"', RECORDER: 'service = "stubs"' },
};

/** The bench's own Workers: one file each, without imports. */
const OWN = {
  byHand: {
    entry: 'src/local/bench/workers/by-hand.ts',
    texts: { CONNECTOR_BASIC: SECRETS.CONNECTOR_BASIC },
    bindings: KV_AND_QUEUE,
  },
  empty: { entry: 'src/local/bench/workers/empty.ts', texts: {}, bindings: {} },
  stubs: { entry: 'src/local/bench/workers/stubs.ts', texts: {}, bindings: {} },
};

export interface Bundle {
  /** The file of the bundle. */
  readonly main: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
  readonly bindings: Readonly<Record<string, string>>;
  /** A file that is uploaded beside `main` as an unused text module. */
  readonly pad?: string;
}

export type Bundles = Readonly<Record<'gatehouse' | keyof typeof OWN, Bundle>>;

/** Builds every Worker into `folder`; Gatehouse is built as in `npm run deploy`. */
export async function buildAll(folder: string): Promise<Bundles> {
  const { unstable_readConfig } = await import('wrangler');
  const config = unstable_readConfig({ config: join(ROOT, GATEHOUSE.config) });
  const { compatibility_date: compatibilityDate, compatibility_flags: compatibilityFlags } = config;
  if (compatibilityDate === undefined) throw new Error(`${GATEHOUSE.config} has no compatibility_date.`);
  const settings = Object.entries(config.vars).map(([name, value]): [string, string] => [name, String(value)]);
  const compatibility = { compatibilityDate, compatibilityFlags };
  const own = (name: keyof typeof OWN): Bundle => {
    const { entry, texts, bindings } = OWN[name];
    const main = join(folder, `${name}.js`);
    writeFileSync(main, stripTypeScriptTypes(readFileSync(join(ROOT, entry), 'utf8')));
    return { main, ...compatibility, texts, bindings };
  };
  return {
    gatehouse: {
      main: await bundle(GATEHOUSE.entry, GATEHOUSE.config, join(folder, 'gatehouse')),
      ...compatibility,
      texts: { ...Object.fromEntries(settings), ...GATEHOUSE.texts },
      bindings: GATEHOUSE.bindings,
    },
    byHand: own('byHand'),
    empty: own('empty'),
    stubs: own('stubs'),
  };
}

async function bundle(entry: string, config: string, folder: string): Promise<string> {
  const args = [WRANGLER, 'deploy', entry, '--dry-run', '--config', config, '--outdir', folder];
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' };
  try {
    await promisify(execFile)(process.execPath, args, { cwd: ROOT, env });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`${entry} could not be bundled. The output of wrangler:\n${output}`);
  }
  return join(folder, `${basename(entry, '.ts')}.js`);
}
