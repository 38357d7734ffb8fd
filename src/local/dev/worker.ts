/** Runs `wrangler dev` as a child process: gate and desk behind one address, with settings that are in no file. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { WranglerOutput } from './wrangler-output.ts';

/** The first has the address. The paths are absolute: npm starts this program in any folder. */
const CONFIGURATIONS = ['src/local/dev/wrangler.toml', 'wrangler.toml', 'src/desk/wrangler.toml'].map((path) =>
  join(import.meta.dirname, '..', '..', '..', path),
);

const READY_WITHIN_MS = 60_000;
const POLL_MS = 100;
const STOP_WITHIN_MS = 5_000;
/** No usage data, no banner, and no request to Cloudflare for this machine's location, which fails offline. */
const QUIET = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CLOUDFLARE_CF_FETCH_ENABLED: 'false' };
/** Signs support codes on this machine only. */
const LOCAL_SUPPORT_CODE_KEY = 'for local development only, in no deployment';

export interface LocalWorker {
  /** Resolves when `/health` answers; rejects with a message when it does not. */
  readonly ready: Promise<void>;
  readonly output: WranglerOutput;
  /** Resolves with the exit code. */
  readonly exited: Promise<number>;
  readonly stop: () => Promise<void>;
}

/**
 * Settings and secrets of both Workers. Wrangler reads those that a configuration names from the environment (`--var`
 * reaches the first Worker only). Every secret is set, so that none of the developer's own reaches a Worker.
 */
export const settingsOf = ({ databaseUrl, storedPolicy }: { databaseUrl: string; storedPolicy: boolean }) => ({
  LOCAL: 'yes',
  POLICY: storedPolicy ? 'stored' : 'built-in',
  DATABASE_URL: databaseUrl,
  SUPPORT_CODE_KEY: LOCAL_SUPPORT_CODE_KEY,
  EMAIL_KEY: '',
  CONNECTOR_BASIC: '',
  REPORTS_BASIC: '',
  ADMIN_BASIC: '',
});

export async function startWorker(options: {
  port: number;
  data: string;
  databaseUrl: string;
  /** True: the saved policy decides. False: the built-in policy, whatever wrangler.toml says. */
  storedPolicy: boolean;
  /** Port for a debugger; 0: any, which is not printed. */
  inspectorPort: number;
}): Promise<LocalWorker> {
  const wrangler = join(createRequire(import.meta.url).resolve('wrangler/package.json'), '..', 'bin', 'wrangler.js');
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
    // In a process group of its own: Ctrl-C reaches it through `stop`, after the Worker's last writes.
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...settingsOf(options), ...QUIET, ...(process.stdout.isTTY && { FORCE_COLOR: '1' }) },
    },
  );
  const output = new WranglerOutput((text) => process.stdout.write(text));
  output.follow(child.stdout);
  output.follow(child.stderr);
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  const stop = async () => {
    if (child.exitCode !== null || child.pid === undefined) return;
    process.kill(-child.pid, 'SIGTERM');
    const giveUp = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(giveUp);
  };
  return { ready: waitUntilReady(`http://localhost:${options.port}/health`, exited), output, exited, stop };
}

async function waitUntilReady(url: string, exited: Promise<number>): Promise<void> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; ) {
    if (gone) throw new Error('Wrangler stopped before Gatehouse answered. Its output is above.');
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(
    `Gatehouse did not answer at ${url} within ${READY_WITHIN_MS / 1_000} s. Wrangler's output is above.`,
  );
}
