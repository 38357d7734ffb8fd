/** `npm run dev` as a new developer meets it: what it prints is true, and it leaves nothing behind. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';

const PROGRAM = join(import.meta.dirname, '../../local/dev.ts');
const data = mkdtempSync(join(tmpdir(), 'gatehouse-dev-'));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGTERM');
  rmSync(data, { recursive: true, force: true });
});

function run(...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said.text += chunk));
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return Number(code);
  });
  return { child, said, ended };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const curl = (command: string) => execFileSync('bash', ['-c', command], { encoding: 'utf8' });

describe('npm run dev', () => {
  it('prints one curl a step that is answered, and how to see what was remembered; then ends without a trace', async () => {
    const port = await freePort();
    const dev = run('--port', `${port}`, '--data', data, '--policy', 'none');
    await vi.waitUntil(() => dev.said.text.includes('Gatehouse is running at'), { timeout: 50_000, interval: 100 });
    await vi.waitUntil(() => dev.said.text.includes('/reports/summary'), { timeout: 5_000, interval: 50 });
    const commands = dev.said.text.split('\n').filter((line) => line.startsWith('curl -s'));
    expect(commands).toHaveLength(5);
    const [federation, collection, token, person = '', summary = ''] = commands;
    const plain = { version: '1.0.0', action: 'Continue' };
    expect([federation, collection, token].map((command) => JSON.parse(curl(command ?? '')))).toEqual([
      plain,
      plain,
      { ...plain, extension_Roles: 'editor approver' },
    ]);
    const seen = await vi.waitUntil(
      () => {
        const { attempts } = JSON.parse(curl(person)) as { attempts: unknown[] };
        return attempts.length === 3 ? attempts : false;
      },
      { timeout: 10_000, interval: 200 },
    );
    expect(seen).toMatchObject([
      { step: 'PreTokenIssuance' },
      { step: 'PostAttributeCollection' },
      { step: 'PostFederationSignup' },
    ]);
    expect(JSON.parse(curl(summary))).toMatchObject({ totals: { attempts: 3 } });

    const beside = run('--port', `${await freePort()}`, '--data', data);
    expect(await beside.ended).toBe(1);
    expect(beside.said.text).toContain('in use');
    const taken = run('--port', `${port}`, '--data', `${data}-2`);
    expect(await taken.ended).toBe(1);
    expect(taken.said.text).toContain(`Port ${port} is taken`);

    expect(readFileSync(join(data, 'database-url'), 'utf8')).toMatch(/^postgres:\/\//);
    dev.child.kill('SIGTERM');
    expect(await dev.ended).toBe(0);
    await expect(fetch(`http://localhost:${port}/health`)).rejects.toThrow();
  });

  it('says what it takes when it is called wrongly', async () => {
    for (const args of [['--prot', '1'], ['--port', 'x'], ['--port', '70000'], ['extra']]) {
      const dev = run(...args);
      expect(await dev.ended).toBe(1);
      expect(dev.said.text).toContain('Usage: npm run dev');
    }
  });
});
