/** `npm run simulate` against a server that answers as Gatehouse does, or does not: the tables, and the exit code. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Refusal } from '../../local/commands/ending.ts';
import { playLive } from '../../local/simulate/live.ts';
import { programme } from '../../local/simulate/programme.ts';
import { targetAt } from '../../local/simulate/target.ts';
import { simulate } from '../../local/simulate.ts';
import { readConfig } from '../../src/config.ts';
import { answer } from '../../src/gate/answer.ts';
import { KvWorld } from '../../src/gate/know.ts';
import { userFlowDoor } from '../../src/gate/user-flow/door.ts';
import { stepNamed } from '../../src/gate/user-flow/request.ts';
import { within } from '../../src/within.ts';

const RIGHT = `Basic ${btoa('Test:Test')}`;
const config = readConfig({ LOCAL: 'yes', SUPPORT_CODE_KEY: 'a key for tests, long enough to count' });
const nobodyKnown = {
  get: async (keys: readonly string[]) => new Map(keys.map((key) => [key, null])),
} as unknown as KVNamespace;

type Answered = { status: number; body?: string };
interface Received {
  readonly body: string;
  readonly authorization: string;
  /** Gatehouse's own answer. */
  readonly honest: Answered;
}

const closing: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) close();
});

/** Answers as Gatehouse, unless `spoil` has another answer, or 'nothing' for none. `received` holds the calls, in order. */
async function gatehouse(
  spoil: (call: Received, response: ServerResponse) => Answered | 'nothing' | undefined = () => undefined,
) {
  const received: Received[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const authorization = request.headers.authorization ?? '';
    const body = await text(request);
    if (authorization !== RIGHT) return void response.writeHead(401).end();
    if (request.method === 'GET') return void response.writeHead(200).end();
    const url = `http://gatehouse.example${request.url}`;
    const startedAt = Date.now();
    const deadline = startedAt + config.DECISION_TIMEOUT_MS;
    const world = new KvWorld({ kv: nobodyKnown, config, startedAt, deadline, within, later: () => undefined });
    const { reply } = await answer(userFlowDoor, world, {
      request: new Request(url, { method: 'POST', body }),
      urlStep: stepNamed(request.url?.split('/')[3] ?? ''),
      caller: 'Test',
      startedAt,
      decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
      within,
    });
    const call = { body, authorization, honest: reply };
    received.push(call);
    const answered = spoil(call, response) ?? reply;
    if (answered === 'nothing') return;
    response.writeHead(answered.status, { 'Content-Type': 'application/json' }).end(answered.body);
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** Runs it to its end, and returns what it printed, with its figures by row and column. */
async function run(work: () => Promise<number>) {
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  const exitCode = await work();
  const lines = printed.join('\n').split('\n');
  const header = lines.find((line) => line.startsWith('replies')) ?? '';
  const columns = header.split(/ {2,}/).slice(1);
  const count = (row: string, column: string) => {
    const cells =
      lines
        .slice(lines.indexOf(header))
        .find((line) => line.startsWith(row))
        ?.split(/ {2,}/) ?? [];
    return Number(cells[columns.indexOf(column) + 1] ?? 0);
  };
  return { exitCode, printed: printed.join('\n'), count };
}

const arguments_ = (url: string, people: number) => ['--url', url, '--people', `${people}`, '--rate', '2000'];

describe('a Gatehouse that answers as it should', () => {
  it('gives every kind of reply, a table that adds up, and exit code 0', async () => {
    const { url, received } = await gatehouse();
    const { exitCode, count, printed } = await run(() => simulate(arguments_(url, 200)));
    expect(exitCode, printed).toBe(0);
    expect(count('all', 'calls')).toBe(received.length + count('all', 'refused'));
    expect(count('PostFederationSignup', 'block')).toBeGreaterThan(0);
    expect(count('PostAttributeCollection', 'invalid')).toBeGreaterThan(0);
    expect(count('all', 'refused')).toBeGreaterThan(0);
    expect(count('no step that we know', 'continue')).toBeGreaterThan(0);
    expect(count('PreTokenIssuance', 'calls')).toBe(
      count('PreTokenIssuance', 'continue') + count('PreTokenIssuance', 'refused'),
    );
    expect(printed).toMatch(/latency in ms +p50 +p95 +p99 +max\nPostFederationSignup +\d/);
  });

  it('sees the same calls when the same seed is played again', async () => {
    const [one, two] = [await gatehouse(), await gatehouse()];
    for (const { url } of [one, two]) await run(() => simulate([...arguments_(url, 40), '--seed', '7']));
    const bodies = (calls: Received[]) =>
      calls.map(({ body }) => body.replaceAll(/[0-9A-Z]{5}-[0-9A-Z]{5}/g, '')).toSorted();
    expect(bodies(two.received)).toEqual(bodies(one.received));
  });

  it('gets the calls of a person one after another, and those that B2C makes twice with equal bytes', async () => {
    const { url, received } = await gatehouse();
    await run(() => simulate(arguments_(url, 100)));
    for (const { calls } of programme(1, 100)) {
      const expected = calls
        .filter(({ credential }) => credential === 'own')
        .flatMap(({ body, twice }) => (twice ? [body, body] : [body]));
      const seen = received.map(({ body }) => body).filter((body) => expected.includes(body));
      expect(expected.slice(0, seen.length)).toEqual(seen);
      expect(seen.length).toBeGreaterThan(calls.some(({ credential }) => credential === 'wrong') ? -1 : 0);
    }
  });
});

describe('a slow Gatehouse', () => {
  it('meets as many arrivals as a fast one: calls do not wait for the answers to others', async () => {
    const held: (() => void)[] = [];
    let heldLongEnough = false;
    const { url } = await gatehouse(({ honest }, response) => {
      if (heldLongEnough) return honest;
      held.push(() => response.writeHead(honest.status, { 'Content-Type': 'application/json' }).end(honest.body));
      // Nobody is answered before thirty calls have come.
      heldLongEnough = held.length === 30;
      if (heldLongEnough) for (const release of held) release();
      return 'nothing';
    });
    const { exitCode, count, printed } = await run(() => simulate(arguments_(url, 60)));
    expect([exitCode, count('all', 'no answer')], printed).toEqual([0, 0]);
  });
});

describe('a Gatehouse that misbehaves', () => {
  const blocksEverybody = { status: 200, body: '{"version":"1","action":"ShowBlockPage","userMessage":"No."}' };

  it('by a reply that its step does not allow is told of, and gives exit code 1', async () => {
    const { url } = await gatehouse(() => blocksEverybody);
    const { exitCode, count, printed } = await run(() => simulate(arguments_(url, 50)));
    expect(exitCode).toBe(1);
    expect(count('PreTokenIssuance', 'not allowed')).toBe(
      count('PreTokenIssuance', 'calls') - count('PreTokenIssuance', 'refused'),
    );
    expect(count('PostAttributeCollection', 'not allowed')).toBe(0);
    expect(printed).toContain('PreTokenIssuance: ShowBlockPage, which B2C ignores here');
  });

  it('by not answering gets B2C’s one retry with equal bytes, is told of, and gives exit code 1', async () => {
    const [first] = programme(1, 1);
    const lost = first?.calls[0]?.body ?? '';
    const { url, received } = await gatehouse(({ body }) => (body === lost ? 'nothing' : undefined));
    const target = targetAt(url, undefined, false, 1_500);
    const { exitCode, count, printed } = await run(() =>
      playLive(target, { people: 5, seed: 1, callsPerSecond: 100, stop: new AbortController().signal }),
    );
    expect(exitCode).toBe(1);
    expect(received.filter(({ body }) => body === lost)).toHaveLength(2);
    expect([count('all', 'no answer'), printed]).toEqual([2, expect.stringContaining('not within 1.5 s')]);
  });

  it('by breaking off once is not held against it twice: the person goes on after the retry', async () => {
    let broken = '';
    const { url, received } = await gatehouse(({ body }, response) => {
      if (broken !== '') return undefined;
      broken = body;
      response.destroy();
      return 'nothing';
    });
    const { exitCode, count } = await run(() => simulate(arguments_(url, 10)));
    expect([exitCode, count('all', 'no answer')]).toEqual([1, 1]);
    expect(received.filter(({ body }) => body === broken).length).toBeGreaterThanOrEqual(2);
  });
});

describe('Ctrl-C', () => {
  it('ends with the table of what there is, once the calls under way are answered', async () => {
    const stop = new AbortController();
    const { url, received } = await gatehouse(() => {
      if (received.length === 20) stop.abort();
      return undefined;
    });
    const live = { people: 1_000, seed: 1, callsPerSecond: 500, stop: stop.signal };
    const { exitCode, count, printed } = await run(() => playLive(targetAt(url, undefined, false), live));
    expect([exitCode, printed]).toEqual([130, expect.stringContaining('Cut off')]);
    expect(count('all', 'calls')).toBe(received.length + count('all', 'refused'));
    expect(received.length).toBeLessThan(500);
  });
});

describe('before anything is played', () => {
  const refusal = (args: string[], pair?: string) => {
    vi.stubEnv('GATEHOUSE_CONNECTOR', pair);
    return simulate(args).then(
      () => new Error('It was played.'),
      (error: unknown) => error,
    );
  };

  it('an address that is not local needs --yes, https and a credential', async () => {
    const far = ['--url', 'https://gatehouse.example'];
    const problems = [
      await refusal(far, 'a:b'),
      await refusal(['--url', 'http://gatehouse.example', '--yes'], 'a:b'),
      await refusal([...far, '--yes']),
      await refusal([...far, '--yes'], 'nonsense'),
    ];
    expect(problems).toEqual([
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('--yes') }),
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('https') }),
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('GATEHOUSE_CONNECTOR') }),
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('user:password') }),
    ]);
  });

  it('a Gatehouse that does not run, refuses the credential, or is none, is told with what to do', async () => {
    const { url } = await gatehouse();
    const gone = await gatehouse();
    closing.pop()?.();
    const other = createServer((_, response) => response.writeHead(404).end('?'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    closing.push(() => other.close());
    const another = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await refusal(['--url', gone.url])).toMatchObject({ message: expect.stringContaining('npm run dev') });
    expect(await refusal(['--url', url], 'Test:wrong')).toMatchObject({
      message: expect.stringContaining('GATEHOUSE_CONNECTOR'),
    });
    expect(await refusal(['--url', another])).toMatchObject({ message: expect.stringContaining('not as a Gatehouse') });
  });

  it('wrong arguments are named', async () => {
    for (const [args, named] of [
      [['--people', '0'], '--people'],
      [['--rate', 'fast'], '--rate'],
      [['--seed', '-1'], '--seed'],
      [['--days', '0'], '--days'],
      [['--days', '2', '--rate', '5'], '--rate'],
      [['--database-url', 'postgres://a:b@localhost/c'], '--database-url'],
      [['--what'], '--what'],
      [['--url', 'here'], '--url'],
    ] as const) {
      const problem = await refusal([...args]);
      expect(problem).toBeInstanceOf(Refusal);
      expect(problem).toMatchObject({ exitCode: 2, message: expect.stringContaining(named) });
    }
  });
});
