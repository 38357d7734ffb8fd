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

/** Lets the server begin with the first request. No assertion depends on this time. */
const GET_GOING_MS = 200;

/** Two starts and two ends of the program, on a slow machine. */
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

describe('emulator: the data folder', () => {
  it('a missing folder is created with its parents, for any user, password and database, and refuses other ones', async () => {
    const dataDir = join(root, 'deep', 'er');
    const names = { user: 'a b@c"d', password: '%+$^&*@!/', database: "o'k-9/x" };
    const server = await startNeon({ ...names, dataDir });
    const [row] = await neon(server.url)`select current_user as user, current_database() as database`.finally(
      server.close,
    );
    expect(row).toEqual({ user: names.user, database: names.database });
    await expect(startNeon({ dataDir })).rejects.toThrow('database "gatehouse" does not exist');
    await expect(startNeon({ dataDir, database: names.database })).rejects.toThrow('role "gatehouse" does not exist');
  });

  it('a folder that cannot be created is refused with advice', async () => {
    await expect(startNeon({ dataDir: '/proc/gatehouse/data' })).rejects.toThrow(/cannot be created.*writable/);
  });

  it('one of two simultaneous starts gets the folder, and the other is refused with advice', async () => {
    const dataDir = dataFolder();
    const both = await Promise.allSettled([startNeon({ dataDir }), startNeon({ dataDir })]);
    const [winner] = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const [reason] = both.flatMap((one) => (one.status === 'rejected' ? [one.reason.message] : []));
    expect(reason).toMatch(`The data folder ${dataDir} is in use: Lock file`);
    expect(reason).toMatch(/Stop that process or choose another folder\. After a kill, try again in 10 seconds\.$/);
    expect(await rowsOf(winner?.url ?? '').finally(winner?.close)).toEqual([1]);
  });

  it('the lock of a killed process and the lock file of an older version do not block a start', async () => {
    const dataDir = dataFolder();
    mkdirSync(join(dataDir, 'lock'));
    const elevenSecondsAgo = new Date(Date.now() - 11_000);
    utimesSync(join(dataDir, 'lock'), elevenSecondsAgo, elevenSecondsAgo);
    writeFileSync(join(dataDir, 'in-use.json'), JSON.stringify({ pid: process.pid, started: 'at another time' }));
    const server = await startNeon({ dataDir });
    expect(await rowsOf(server.url).finally(server.close)).toEqual([1]);
  });

  it('a server that lost its lock refuses requests and writes nothing', async () => {
    const dataDir = dataFolder();
    const server = await startNeon({ dataDir });
    rmSync(join(dataDir, 'lock'), { recursive: true });
    await vi.waitFor(() => expect(rowsOf(server.url)).rejects.toThrow(/lost its lock: .*again\./), { timeout: 5_000 });
    await server.close();
  });

  it('a first start that was killed is begun again', async () => {
    const dataDir = join(root, 'half-made');
    mkdirSync(join(dataDir, 'postgres.unfinished'), { recursive: true });
    cpSync(join(template, 'postgres', 'PG_VERSION'), join(dataDir, 'postgres.unfinished', 'PG_VERSION'));
    const server = await startMigratedNeon({ dataDir });
    expect(await neon(server.url)`select 1 as one`.finally(server.close)).toEqual([{ one: 1 }]);
  });

  it('a transaction with a query that is nested too deeply for Node leaves nothing behind', async () => {
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

describe('npm run neon', () => {
  it(
    'a kill or a stop keeps what was committed, and a query of a client that hung up is not run',
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
      // Sent to npm only, which must pass it on.
      next.child.kill('SIGTERM');
      expect(await next.ended).toMatchObject({ code: 0, err: '' });
      expect(existsSync(join(data, 'lock'))).toBe(false);
    },
    LIMIT_MS,
  );

  it('fails when it cannot write the URL file, and releases the data folder', async () => {
    const data = dataFolder();
    await expect(main(['--data', data, '--url-file', join(root, 'nowhere', 'url')])).rejects.toThrow('nowhere');
    expect(existsSync(join(data, 'lock'))).toBe(false);
  });

  it.each([
    [['--help'], 0, '--url-file <FILE>'],
    [['--port', 'x'], 2, '--port must be a number from 0 to 65535.'],
    [['--port', '65536'], 2, '--port must be a number from 0 to 65535.'],
    [['--data', ''], 2, '--data and --url-file must not be empty.'],
    [['--date', 'x'], 2, "error: unknown option '--date'"],
    [['data'], 2, 'error: too many arguments. Expected 0 arguments but got 1.'],
  ])('the arguments %j end with exit code %i and a message', async (args, code, sentence) => {
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
