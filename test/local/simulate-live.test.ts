/** `npm run simulate` against a server that behaves like Gatehouse, or misbehaves: the tables and the exit code. */
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

/** Answers like Gatehouse unless `spoil` returns true; then `spoil` answers, or the call gets no answer. */
async function gatehouse(spoil: Spoil = () => false) {
  const received: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    if (request.headers.authorization !== RIGHT) return void response.writeHead(401).end();
    if (request.method === 'GET') return void response.writeHead(200).end();
    received.push(body);
    const path = request.url?.replace('/connectors', '') ?? '';
    const { reply } = await answerTo({ path, body, atMs: Date.now(), held: async () => null }, config);
    const honest = () => response.writeHead(reply.status, { 'Content-Type': 'application/json' }).end(reply.body);
    if (!spoil(body, response, honest)) honest();
  };
  return { url: await serve((request, response) => void answer(request, response)), received };
}

/** Runs a simulation to its end. `figure` reads a figure of the closing table. */
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
/** With a high rate and, for busy machines, a longer timeout than B2C's. */
const played = (url: string, people: number, stop = toTheEnd, timeoutMs = 60_000) =>
  run((io) =>
    playLive(targetAt(url, undefined, false, timeoutMs), { people, seed: 1, callsPerSecond: 2_000, stop }, io),
  );

describe('npm run simulate with a correct Gatehouse', () => {
  it('gets every kind of reply, prints a consistent table and exits with 0', async () => {
    const { url, received } = await gatehouse();
    const { exitCode, figure, printed } = await played(url, 200);
    expect(exitCode, printed).toBe(0);
    expect(figure('all', 'calls')).toBe(received.length + figure('all', 'refused'));
    expect(figure('PostFederationSignup', 'block')).toBeGreaterThan(0);
    expect(figure('PostAttributeCollection', 'invalid')).toBeGreaterThan(0);
    expect(figure('all', 'refused')).toBeGreaterThan(0);
    expect(figure('unknown step', 'continue')).toBeGreaterThan(0);
    const token = ['calls', 'continue', 'refused'].map((column) => figure('PreTokenIssuance', column));
    expect(token[0]).toBe((token[1] ?? 0) + (token[2] ?? 0));
    expect(printed).toMatch(
      /sign-ins by custom policy +completed +repeated +abandoned +without-start\nplayed( +[1-9]\d*){4}/,
    );
    expect(printed).toMatch(/latency in ms +p50 +p95 +p99 +max\nPostFederationSignup +\d/);
  });

  it('makes the same calls for the same seed', async () => {
    const [one, two] = [await gatehouse(), await gatehouse()];
    for (const { url } of [one, two]) await run((io) => main(['--url', url, '--people', '10', '--seed', '7'], io));
    expect(one.received.length).toBeGreaterThan(9);
    expect(two.received.toSorted()).toEqual(one.received.toSorted());
  });

  it('makes the calls of a person sequentially, and repeats some with the same bytes', async () => {
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

describe('npm run simulate with a faulty Gatehouse', () => {
  it('does not slow down when replies are slow: calls do not wait for the replies to others', async () => {
    const waiting: (() => void)[] = [];
    const { url } = await gatehouse((_, __, honest) => {
      // The first call is answered only after thirty calls arrived.
      if (waiting.length >= 30) return false;
      waiting.push(honest);
      if (waiting.length === 30) for (const release of waiting) release();
      return true;
    });
    const { exitCode, figure, printed } = await played(url, 60);
    expect([exitCode, figure('all', 'no answer')], printed).toEqual([0, 0]);
  });

  it('names a reply that is not allowed at its step and exits with 1', async () => {
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

  it('retries a call without an answer once with the same bytes, as B2C does, and exits with 1', async () => {
    const [first] = programme(1, 1);
    const lost = first?.calls[0]?.body ?? '';
    const { url, received } = await gatehouse((body) => body === lost);
    const { exitCode, figure, printed } = await played(url, 5, toTheEnd, 900);
    expect(received.filter((body) => body === lost)).toHaveLength(2);
    expect([exitCode, figure('all', 'no answer'), printed]).toEqual([
      1,
      2,
      expect.stringContaining('timeout after 0.9 s'),
    ]);
  });
});

it('npm run simulate waits for open calls after Ctrl-C, prints the table so far and exits with 130', async () => {
  const stop = new AbortController();
  const { url, received } = await gatehouse(() => {
    if (received.length === 20) stop.abort();
    return false;
  });
  const { exitCode, figure, printed } = await played(url, 1_000, stop.signal);
  expect([exitCode, printed]).toEqual([130, expect.stringContaining('Interrupted')]);
  expect(figure('all', 'calls')).toBe(received.length + figure('all', 'refused'));
  expect(received.length).toBeLessThan(1_000);
});

describe('npm run simulate', () => {
  const FAR = ['--url', 'https://gatehouse.example'];
  it.each([
    ['an address that is not local without --yes', FAR, 'a:b', '--yes'],
    ['an address that is not local without https', ['--url', 'http://gatehouse.example', '--yes'], 'a:b', 'https'],
    ['an address that is not local without a credential', [...FAR, '--yes'], undefined, 'GATEHOUSE_CONNECTOR'],
    ['a credential that is not user:password', [...FAR, '--yes'], 'nonsense', 'user:password'],
    ['a value that is not a URL', ['--url', 'here'], undefined, '--url here'],
    ['a database without --days', ['--database-url', 'postgres://a:b@localhost/c'], undefined, '--days'],
  ])('refuses %s', async (_, args, pair, named) => {
    vi.stubEnv('GATEHOUSE_CONNECTOR', pair);
    const { exitCode, printed } = await run((io) => main(args, io));
    expect([exitCode, printed]).toEqual([2, expect.stringContaining(named)]);
  });

  it('fails with advice when the address does not answer, is not a Gatehouse or refuses the credential', async () => {
    const { url } = await gatehouse();
    const other = await serve((_, response) => response.writeHead(404).end('?'));
    const gone = await serve(() => undefined);
    closing.pop()?.();
    const at = (address: string) => run((io) => main(['--url', address], io));
    expect(await at(gone)).toMatchObject({ exitCode: 1, printed: expect.stringContaining('npm run dev') });
    expect(await at(other)).toMatchObject({ exitCode: 1, printed: expect.stringContaining('is not a Gatehouse') });
    vi.stubEnv('GATEHOUSE_CONNECTOR', 'Test:wrong');
    expect(await at(url)).toMatchObject({ exitCode: 1, printed: expect.stringContaining('GATEHOUSE_CONNECTOR') });
  });

  it.each([
    [['--people', '0'], '--people'],
    [['--rate', 'fast'], '--rate'],
    [['--seed', '-1'], '--seed'],
    [['--days', '0'], '--days'],
    [['--days', '2', '--rate', '5'], 'Leave --rate out.'],
    [['--days', '2', '--url', 'http://localhost:1'], 'Use --database-url'],
    [['--what'], '--what'],
  ])('exits with 2 for the arguments %s and names the option', async (args, named) => {
    const { exitCode, printed } = await run((io) => main(args, io));
    expect([exitCode, printed]).toEqual([2, expect.stringContaining(named)]);
  });

  it('lists the options with --help', () => {
    const script = join(import.meta.dirname, '../../src/local/simulate.ts');
    const { status, stdout } = spawnSync(process.execPath, [script, '--help'], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.stringContaining('--people <n>')]);
  });
});
