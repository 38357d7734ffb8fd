/** `npm run dev` as a new developer meets it: what it prints is true, and it leaves nothing behind. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { readOptions } from '../../src/local/dev/options.ts';
import { devProcesses, freePort } from '../support/dev-process.ts';

const run = devProcesses();
const data = mkdtempSync(join(tmpdir(), 'gatehouse-dev-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));

const curl = (command: string) => execFileSync('bash', ['-c', command], { encoding: 'utf8' });

describe('npm run dev', () => {
  it('prints one curl a step that is answered, and how to see what was remembered; then ends without a trace', async () => {
    const port = await freePort();
    const dev = run(['--port', `${port}`, '--data', data, '--policy', 'none']);
    await dev.says('Gatehouse is running at');
    await dev.says('/reports/summary');
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

    const beside = run(['--port', `${await freePort()}`, '--data', data]);
    expect(await beside.ended).toBe(1);
    expect(beside.said.text).toContain('in use');
    const taken = run(['--port', `${port}`, '--data', `${data}-2`]);
    expect(await taken.ended).toBe(1);
    expect(taken.said.text).toContain(`Port ${port} is taken`);

    expect(readFileSync(join(data, 'database-url'), 'utf8')).toMatch(/^postgres:\/\//);
    dev.child.kill('SIGTERM');
    expect(await dev.ended).toBe(0);
    await expect(fetch(`http://localhost:${port}/health`)).rejects.toThrow();
  });

  it('says what it takes when it is called wrongly, and starts nothing', async () => {
    const dev = run(['--prot', '1']);
    expect(await dev.ended).toBe(1);
    expect(dev.said.text).toContain('Usage: npm run dev');
  });

  it.each([[['--port', 'x']], [['--port', '70000']], [['--inspect', '0']], [['extra']]])('refuses %s', (args) => {
    expect(() => readOptions(args)).toThrow('Usage: npm run dev');
  });
});
