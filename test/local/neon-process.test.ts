/** The stand-in as a program of its own: what it promises about its data folder, its end, and clients that hang up. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { neon } from '@neondatabase/serverless';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startNeon } from '../../local/neon.ts';
import { connect } from '../../src/database/connect.ts';

/** So that what was sent first is what the other side has in hand; nothing is concluded from how long it took. */
const GET_GOING_MS = 200;
const PROGRAM = join(import.meta.dirname, '../../local/neon.ts');

const root = mkdtempSync(join(tmpdir(), 'gatehouse-neon-'));
/** A data folder in which the table `kept` has one row; tests work on copies. */
const template = join(root, 'template');
const running = new Set<ChildProcess>();
let copies = 0;

beforeAll(async () => {
  const server = await startNeon({ dataDir: template });
  const { sql } = connect(server.url, 60_000);
  await sql`create table kept (id int)`;
  await sql`insert into kept values (1)`;
  await server.close();
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function dataFolder(): string {
  const folder = join(root, `copy-${copies++}`);
  cpSync(template, folder, { recursive: true });
  return folder;
}

type Ended = { code: number | null; out: string; err: string };
/** `url` is undefined when the program ended without having answered. */
type Program = { child: ChildProcess; url: string | undefined; ended: Promise<Ended> };

async function run(...args: string[]): Promise<Program> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let out = '';
  let err = '';
  child.stderr.on('data', (chunk) => (err += chunk));
  child.stdout.on('data', (chunk) => (out += chunk));
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code, out, err };
  });
  const firstLine = once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line));
  const first = await Promise.race([firstLine, ended.then(() => undefined)]);
  return { child, url: first?.startsWith('postgres://') ? first : undefined, ended };
}

async function answering(...args: string[]): Promise<Program & { url: string }> {
  const { url, ...program } = await run(...args);
  if (url === undefined) throw new Error(`it did not start: ${JSON.stringify(await program.ended)}`);
  return { ...program, url };
}

const rowsOf = async (url: string, table: string) =>
  (await neon(url).query(`select id from ${table} order by id`)).map((row) => row.id);

describe('a data folder', () => {
  it('keeps what was committed over a clean end, and the URL file names the port', async () => {
    const data = dataFolder();
    const urlFile = join(root, 'url');
    for (const [signal, rows] of [
      ['SIGTERM', [1, 2]],
      ['SIGINT', [1, 2, 2]],
    ] as const) {
      const program = await answering('--port', '0', '--data', data, '--url-file', urlFile);
      expect(readFileSync(urlFile, 'utf8')).toBe(`${program.url}\n`);
      await neon(program.url)`insert into kept values (2)`;
      expect(await rowsOf(program.url, 'kept')).toEqual(rows);
      program.child.kill(signal);
      expect(await program.ended).toMatchObject({ code: 0, err: '' });
      expect(existsSync(join(data, 'in-use.json'))).toBe(false);
    }
  });

  it('is made when there is none, parents and all', async () => {
    const { url } = await answering(
      '--data',
      join(root, 'deep', 'er'),
      '--user',
      'me',
      '--password',
      'p w',
      '--database',
      'mine',
    );
    expect(url).toMatch(/^postgres:\/\/me:p%20w@127\.0\.0\.1:\d+\/mine$/);
    expect(await neon(url)`select current_user as user`).toEqual([{ user: 'me' }]);
  });

  it('is refused with what to do where no folder can be made', async () => {
    await expect(startNeon({ dataDir: '/proc/gatehouse/data' })).rejects.toThrow(/cannot be made.*Choose a folder/);
  });

  it('keeps what was committed when the process is killed, and takes in a new one', async () => {
    const data = dataFolder();
    const first = await answering('--data', data);
    await neon(first.url)`insert into kept values (2)`;
    const unfinished = neon(first.url).transaction([
      neon(first.url)`insert into kept values (3)`,
      neon(first.url)`select pg_sleep(60)`,
    ]);
    unfinished.catch(() => undefined);
    await delay(GET_GOING_MS);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = await answering('--data', data);
    expect(await rowsOf(second.url, 'kept')).toEqual([1, 2]);
  });

  it('is for one process at a time', async () => {
    const data = dataFolder();
    const first = await answering('--data', data);
    const { url, ended } = await run('--data', data);
    expect(url).toBeUndefined();
    expect(await ended).toMatchObject({
      code: 1,
      err: `${data} is in use by process ${first.child.pid}: stop that one first, or choose another data folder\n`,
    });
    await expect(startNeon({ dataDir: data })).rejects.toThrow(`is in use by process ${first.child.pid}`);
    expect(await rowsOf(first.url, 'kept')).toEqual([1]);
  });

  it('is given to one of two that start at the same moment', async () => {
    const data = dataFolder();
    const both = await Promise.all([run('--data', data), run('--data', data)]);
    const [winner, ...others] = both.filter(({ url }) => url !== undefined);
    expect(others).toEqual([]);
    expect(await rowsOf(winner?.url ?? '', 'kept')).toEqual([1]);
  });

  it.each([
    ['of a process whose number another one has now', () => ({ pid: process.pid, started: 'at another time' })],
    ['of a process that is gone', () => ({ pid: 2 ** 22 + 1, started: '1' })],
    ['that says nothing', () => 'nonsense'],
  ])('is not blocked by a lock %s', async (_, content) => {
    const data = dataFolder();
    writeFileSync(join(data, 'in-use.json'), JSON.stringify(content()));
    const server = await startNeon({ dataDir: data });
    expect(await rowsOf(server.url, 'kept')).toEqual([1]);
    await server.close();
  });

  it('is begun anew when the first start was killed half-way', async () => {
    const data = join(root, 'half-made');
    mkdirSync(join(data, 'postgres.unfinished'), { recursive: true });
    cpSync(join(template, 'postgres', 'PG_VERSION'), join(data, 'postgres.unfinished', 'PG_VERSION'));
    const server = await startNeon({ dataDir: data });
    expect(await neon(server.url)`select 1 as one`).toEqual([{ one: 1 }]);
    await server.close();
  });

  it.each([
    [{ database: 'other' }, 'database "other" does not exist'],
    [{ user: 'other' }, 'role "other" does not exist'],
  ])('belongs to the user and database it was made with: %o', async (names, reason) => {
    const data = dataFolder();
    await expect(startNeon({ dataDir: data, ...names })).rejects.toThrow(reason);
    const server = await startNeon({ dataDir: data });
    await server.close();
  });

  it('survives a crash of PGlite, after which nothing is answered any more', async () => {
    const data = dataFolder();
    const server = await startNeon({ dataDir: data });
    const sql = neon(server.url);
    const overflow = sql`select 'x' ~ (repeat('(', 20000) || repeat(')', 20000))`;
    await expect(sql.transaction([sql`insert into kept values (2)`, overflow])).rejects.toThrow('crashed');
    await expect(sql`select 1`).rejects.toThrow('restart the stand-in');
    await server.close();
    const next = await startNeon({ dataDir: data });
    expect(await rowsOf(next.url, 'kept')).toEqual([1]);
    await next.close();
  });
});

