/** `npm run dev` in a process of its own, and what it says. Ends with the tests of the file that started it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';

const PROGRAM = join(import.meta.dirname, '../../src/local/dev.ts');
/** A start builds both Workers, which takes long on a busy machine. */
const SAYS_WITHIN_MS = 150_000;

/** Starts dev processes; to be called while a file's tests are collected. */
export function devProcesses() {
  const running = new Set<ChildProcess>();
  afterAll(() => {
    for (const child of running) child.kill('SIGTERM');
  });
  return (args: readonly string[], cwd?: string) => {
    // As a developer has it, and not as vitest.config.ts sets it.
    const { X_LOCAL_EXPLORER: _, X_LOCAL_OBSERVABILITY: __, ...env } = process.env;
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd && { cwd }),
    });
    running.add(child);
    const said = { text: '' };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said.text += chunk));
    const ended = once(child, 'close').then(([code]) => {
      running.delete(child);
      return Number(code);
    });
    const says = (what: string | RegExp) =>
      vi.waitUntil(() => (typeof what === 'string' ? said.text.includes(what) : what.test(said.text)), {
        timeout: SAYS_WITHIN_MS,
        interval: 100,
      });
    return { child, said, ended, says };
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
