/** Runs `wrangler dev` as a child: gate and desk behind one address, with settings that are in no file. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The first has the address. */
const CONFIGURATIONS = ['src/local/dev/wrangler.toml', 'wrangler.toml', 'src/desk/wrangler.toml'].map((path) =>
  join(import.meta.dirname, '..', '..', '..', path),
);

const READY_WITHIN_MS = 60_000;
const POLL_MS = 100;
const STOP_WITHIN_MS = 5_000;
/** No usage data, no advertisement, and no question to Cloudflare about where this machine is, which offline ends in an error. */
const QUIET = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CLOUDFLARE_CF_FETCH_ENABLED: 'false' };
/** Signs support codes on this machine only. */
const LOCAL_SUPPORT_CODE_KEY = 'only for local development, stands in no deployment';

export interface LocalWorker {
  /** Resolves when `/health` answers; rejects with a sentence when it does not. */
  readonly ready: Promise<void>;
  /** Resolves with the exit code. */
  readonly exited: Promise<number>;
  readonly stop: () => Promise<void>;
}

export async function startWorker(options: {
  port: number;
  data: string;
  databaseUrl: string;
  /** True: what is saved through the front door decides. False: the built-in policy, whatever wrangler.toml says. */
  storedPolicy: boolean;
  /** Where a debugger attaches; 0: nobody is told where. */
  inspectorPort: number;
}): Promise<LocalWorker> {
  const wrangler = join(createRequire(import.meta.url).resolve('wrangler/package.json'), '..', 'bin', 'wrangler.js');
  // Wrangler takes the secrets and settings that a configuration names from here (`--var` would reach the first Worker alone);
  // all secrets are given, so that none of the user's own reach it.
  const given = {
    LOCAL: 'yes',
    POLICY: options.storedPolicy ? 'stored' : 'built-in',
    DATABASE_URL: options.databaseUrl,
    SUPPORT_CODE_KEY: LOCAL_SUPPORT_CODE_KEY,
    CONNECTOR_BASIC: '',
    REPORTS_BASIC: '',
    ADMIN_BASIC: '',
  };
  const child = spawn(
    process.execPath,
    [
      wrangler,
      'dev',
      ...CONFIGURATIONS.flatMap((path) => ['-c', path]),
      '--port',
      `${options.port}`,
      '--ip',
      'localhost',
      '--inspector-port',
      `${options.inspectorPort}`,
      '--persist-to',
      join(options.data, 'worker'),
      '--show-interactive-dev-session=false',
      '--log-level',
      'info',
    ],
    // In a group of its own, so that Ctrl-C reaches it through `stop` and after the Worker's last writes.
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
      env: { ...process.env, ...given, ...QUIET },
    },
  );
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  const stop = async () => {
    if (child.exitCode !== null || child.pid === undefined) return;
    process.kill(-child.pid, 'SIGTERM');
    const giveUp = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(giveUp);
  };
  return { ready: waitUntilReady(`http://localhost:${options.port}/health`, exited), exited, stop };
}

async function waitUntilReady(url: string, exited: Promise<number>): Promise<void> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; ) {
    if (gone) throw new Error('Wrangler stopped before Gatehouse answered: its own words stand above.');
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(
    `Gatehouse did not answer at ${url} within ${READY_WITHIN_MS / 1_000} s: Wrangler's words above may say why.`,
  );
}