describe('a client that hangs up', () => {
  it('keeps neither a running query nor a transaction, and the next one is served', async () => {
    const { url } = await answering('--data', dataFolder());
    const hangUpAfter = (ms: number) => neon(url, { fetchOptions: { signal: AbortSignal.timeout(ms) } });

    await expect(hangUpAfter(100)`select pg_sleep(0.3)`).rejects.toThrow('TimeoutError');
    const transaction = hangUpAfter(100);
    await expect(
      transaction.transaction([
        transaction`insert into kept values (2)`,
        transaction`select pg_sleep(0.3)`,
        transaction`insert into kept values (3)`,
      ]),
    ).rejects.toThrow('TimeoutError');
    expect(await rowsOf(url, 'kept')).toEqual([1]);
  });

  it('is not served when its turn comes', async () => {
    const { url } = await answering('--data', dataFolder());
    const busy = neon(url)`select pg_sleep(0.5)`.then((rows) => rows.length);
    await delay(GET_GOING_MS);
    const impatient = neon(url, { fetchOptions: { signal: AbortSignal.timeout(100) } });
    await expect(impatient`insert into kept values (2)`).rejects.toThrow('TimeoutError');
    expect(await busy).toBe(1);
    expect(await rowsOf(url, 'kept')).toEqual([1]);
  });
});

describe('the command line', () => {
  it('explains itself', async () => {
    const { ended } = await run('--help');
    expect(await ended).toMatchObject({ code: 0, out: expect.stringContaining('--url-file FILE') });
  });

  it.each([
    [['--port', 'x'], '--port takes a number from 0 to 65535, not "x"'],
    [['--port', '65536'], '--port takes a number from 0 to 65535, not "65536"'],
    [['--data', ''], '--data must not be empty'],
    [['--date', 'x'], "Unknown option '--date'"],
    [['data'], "Unexpected argument 'data'"],
  ])('refuses %j with a sentence and the usage', async (args, message) => {
    const { ended } = await run(...args);
    expect(await ended).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) });
    expect((await ended).err).toContain('npx node local/neon.ts');
  });

  it('ends when it cannot write the URL file', async () => {
    const { ended } = await run('--data', dataFolder(), '--url-file', join(root, 'nowhere', 'url'));
    expect(await ended).toMatchObject({ code: 1, err: expect.stringContaining('nowhere') });
  });
});
