/** The built Worker with a KV and a database of its own, a door in front of it that can fail, and commands run against it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createTestHarness } from 'wrangler';
import { ownDatabase } from './own-database.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the door does with a request instead of letting it through; `pass` lets it through. */
export type Door = (request: { method: string; body: string }) => Treatment | Promise<Treatment>;
type Treatment = 'pass' | 'hang up' | 'refuse' | 'wait' | 'be another' | 'be a page' | 'be older';

/** Headers that go through the door. */
const FORWARDED = ['authorization', 'content-type', 'if-match', 'if-none-match'];

/** Starts before the file's tests and stops after them; `settings` are those that differ from wrangler.toml. */
export function ownGatehouse(settings: Record<string, string> = {}) {
  const database = ownDatabase();
  const harness = createTestHarness();
  const requests: { method: string; url: string; body: string }[] = [];
  let door: Door = () => 'pass';
  let url = '';

  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const { method = '', url: path = '', headers } = request;
    const treatment = await door({ method, body });
    requests.push({ method, url: path, body });
    if (treatment === 'hang up') return request.socket.destroy();
    if (treatment === 'be another') {
      response.writeHead(403, { 'Content-Type': 'text/html' });
      return response.end('<h1>Just a moment...</h1>');
    }
    if (treatment === 'refuse') {
      response.writeHead(503, { 'Content-Type': 'application/problem+json', 'Retry-After': '0' });
      return response.end('{"detail":"Workers KV takes one write a second for one person."}');
    }
    if (treatment === 'be a page') {
      response.writeHead(200, { 'Content-Type': 'text/html', ETag: '"3"' });
      return response.end('<h1>Welcome</h1>');
    }
    if (treatment === 'be older') {
      response.writeHead(404, { 'Content-Type': 'application/problem+json' });
      return response.end('{"detail":"There is nothing at this address.","requestId":"r"}');
    }
    if (treatment === 'wait') await new Promise((resolve) => setTimeout(resolve, 50));
    const answered = await harness.fetch(path, {
      method,
      headers: FORWARDED.flatMap((name): [string, string][] =>
        name in headers ? [[name, String(headers[name])]] : [],
      ),
      ...(body === '' ? {} : { body }),
    });
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    return response.end(await answered.text());
  }

  beforeAll(async () => {
    const vars = {
      ...settings,
      LOCAL: 'yes',
      DATABASE_URL: database.url(),
      SUPPORT_CODE_KEY: 'a key for tests, long enough to count',
      CONNECTOR_BASIC: '',
      REPORTS_BASIC: '',
      ADMIN_BASIC: '',
    };
    await harness.update({ workers: [{ configPath: join(ROOT, 'wrangler.toml'), vars }] });
    await harness.listen();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    door = () => 'pass';
    requests.length = 0;
  });
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await harness.close();
  });

  return {
    database,
    requests,
    url: () => url,
    kv: async () => (await harness.getWorker<Env>().getEnv()).GATEHOUSE,
    letThrough: (treatment: Door) => {
      door = treatment;
    },
    /** A command of `local/commands`, as `npm run` runs it, told where this Gatehouse is. */
    run: (command: string, ...args: string[]) => run(command, [...args, '--url', url]),
  };
}

export interface Running {
  readonly finished: Promise<Finished>;
  readonly interrupt: () => void;
}

/** Starts a command; nothing of the environment reaches it but what is given. */
export function start(command: string, args: string[], environment: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [join(ROOT, 'local/commands', `${command}.ts`), ...args], {
    env: environment as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { finished, interrupt: () => child.kill('SIGINT') };
}

export const run = (command: string, args: string[], environment: Record<string, string> = {}) =>
  start(command, args, environment).finished;
