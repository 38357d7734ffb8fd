/** Runs a bundle in bare workerd, without Miniflare and its proxy. `workers/stubs.ts` replaces KV and queue. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Bundle } from './bundles.ts';
import type { KvValues } from './kv-values.ts';
import { send } from './load-calls.ts';

/** The package exports the path of its binary for this platform. It has no types. */
const { default: WORKERD } = createRequire(import.meta.url)('workerd') as { default: string };
const READY_WITHIN_MS = 20_000;
const CONTROL_FD = 3;

export interface Running {
  readonly pid: number;
  /** `http://127.0.0.1:port` of the Worker. */
  readonly url: string;
  /** Sets the values in KV. */
  readonly hold: (values: KvValues) => Promise<void>;
  /** Returns the totals of the queue. */
  readonly received: () => Promise<Received>;
  /** Returns the output of workerd and the Worker. The Workers of the bench log only errors. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

export interface Received {
  readonly messages: number;
  readonly bytes: number;
}

/** Starts workerd in a new folder beside the bundles and resolves when it listens. */
export async function startWorkerd(bundle: Bundle, stubs: Bundle): Promise<Running> {
  const folder = mkdtempSync(join(dirname(stubs.main), 'workerd-'));
  // Cap'n Proto resolves embedded files relative to the configuration file.
  copyFileSync(bundle.main, join(folder, 'main.js'));
  copyFileSync(stubs.main, join(folder, 'stubs.js'));
  if (bundle.pad !== undefined) copyFileSync(bundle.pad, join(folder, 'pad.txt'));
  writeFileSync(join(folder, 'config.capnp'), configOf(bundle, stubs));
  const args = ['serve', join(folder, 'config.capnp'), `--control-fd=${CONTROL_FD}`];
  const child = spawn(WORKERD, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ports = await portsOf(child).catch((error: Error) => {
    kill();
    throw new Error(`${error.message} Its output:\n${output}`);
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
    log: () => output,
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

/** JSON and Cap'n Proto quote ASCII without control characters in the same way. */
const quoted = (text: string) => JSON.stringify(text);

/** Reads the ports from `--control-fd`, one JSON object a line. Rejects when workerd exits or a timeout expires. */
async function portsOf(child: ChildProcess): Promise<{ main: number; stubs: number }> {
  const input = child.stdio[CONTROL_FD] as Readable;
  const ports = new Map<string, number>();
  for await (const line of createInterface({ input, signal: AbortSignal.timeout(READY_WITHIN_MS) })) {
    const { event, socket, port } = JSON.parse(line) as { event: string; socket: string; port: number };
    if (event === 'listen') ports.set(socket, port);
    const [main, stubs] = [ports.get('main'), ports.get('stubs')];
    if (main !== undefined && stubs !== undefined) return { main, stubs };
  }
  throw new Error(`workerd exited or did not listen within ${READY_WITHIN_MS / 1_000} s.`);
}
