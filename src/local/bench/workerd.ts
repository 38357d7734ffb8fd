/** Runs a bundle in bare workerd: no dev proxy and nothing of Miniflare around it; KV and queue are the stubs of `workers/stubs.ts`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Bundle } from './bundles.ts';
import type { KvValues } from './kv-values.ts';
import { send } from './load-calls.ts';

/** The package tells its binary for this platform. It has no types. */
const { default: WORKERD } = createRequire(import.meta.url)('workerd') as { default: string };
const READY_WITHIN_MS = 20_000;
const CONTROL_FD = 3;

export interface Running {
  readonly pid: number;
  /** `http://127.0.0.1:port` of the Worker. */
  readonly url: string;
  /** Sets what KV holds. */
  readonly hold: (values: KvValues) => Promise<void>;
  /** What the queue received so far. */
  readonly received: () => Promise<Received>;
  /** All that workerd and the Worker wrote: the Workers here log only what went wrong. */
  readonly said: () => string;
  readonly stop: () => Promise<void>;
}

export interface Received {
  readonly messages: number;
  readonly bytes: number;
}

/** Starts workerd in a folder of its own beside the bundles, and resolves when it listens. */
export async function startWorkerd(bundle: Bundle, stubs: Bundle): Promise<Running> {
  const folder = mkdtempSync(join(dirname(stubs.main), 'workerd-'));
  // Cap'n Proto embeds files by their path from the file that names them.
  copyFileSync(bundle.main, join(folder, 'main.js'));
  copyFileSync(stubs.main, join(folder, 'stubs.js'));
  if (bundle.pad !== undefined) copyFileSync(bundle.pad, join(folder, 'pad.txt'));
  writeFileSync(join(folder, 'config.capnp'), configOf(bundle, stubs));
  const args = ['serve', join(folder, 'config.capnp'), `--control-fd=${CONTROL_FD}`];
  const child = spawn(WORKERD, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ports = await portsOf(child).catch((error: Error) => {
    kill();
    throw new Error(`${error.message} It said:\n${said}`);
  });
  const stubsUrl = `http://127.0.0.1:${ports.stubs}/bench`;
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${ports.main}`,
    hold: async (values) => {
      const { status } = await send(`${stubsUrl}/values`, { method: 'PUT' }, JSON.stringify(values));
      if (status !== 200) throw new Error(`The stubs of KV answered ${status}.`);
    },
    received: async () => JSON.parse((await send(`${stubsUrl}/received`, {})).text) as Received,
    said: () => said,
    stop: async () => {
      process.off('exit', kill);
      kill();
      await exited;
    },
  };
}

function configOf(bundle: Bundle, stubs: Bundle): string {
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = ${workerOf('main', bundle)}),
    (name = "stubs", worker = ${workerOf('stubs', stubs)}),
  ],
  sockets = [
    (name = "main", address = "127.0.0.1:0", http = (), service = "main"),
    (name = "stubs", address = "127.0.0.1:0", http = (), service = "stubs"),
  ],
);
`;
}

function workerOf(name: string, { compatibilityDate, compatibilityFlags, texts, bindings, pad }: Bundle): string {
  const values = [
    ...Object.entries(texts).map(([key, text]) => [key, `text = ${quoted(text)}`]),
    ...Object.entries(bindings),
  ];
  return `(
      modules = [
        (name = "${name}.js", esModule = embed "${name}.js"),
        ${pad === undefined ? '' : '(name = "pad.txt", text = embed "pad.txt"),'}
      ],
      compatibilityDate = ${quoted(compatibilityDate)},
      compatibilityFlags = [${compatibilityFlags.map(quoted).join(', ')}],
      bindings = [
        ${values.map(([key, value]) => `(name = "${key}", ${value}),`).join('\n        ')}
      ],
    )`;
}

/** The values are ASCII without control characters, where JSON and Cap'n Proto quote alike. */
const quoted = (text: string) => JSON.stringify(text);

/** What `--control-fd` tells, an object a line. Rejects when workerd ends, or does not listen in time. */
async function portsOf(child: ChildProcess): Promise<{ main: number; stubs: number }> {
  const input = child.stdio[CONTROL_FD] as Readable;
  const ports = new Map<string, number>();
  for await (const line of createInterface({ input, signal: AbortSignal.timeout(READY_WITHIN_MS) })) {
    const { event, socket, port } = JSON.parse(line) as { event: string; socket: string; port: number };
    if (event === 'listen') ports.set(socket, port);
    const [main, stubs] = [ports.get('main'), ports.get('stubs')];
    if (main !== undefined && stubs !== undefined) return { main, stubs };
  }
  throw new Error(`workerd did not listen within ${READY_WITHIN_MS / 1_000} s, or ended.`);
}
