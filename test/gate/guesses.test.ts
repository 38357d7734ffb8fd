/** Guessing of secrets is slowed, and a correct credential is never locked out by the guesses of others. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GuessCounter } from '../../src/callers/guesses.ts';
import { basic, USER_FLOW } from '../support/call.ts';
import worker from '../support/worker.ts';

/** Counts as Cloudflare does, without a period. */
function counterOf(limit: number): GuessCounter & { readonly keys: Map<string, number> } {
  const keys = new Map<string, number>();
  return {
    keys,
    limit: async ({ key }) => {
      keys.set(key, (keys.get(key) ?? 0) + 1);
      return { success: (keys.get(key) ?? 0) <= limit };
    },
  };
}

let used = 0;
/** Settings with names and addresses of their own: blocks are in the isolate's memory. */
function ownGate(counter: GuessCounter | undefined = counterOf(3)) {
  used += 1;
  const name = `b2c-${used}`;
  const bindings = {
    ...env,
    LOCAL: '',
    CONNECTOR_BASIC: `${name}:the-right-password-1\n${name}-next:the-right-password-2`,
    CONNECTOR_KEYS: 'gateway:the-right-key-of-24-chars',
    ADMIN_BASIC: `${name}:the-right-password-3`,
    GUESSES: counter,
  };
  const ask = async (url: string, address: string, headers: Record<string, string>) => {
    const context = createExecutionContext();
    const request = new Request(url, {
      method: url.startsWith(USER_FLOW) ? 'POST' : 'GET',
      headers: { ...headers, ...(address === '' ? {} : { 'CF-Connecting-IP': address }) },
      ...(url.startsWith(USER_FLOW) ? { body: '{"step":"PreTokenIssuance"}' } : {}),
    });
    const answered = await worker.fetch(request as Parameters<typeof worker.fetch>[0], bindings, context);
    await waitOnExecutionContext(context);
    return answered;
  };
  const call = async (address: string, headers: Record<string, string>, query = '') =>
    (await ask(USER_FLOW + query, address, headers)).status;
  const staff = (address: string, pair: string) =>
    ask('https://gatehouse.example/admin/policy', address, { Authorization: basic(pair) });
  return { name, call, staff, address: (last: number) => `192.0.2.${used * 8 + last}` };
}

