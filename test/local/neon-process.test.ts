/** The data folder of the Neon emulator, and its program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { neon } from '@neondatabase/serverless';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect } from '../../src/database/connect.ts';
import { main, startNeon } from '../../src/local/neon.ts';
import { startMigratedNeon } from '../support/migrated-neon.ts';

/** So that what was sent first is what the other side has in hand; nothing is concluded from how long it took. */
const GET_GOING_MS = 200;

/** For two starts of the program and an end of each, on machines of any speed. */
const LIMIT_MS = 120_000;

const root = mkdtempSync(join(tmpdir(), 'gatehouse-neon-'));
/** A data folder in which the table `kept` has one row; tests work on copies. */
const template = join(root, 'template');
let copies = 0;

beforeAll(async () => {
  const server = await startMigratedNeon({ dataDir: template });
  const { sql } = connect(server.url, 60_000);
  await sql`create table kept (id int)`;
  await sql`insert into kept values (1)`;
  await server.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function dataFolder(): string {
  const folder = join(root, `copy-${copies++}`);
  cpSync(template, folder, { recursive: true });
  return folder;
}

const rowsOf = async (url: string) => (await neon(url)`select id from kept order by id`).map((row) => row.id);

const NODE = [process.execPath, 'src/local/neon.ts'];
const NPM = ['npm', 'run', '--silent', 'neon', '--'];

/** In a process group of its own, as in a terminal. `ended` waits until all of them have closed their output. */
function run([command = '', ...first]: string[], ...args: string[]) {
  const options = { cwd: join(import.meta.dirname, '../..'), detached: true, timeout: LIMIT_MS };
  const child = spawn(command, [...first, ...args], options);
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const signal = (name: NodeJS.Signals) => process.kill(-Number(child.pid), name);
  return { child, signal, ended: ended.then(([out, err, [code]]) => ({ code: Number(code), out, err })) };
}

describe('a data folder', () => {
  it('is made when there is none, parents and all, and belongs to the user and database that it was made with', async () => {
    const dataDir = join(root, 'deep', 'er');
    const server = await startNeon({ dataDir, user: 'me', password: 'p w', database: 'mine' });
    expect(server.url).toMatch(/^postgres:\/\/me:p%20w@127\.0\.0\.1:\d+\/mine$/);
    expect(await neon(server.url)`select current_user as user`.finally(server.close)).toEqual([{ user: 'me' }]);
    await expect(startNeon({ dataDir })).rejects.toThrow('database "gatehouse" does not exist');
    await expect(startNeon({ dataDir, database: 'mine' })).rejects.toThrow('role "gatehouse" does not exist');
  });

  it('is refused with what to do where no folder can be made', async () => {
    await expect(startNeon({ dataDir: '/proc/gatehouse/data' })).rejects.toThrow(/cannot be created.*writable/);
  });

  it('is given to one of two that start at the same moment', async () => {
    const dataDir = dataFolder();
    const both = await Promise.allSettled([startNeon({ dataDir }), startNeon({ dataDir })]);
    const [winner] = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const [reason] = both.flatMap((one) => (one.status === 'rejected' ? [one.reason.message] : []));
    expect(reason).toMatch(`The data folder ${dataDir} is in use: Lock file`);
    expect(reason).toMatch(/Stop that process or choose another folder\. After a kill, try again in 10 seconds\.$/);
    expect(await rowsOf(winner?.url ?? '').finally(winner?.close)).toEqual([1]);
  });

  it('is not blocked by the lock of a killed process, nor by the lock file of an older version', async () => {
    const dataDir = dataFolder();
    mkdirSync(join(dataDir, 'lock'));
    const elevenSecondsAgo = new Date(Date.now() - 11_000);
    utimesSync(join(dataDir, 'lock'), elevenSecondsAgo, elevenSecondsAgo);
    writeFileSync(join(dataDir, 'in-use.json'), JSON.stringify({ pid: process.pid, started: 'at another time' }));
    const server = await startNeon({ dataDir });
    expect(await rowsOf(server.url).finally(server.close)).toEqual([1]);
  });

  it('is left alone when the lock is lost', async () => {
    const dataDir = dataFolder();
    const server = await startNeon({ dataDir });
    rmSync(join(dataDir, 'lock'), { recursive: true });
    await vi.waitFor(() => expect(rowsOf(server.url)).rejects.toThrow(/lost its lock: .*again\./), { timeout: 5_000 });
    await server.close();
  });

  it('is begun anew when the first start was killed half-way', async () => {
    const dataDir = join(root, 'half-made');
    mkdirSync(join(dataDir, 'postgres.unfinished'), { recursive: true });
    cpSync(join(template, 'postgres', 'PG_VERSION'), join(dataDir, 'postgres.unfinished', 'PG_VERSION'));
    const server = await startNeon({ dataDir });
    expect(await neon(server.url)`select 1 as one`.finally(server.close)).toEqual([{ one: 1 }]);
  });

  it('keeps nothing of a transaction in which a query is nested too deeply for Node', async () => {
    const dataDir = dataFolder();
    const server = await startNeon({ dataDir });
    const sql = neon(server.url);
    const overflow = sql`select 'x' ~ (repeat('(', 20000) || repeat(')', 20000))`;
    await expect(sql.transaction([sql`insert into kept values (2)`, overflow])).rejects.toThrow('nested too deeply');
    await server.close();
    const next = await startNeon({ dataDir });
    expect(await rowsOf(next.url).finally(next.close)).toEqual([1]);
  });
});

describe('the program', () => {
  it(
    'keeps what was committed when it is killed or stopped, and serves no client that hung up',
    async () => {
      const data = dataFolder();
      const urlFile = join(root, 'url');
      const start = async (command: string[]) => {
        const program = run(command, '--port', '0', '--data', data, '--url-file', urlFile);
        const [line] = await once(program.child.stdout, 'data');
        const url = readFileSync(urlFile, 'utf8').trim();
        expect(String(line)).toBe(`${url}\n`);
        expect(statSync(urlFile).mode & 0o777).toBe(0o600);
        return { ...program, url, sql: neon(url) };
      };
      const { signal, ended, url, sql } = await start(NODE);
      writeFileSync(join(root, 'second'), 'of last time');
      const second = main(['--data', data, '--url-file', join(root, 'second')]);
      await expect(second).rejects.toThrow('is in use');
      expect(existsSync(join(root, 'second'))).toBe(false);

      const hangUp = () => neon(url, { fetchOptions: { signal: AbortSignal.timeout(100) } });
      await expect(hangUp()`select pg_sleep(0.3)`).rejects.toThrow('TimeoutError');
      const [insert, sleep] = [sql`insert into kept values (2)`, sql`select pg_sleep(0.3)`];
      for (const queries of [[insert, sleep, insert] as const, [insert, sleep] as const]) {
        await expect(hangUp().transaction([...queries])).rejects.toThrow('TimeoutError');
        expect(await rowsOf(url)).toEqual([1]);
      }
      const busy = sql`select pg_sleep(0.5)`.then((rows) => rows.length);
      await delay(GET_GOING_MS);
      await expect(hangUp()`insert into kept values (2)`).rejects.toThrow('TimeoutError');
      expect(await busy).toBe(1);
      expect(await rowsOf(url)).toEqual([1]);

      await sql`insert into kept values (3)`;
      const unfinished = sql.transaction([sql`insert into kept values (4)`, sql`select pg_sleep(60)`]);
      unfinished.catch(() => undefined);
      await delay(GET_GOING_MS);
      signal('SIGKILL');
      await ended;
      rmSync(join(data, 'lock'), { recursive: true });
      const next = await start(NPM);
      expect(await rowsOf(next.url)).toEqual([1, 3]);
      // To npm alone: it must reach the program, or `ended` never comes.
      next.child.kill('SIGTERM');
      expect(await next.ended).toMatchObject({ code: 0, err: '' });
      expect(existsSync(join(data, 'lock'))).toBe(false);
    },
    LIMIT_MS,
  );

  it('ends when it cannot write the URL file', async () => {
    const { ended } = run(NODE, '--data', dataFolder(), '--url-file', join(root, 'nowhere', 'url'));
    expect(await ended).toMatchObject({ code: 1, out: '', err: expect.stringContaining('nowhere') });
  });

  it.each([
    [['--help'], 0, '--url-file <FILE>'],
    [['--port', 'x'], 2, '--port must be a number from 0 to 65535.'],
    [['--port', '65536'], 2, '--port must be a number from 0 to 65535.'],
    [['--data', ''], 2, '--data and --url-file must not be empty.'],
    [['--date', 'x'], 2, "error: unknown option '--date'"],
    [['data'], 2, 'error: too many arguments. Expected 0 arguments but got 1.'],
  ])('answers %j with exit code %i and a sentence', async (args, code, sentence) => {
    vi.spyOn(process, 'exit').mockImplementation((asked) => {
      throw new Error(`exit code ${asked}`);
    });
    const said = [process.stdout, process.stderr].map((to) => vi.spyOn(to, 'write').mockReturnValue(true));
    const ended = main(args).finally(() => vi.restoreAllMocks());
    await expect(ended).rejects.toThrow(`exit code ${code}`);
    const words = said.flatMap((stream) => stream.mock.calls).join('');
    expect(words).toContain(sentence);
  });
});
