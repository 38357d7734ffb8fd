/** `npm run simulate` against a server that answers as Gatehouse does, or does not: the tables, and the exit code. */
import { spawnSync } from 'node:child_process';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Streams } from '../../src/local/run-program.ts';
import { playLive } from '../../src/local/simulate/live.ts';
import { answerTo } from '../../src/local/simulate/past/gatehouse.ts';
import { programme } from '../../src/local/simulate/programme.ts';
import { targetAt } from '../../src/local/simulate/target.ts';
import { main } from '../../src/local/simulate.ts';
import { readConfig } from '../../src/platform/config.ts';

const RIGHT = `Basic ${btoa('Test:Test')}`;
const config = readConfig({ LOCAL: 'yes', SUPPORT_CODE_KEY: 'a key for tests, long enough to count' });

const closing: (() => void)[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Spoil = (body: string, response: ServerResponse, honest: () => void) => boolean;

/** Answers as Gatehouse, unless `spoil` returns true: then it answers itself, or not at all. `received` holds the bodies. */
async function gatehouse(spoil: Spoil = () => false) {
  const received: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    if (request.headers.authorization !== RIGHT) return void response.writeHead(401).end();
    if (request.method === 'GET') return void response.writeHead(200).end();
    received.push(body);
    const path = request.url?.replace('/connectors/user-flow', '') ?? '';
    const { reply } = await answerTo({ path, body, atMs: Date.now(), held: async () => null }, config);
    const honest = () => response.writeHead(reply.status, { 'Content-Type': 'application/json' }).end(reply.body);
    if (!spoil(body, response, honest)) honest();
  };
  return { url: await serve((request, response) => void answer(request, response)), received };
}

/** Runs a play to its end; `figure` reads a figure of the closing table. */
async function run(work: (io: Streams) => Promise<number>) {
  let printed = '';
  const write = (text: string | Uint8Array) => {
    printed += text;
    return true;
  };
  const exitCode = await work({ stdout: { write }, stderr: { write } });
  const lines = printed.split('\n');
  const cells = (row: string) => lines.find((line) => line.startsWith(`${row}  `))?.split(/ {2,}/) ?? [];
  const figure = (row: string, column: string) => Number(cells(row)[cells('replies').indexOf(column)] ?? 0);
  return { exitCode, printed, figure };
}
const toTheEnd = new AbortController().signal;
/** At a rate that no pause slows down, and with more patience than B2C has, for machines that are busy elsewhere. */
const played = (url: string, people: number, stop = toTheEnd, timeoutMs = 60_000) =>
  run((io) =>
    playLive(targetAt(url, undefined, false, timeoutMs), { people, seed: 1, callsPerSecond: 2_000, stop }, io),
  );

describe('a Gatehouse that answers as it should', () => {
  it('gives every kind of reply, a table that adds up, and exit code 0', async () => {
    const { url, received } = await gatehouse();
    const { exitCode, figure, printed } = await played(url, 200);
    expect(exitCode, printed).toBe(0);
    expect(figure('all', 'calls')).toBe(received.length + figure('all', 'refused'));
    expect(figure('PostFederationSignup', 'block')).toBeGreaterThan(0);
    expect(figure('PostAttributeCollection', 'invalid')).toBeGreaterThan(0);
    expect(figure('all', 'refused')).toBeGreaterThan(0);
    expect(figure('no step that we know', 'continue')).toBeGreaterThan(0);
    const token = ['calls', 'continue', 'refused'].map((column) => figure('PreTokenIssuance', column));
    expect(token[0]).toBe((token[1] ?? 0) + (token[2] ?? 0));
    expect(printed).toMatch(/latency in ms +p50 +p95 +p99 +max\nPostFederationSignup +\d/);
  });

  it('receives the same calls when the same seed is played again', async () => {
    const [one, two] = [await gatehouse(), await gatehouse()];
    for (const { url } of [one, two]) await run((io) => main(['--url', url, '--people', '10', '--seed', '7'], io));
    expect(one.received.length).toBeGreaterThan(9);
    expect(two.received.toSorted()).toEqual(one.received.toSorted());
  });

  it('receives the calls of a person one after another, and those that B2C makes twice with equal bytes', async () => {
    const { url, received } = await gatehouse();
    await played(url, 100);
    for (const { calls } of programme(1, 100)) {
      const expected = calls
        .filter(({ credential }) => credential === 'own')
        .flatMap(({ body, twice }) => (twice ? [body, body] : [body]));
      const seen = received.filter((body) => expected.includes(body));
      expect(seen).toEqual(expected.slice(0, seen.length));
      if (calls[0]?.credential === 'own') expect(seen).not.toEqual([]);
    }
  });
});