const guesses = (count: number) => Array.from({ length: count }, (_, index) => `guess-${index}`);

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('guesses at a connector', () => {
  const RIGHT = 'the-right-password-1';

  it('after too many wrong passwords for a name, its calls from that address get 401 without a comparison for a minute', async () => {
    const { name, call, address } = ownGate();
    const log = vi.spyOn(console, 'log').mockReturnValue();
    for (const guess of guesses(4))
      expect(await call(address(1), { Authorization: basic(`${name}:${guess}`) })).toBe(401);
    const compared = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    expect(await call(address(1), { Authorization: basic(`${name}:guess-more`) })).toBe(401);
    expect(compared).not.toHaveBeenCalled();
    expect(log.mock.calls.join('\n')).toContain('"reason":"too-many-guesses"');
    vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] });
    expect(await call(address(1), { Authorization: basic(`${name}:${RIGHT}`) })).toBe(200);
  });

  it('a correct credential from another address is accepted while guesses at its name are blocked', async () => {
    const { name, call, address } = ownGate();
    for (const guess of guesses(50)) await call(address(1), { Authorization: basic(`${name}:${guess}`) });
    expect(await call(address(2), { Authorization: basic(`${name}:${RIGHT}`) })).toBe(200);
  });

  it('a correct credential of another name or kind at the same address is accepted', async () => {
    const { name, call, address } = ownGate();
    for (const guess of guesses(50)) await call(address(1), { Authorization: basic(`${name}:${guess}`) });
    expect(await call(address(1), { Authorization: basic(`${name}-next:the-right-password-2`) })).toBe(200);
    expect(await call(address(1), { 'x-api-key': 'the-right-key-of-24-chars' })).toBe(200);
  });

  it('a credential that was right from an address is accepted there during guesses: B2C’s addresses are shared', async () => {
    const { name, call, address } = ownGate();
    expect(await call(address(1), { Authorization: basic(`${name}:${RIGHT}`) })).toBe(200);
    for (const guess of guesses(50)) await call(address(1), { Authorization: basic(`${name}:${guess}`) });
    expect(await call(address(1), { Authorization: basic(`${name}:${RIGHT}`) })).toBe(200);
    expect(await call(address(1), { Authorization: basic(`${name}:guess`) })).toBe(401);
  });

  it('a ?code= that was right beside Basic is accepted during guesses at ?code= from the same address', async () => {
    const { name, call, address } = ownGate();
    const right = { Authorization: basic(`${name}:${RIGHT}`) };
    const code = '?code=the-right-key-of-24-chars';
    expect(await call(address(1), right, code)).toBe(200);
    for (const guess of guesses(50)) await call(address(1), {}, `?code=${guess}`);
    expect(await call(address(1), right, code)).toBe(200);
  });

  it('guesses at unknown names, of strangers without a credential and of broken ones block no configured name', async () => {
    const { name, call, address } = ownGate();
    for (const guess of guesses(50)) {
      await call(address(1), { Authorization: basic(`unknown-${guess}:x`) });
      await call(address(1), {});
      await call(address(1), { Authorization: 'Basic !!!' });
    }
    expect(await call(address(1), { Authorization: basic(`${name}:${RIGHT}`) })).toBe(200);
  });

  it('guesses at keys are blocked by address, and a right key from another address is accepted', async () => {
    const { call, address } = ownGate();
    for (const guess of guesses(10)) await call(address(1), { 'x-api-key': guess });
    const compared = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    expect(await call(address(1), { 'x-api-key': 'guess-more' })).toBe(401);
    expect(compared).not.toHaveBeenCalled();
    expect(await call(address(2), { 'x-api-key': 'the-right-key-of-24-chars' })).toBe(200);
  });

  it('addresses of one IPv6 network of 64 bits count as one, and those of another do not', async () => {
    const { name, call } = ownGate();
    const network = `2001:db8:${used}`;
    for (const [index, guess] of guesses(10).entries())
      await call(`${network}:7::${index + 1}`, { Authorization: basic(`${name}:${guess}`) });
    const compared = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    expect(await call(`${network}:7:a:b:c:d`, { Authorization: basic(`${name}:guess`) })).toBe(401);
    expect(compared).not.toHaveBeenCalled();
    expect(await call(`${network}:8::1`, { Authorization: basic(`${name}:${RIGHT}`) })).toBe(200);
  });

  it('without an address nothing is blocked', async () => {
    const { name, call } = ownGate();
    for (const guess of guesses(50)) await call('', { Authorization: basic(`${name}:${guess}`) });
    expect(await call('', { Authorization: basic(`${name}:${RIGHT}`) })).toBe(200);
  });

  it('a counter that is missing, fails or hangs fails no call', async () => {
    const failing: GuessCounter = { limit: () => Promise.reject(new Error('away')) };
    const throwing: GuessCounter = {
      limit: () => {
        throw new Error('away');
      },
    };
    const hanging: GuessCounter = { limit: () => new Promise(() => undefined) };
    for (const counter of [undefined, failing, throwing, hanging]) {
      const { name, call, staff, address } = ownGate(counter);
      expect(await call(address(1), { Authorization: basic(`${name}:guess`) })).toBe(401);
      expect((await staff(address(1), `${name}:guess`)).status).toBe(401);
      expect(await call(address(1), { Authorization: basic(`${name}:${RIGHT}`) })).toBe(200);
    }
  });
});

describe('guesses at a staff address', () => {
  const RIGHT = 'the-right-password-3';

  it('after too many wrong passwords from one address, further wrong ones get 429 with Retry-After', async () => {
    const { name, staff, address } = ownGate();
    for (const guess of guesses(3)) expect((await staff(address(1), `${guess}:x`)).status).toBe(401);
    const answered = await staff(address(1), `${name}:guess`);
    expect([answered.status, answered.headers.get('Retry-After')]).toEqual([429, '60']);
    expect(await answered.json()).toMatchObject({ code: 'too-many-guesses', status: 429 });
    expect((await staff(address(2), 'someone:x')).status).toBe(401);
  });

  it('after too many wrong passwords for one name from many addresses, further wrong ones get 429', async () => {
    const { name, staff, address } = ownGate();
    const statuses: number[] = [];
    for (const [index, guess] of guesses(5).entries())
      statuses.push((await staff(address(index), `${name}:${guess}`)).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
  });

  it('a correct credential is admitted during guesses, from the same address and with the same name', async () => {
    const { name, staff, address } = ownGate();
    for (const guess of guesses(20)) await staff(address(1), `${name}:${guess}`);
    expect((await staff(address(1), `${name}:guess`)).status).toBe(429);
    expect((await staff(address(1), `${name}:${RIGHT}`)).status).not.toBe(429);
    expect((await staff(address(1), `${name}:${RIGHT}`)).status).not.toBe(401);
  });

  it('a request without a credential is never answered with 429: a browser sends it before it asks for one', async () => {
    const counter = counterOf(0);
    const { staff, address } = ownGate(counter);
    expect((await staff(address(1), '')).status).toBe(401);
    expect(counter.keys.size).toBe(0);
  });
});

it('the binding of wrangler.toml counts in this runtime', async () => {
  const key = crypto.randomUUID();
  const outcomes: boolean[] = [];
  for (let call = 0; call < 31; call += 1) outcomes.push((await env.GUESSES.limit({ key })).success);
  expect(outcomes.filter((success) => success)).toHaveLength(30);
});
