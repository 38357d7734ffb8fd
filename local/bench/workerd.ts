/** Runs a bundle in bare workerd: no dev proxy and nothing of Miniflare around it; KV and queue are the stubs of `workers/stubs.ts`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { COMPATIBILITY_DATE } from './build.ts';

/** The package tells its binary for this platform. It has no types. */
const { default: WORKERD } = createRequire(import.meta.url)('workerd') as { default: string };
const READY_WITHIN_MS = 20_000;
/** Descriptor on which `--control-fd` tells the ports, as one JSON object a line. */
const CONTROL_FD = 3;

export interface Running {
  readonly pid: number;
  /** `http://127.0.0.1:port` of the Worker. */
  readonly url: string;
  readonly stubsUrl: string;
  /** All that workerd and the Worker wrote: the Workers here log only what went wrong. */
  readonly said: () => string;
  readonly stop: () => Promise<void>;
}

/** Bundles as files, in a folder that may be written to. */
export interface Workers {
  readonly folder: string;
  readonly main: string;
  readonly stubs: string;
}

type Texts = Readonly<Record<string, string>>;

/** Starts workerd and resolves when it listens. `texts` are the Worker's settings and secrets, `stubTexts` those of the stubs. */
export async function startWorkerd(workers: Workers, texts: Texts, stubTexts: Texts = {}): Promise<Running> {
  const folder = mkdtempSync(join(workers.folder, 'workerd-'));
  // Cap'n Proto embeds files by their path from the file that names them.
  copyFileSync(workers.main, join(folder, 'main.js'));
  copyFileSync(workers.stubs, join(folder, 'stubs.js'));
  writeFileSync(join(folder, 'config.capnp'), configOf(texts, stubTexts));
  const args = ['serve', join(folder, 'config.capnp'), `--control-fd=${CONTROL_FD}`];
  const child = spawn(WORKERD, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
  const ports = await portsOf(child, () => said);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${ports.main}`,
    stubsUrl: `http://127.0.0.1:${ports.stubs}`,
    said: () => said,
    stop: async () => {
      process.off('exit', kill);
      kill();
      await exited;
    },
  };
}

function configOf(texts: Texts, stubTexts: Texts): string {
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "main.js", esModule = embed "main.js")],
      compatibilityDate = ${quoted(COMPATIBILITY_DATE)},
      bindings = [
        ${bindingsOf(texts)}
        (name = "GATEHOUSE", kvNamespace = "stubs"),
        (name = "ATTEMPTS", queue = "stubs"),
      ],
    )),
    (name = "stubs", worker = (
      modules = [(name = "stubs.js", esModule = embed "stubs.js")],
      compatibilityDate = ${quoted(COMPATIBILITY_DATE)},
      bindings = [
        ${bindingsOf(stubTexts)}
      ],
    )),
  ],
  sockets = [
    (name = "main", address = "127.0.0.1:0", http = (), service = "main"),
    (name = "stubs", address = "127.0.0.1:0", http = (), service = "stubs"),
  ],
);
`;
}

const bindingsOf = (texts: Texts) =>
  Object.entries(texts)
    .map(([name, value]) => `(name = ${quoted(name)}, text = ${quoted(value)}),`)
    .join('\n        ');

/** The values are ASCII without control characters, where JSON and Cap'n Proto quote alike. */
const quoted = (text: string) => JSON.stringify(text);

function portsOf(child: ChildProcess, said: () => string): Promise<{ main: number; stubs: number }> {
  return new Promise((resolve, reject) => {
    const ports = new Map<string, number>();
    const giveUp = setTimeout(() => fail(`did not listen within ${READY_WITHIN_MS / 1_000} s`), READY_WITHIN_MS);
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    child.once('exit', (code) => fail(`ended with code ${code}`));
    let text = '';
    (child.stdio[CONTROL_FD] as Readable).on('data', (chunk) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const { event, socket, port } = JSON.parse(line) as { event: string; socket: string; port: number };
        if (event === 'listen') ports.set(socket, port);
      }
      const main = ports.get('main');
      const stubs = ports.get('stubs');
      if (main === undefined || stubs === undefined) return;
      clearTimeout(giveUp);
      resolve({ main, stubs });
    });

    function fail(how: string): void {
      clearTimeout(giveUp);
      child.kill('SIGKILL');
      reject(new Error(`workerd ${how}. It said:\n${said()}`));
    }
  });
}