describe('a Gatehouse that misbehaves', () => {
  it('by being slow meets as many arrivals as a fast one: calls do not wait for the answers to others', async () => {
    const held: (() => void)[] = [];
    const { url } = await gatehouse((_, __, honest) => {
      // Thirty calls must come before the first one is answered.
      if (held.length >= 30) return false;
      held.push(honest);
      if (held.length === 30) for (const release of held) release();
      return true;
    });
    const { exitCode, figure, printed } = await played(url, 60);
    expect([exitCode, figure('all', 'no answer')], printed).toEqual([0, 0]);
  });

  it('by a reply that its step does not allow is named, and gives exit code 1', async () => {
    const { url } = await gatehouse((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end('{"version":"1","action":"ShowBlockPage","userMessage":"No."}');
      return true;
    });
    const { exitCode, figure, printed } = await played(url, 50);
    const at = (column: string) => figure('PreTokenIssuance', column);
    expect([exitCode, at('not allowed')]).toEqual([1, at('calls') - at('refused')]);
    expect(figure('PostAttributeCollection', 'not allowed')).toBe(0);
    expect(printed).toContain('PreTokenIssuance: ShowBlockPage, which B2C ignores here');
  });

  it('by not answering gets B2C’s one retry with equal bytes, and gives exit code 1', async () => {
    const [first] = programme(1, 1);
    const lost = first?.calls[0]?.body ?? '';
    const { url, received } = await gatehouse((body) => body === lost);
    const { exitCode, figure, printed } = await played(url, 5, toTheEnd, 900);
    expect(received.filter((body) => body === lost)).toHaveLength(2);
    expect([exitCode, figure('all', 'no answer'), printed]).toEqual([
      1,
      2,
      expect.stringContaining('not within 0.9 s'),
    ]);
  });
});

it('Ctrl-C ends with the table of what there is, once the calls under way are answered', async () => {
  const stop = new AbortController();
  const { url, received } = await gatehouse(() => {
    if (received.length === 20) stop.abort();
    return false;
  });
  const { exitCode, figure, printed } = await played(url, 1_000, stop.signal);
  expect([exitCode, printed]).toEqual([130, expect.stringContaining('Cut off')]);
  expect(figure('all', 'calls')).toBe(received.length + figure('all', 'refused'));
  expect(received.length).toBeLessThan(1_000);
});

describe('before anything is played', () => {
  const FAR = ['--url', 'https://gatehouse.example'];
  it.each([
    ['an address that is not local needs --yes', FAR, 'a:b', '--yes'],
    ['it needs https', ['--url', 'http://gatehouse.example', '--yes'], 'a:b', 'https'],
    ['it needs a credential', [...FAR, '--yes'], undefined, 'GATEHOUSE_CONNECTOR'],
    ['a credential is user:password', [...FAR, '--yes'], 'nonsense', 'user:password'],
    ['an address is one', ['--url', 'here'], undefined, '--url here'],
    ['a database goes with --days', ['--database-url', 'postgres://a:b@localhost/c'], undefined, '--days'],
  ])('%s', async (_, args, pair, named) => {
    vi.stubEnv('GATEHOUSE_CONNECTOR', pair);
    const { exitCode, printed } = await run((io) => main(args, io));
    expect([exitCode, printed]).toEqual([2, expect.stringContaining(named)]);
  });

  it('a Gatehouse that does not run, refuses the credential, or is none, is named with what to do', async () => {
    const { url } = await gatehouse();
    const other = await serve((_, response) => response.writeHead(404).end('?'));
    const gone = await serve(() => undefined);
    closing.pop()?.();
    const at = (address: string) => run((io) => main(['--url', address], io));
    expect(await at(gone)).toMatchObject({ exitCode: 1, printed: expect.stringContaining('npm run dev') });
    expect(await at(other)).toMatchObject({ exitCode: 1, printed: expect.stringContaining('not as a Gatehouse') });
    vi.stubEnv('GATEHOUSE_CONNECTOR', 'Test:wrong');
    expect(await at(url)).toMatchObject({ exitCode: 1, printed: expect.stringContaining('GATEHOUSE_CONNECTOR') });
  });

  it.each([
    [['--people', '0'], '--people'],
    [['--rate', 'fast'], '--rate'],
    [['--seed', '-1'], '--seed'],
    [['--days', '0'], '--days'],
    [['--days', '2', '--rate', '5'], '--rate'],
    [['--what'], '--what'],
  ])('wrong arguments (%s) end with exit code 2 and are named', async (args, named) => {
    const { exitCode, printed } = await run((io) => main(args, io));
    expect([exitCode, printed]).toEqual([2, expect.stringContaining(named)]);
  });

  it('the program explains itself', () => {
    const script = join(import.meta.dirname, '../../src/local/simulate.ts');
    const { status, stdout } = spawnSync(process.execPath, [script, '--help'], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.stringContaining('--people <n>')]);
  });
});
