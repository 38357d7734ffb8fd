/** The keys of token issuers: their age, the pauses between fetches, and issuers that misbehave. */
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { TokenIssuer } from '../../../src/callers/credential.ts';
import { verifyJwt } from '../../../src/callers/json-web-token.ts';
import type { TokenWorld } from '../../../src/callers/signing-keys.ts';

const NOW = Date.parse('2026-11-27T08:00:00Z');
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

const pairs = await Promise.all(
  ['a', 'b'].map(async (kid) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid } as JWK };
  }),
);
const [first, second] = pairs as [(typeof pairs)[number], (typeof pairs)[number]];

let used = 0;
/** An issuer of its own, since keys stay in memory. */
function anIssuer() {
  const address = `https://issuer-${used++}.example`;
  const entry: TokenIssuer = {
    name: 'tenant',
    issuer: address,
    metadata: `${address}/.well-known/openid-configuration`,
    audience: ['gatehouse'],
    clients: ['b2c'],
    kind: 'connector',
  };
  let keys: readonly unknown[] = [first.jwk];
  let answer: ((url: string) => Promise<Response>) | undefined;
  let delayMs = 0;
  const fetched: string[] = [];
  /** How fetches treat a redirect. */
  const redirects: unknown[] = [];
  const logged: Record<string, string>[] = [];
  const background: Promise<unknown>[] = [];
  const world = (now: number): TokenWorld => ({
    now,
    local: false,
    fetchLimitMs: 50,
    later: (work) => background.push(work),
    log: (event, fields) => logged.push({ event, ...fields }),
    fetch: (async (url: string, init: RequestInit) => {
      fetched.push(String(url));
      redirects.push(init.redirect);
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (answer !== undefined) return answer(String(url));
      const metadata = { issuer: address, jwks_uri: `${address}/keys` };
      return Response.json(url === entry.metadata ? metadata : { keys });
    }) as unknown as typeof fetch,
  });
  const present = async (pair: typeof first, now: number, other: Partial<TokenIssuer> = {}) => {
    const token = await new SignJWT({ iss: address, aud: 'gatehouse', azp: 'b2c', exp: now / SECOND + 300 })
      .setProtectedHeader({ alg: 'ES256', kid: pair.kid })
      .sign(pair.privateKey);
    const result = await verifyJwt(token, [{ ...entry, ...other }], world(now));
    return result.ok ? 'accepted' : result.reason;
  };
  return {
    address,
    fetched,
    redirects,
    logged,
    present,
    settled: () => Promise.all(background),
    slowDown: (toMs: number) => {
      delayMs = toMs;
    },
    rotate: (to: readonly unknown[]) => {
      keys = to;
    },
    misbehave: (how: ((url: string) => Promise<Response>) | undefined) => {
      answer = how;
    },
  };
}

describe('the age of signing keys', () => {
  it('keys that are fresh are used without a fetch', async () => {
    const issuer = anIssuer();
    expect(await issuer.present(first, NOW)).toBe('accepted');
    expect(issuer.fetched).toHaveLength(2);
    for (let after = MINUTE; after < HOUR; after += 7 * MINUTE)
      expect(await issuer.present(first, NOW + after)).toBe('accepted');
    expect(issuer.fetched).toHaveLength(2);
  });

  it('keys older than an hour are used at once and renewed in the background', async () => {
    const issuer = anIssuer();
    await issuer.present(first, NOW);
    issuer.rotate([second.jwk]);
    expect(await issuer.present(first, NOW + HOUR)).toBe('accepted');
    await issuer.settled();
    expect(issuer.fetched).toHaveLength(4);
    expect(await issuer.present(second, NOW + HOUR + SECOND)).toBe('accepted');
    expect(await issuer.present(first, NOW + HOUR + SECOND)).toBe('token-key');
  });

  it('the last good keys count for 24 hours while the issuer is away, which is tried once a minute, and then no more', async () => {
    const issuer = anIssuer();
    await issuer.present(first, NOW);
    issuer.misbehave(() => Promise.reject(new TypeError('fetch failed')));
    for (const after of [2 * HOUR, 2 * HOUR + 30 * SECOND, 2 * HOUR + 59 * SECOND])
      expect(await issuer.present(first, NOW + after)).toBe('accepted');
    await issuer.settled();
    expect(issuer.fetched).toHaveLength(3);
    expect(await issuer.present(first, NOW + 24 * HOUR - SECOND)).toBe('accepted');
    await issuer.settled();
    expect(await issuer.present(first, NOW + 24 * HOUR + SECOND * 30)).toBe('token-keys-unavailable');
    expect(issuer.logged.at(-1)).toEqual({
      event: 'signing-keys-failed',
      issuer: 'tenant',
      why: 'the issuer could not be reached',
    });
    issuer.misbehave(undefined);
    expect(await issuer.present(first, NOW + 24 * HOUR + 40 * SECOND)).toBe('accepted');
  });

  it('an unknown key id fetches the keys once more, and at most once a minute', async () => {
    const issuer = anIssuer();
    await issuer.present(first, NOW);
    issuer.rotate([first.jwk, second.jwk]);
    expect(await issuer.present(second, NOW + SECOND)).toBe('accepted');
    expect(issuer.fetched).toHaveLength(4);
    const unknown = { ...second, kid: 'unknown' };
    for (let call = 2; call < 60; call += 1)
      expect(await issuer.present(unknown, NOW + call * SECOND)).toBe('token-key');
    expect(issuer.fetched).toHaveLength(4);
    expect(await issuer.present(unknown, NOW + 62 * SECOND)).toBe('token-key');
    expect(issuer.fetched).toHaveLength(6);
    expect(await issuer.present(first, NOW + 62 * SECOND)).toBe('accepted');
  });

  it('an unknown key id in the first call of an isolate fetches once', async () => {
    const issuer = anIssuer();
    expect(await issuer.present(second, NOW)).toBe('token-key');
    expect(issuer.fetched).toHaveLength(2);
  });

  it('calls at the same time fetch the keys once, in a new isolate and for a new key, and all of them are accepted', async () => {
    const issuer = anIssuer();
    issuer.slowDown(10);
    const all = (pair: typeof first, now: number) =>
      Promise.all(Array.from({ length: 20 }, () => issuer.present(pair, now)));
    expect(new Set(await all(first, NOW))).toEqual(new Set(['accepted']));
    expect(issuer.fetched).toHaveLength(2);
    issuer.rotate([first.jwk, second.jwk]);
    expect(new Set(await all(second, NOW + SECOND))).toEqual(new Set(['accepted']));
    expect(issuer.fetched).toHaveLength(4);
  });

  it('calls that wait for another call’s fetch do not hang when that fetch never ends', async () => {
    const issuer = anIssuer();
    issuer.misbehave(() => new Promise(() => undefined));
    const results = await Promise.all(Array.from({ length: 5 }, () => issuer.present(first, NOW)));
    expect(new Set(results)).toEqual(new Set(['token-keys-unavailable']));
    expect(issuer.fetched).toHaveLength(1);
  });
});

/** Chunks without end. `sent` counts the bytes. */
function endless(sent: { bytes: number }) {
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
      sent.bytes += 64 * 1024;
    },
  });
}

describe('an issuer that misbehaves', () => {
  const isKeys = (url: string) => url.endsWith('/keys');
  const metadataOf = (issuer: string) => Response.json({ issuer, jwks_uri: `${issuer}/keys` });
  const cases: [what: string, why: string, (issuer: string) => (url: string) => Promise<Response>][] = [
    ['never answers', 'the issuer did not answer within 50 ms', () => () => new Promise(() => undefined)],
    [
      'sends a body that hangs',
      'the issuer did not answer within 50 ms',
      (issuer) => async (url) => (isKeys(url) ? new Response(new ReadableStream()) : metadataOf(issuer)),
    ],
    [
      'answers with an error',
      'the issuer answered with status 500',
      () => async () => new Response('{}', { status: 500 }),
    ],
    [
      'answers with a redirect',
      'the issuer answered with status 302',
      () => async () => new Response(null, { status: 302, headers: { Location: 'https://attacker.example/' } }),
    ],
    ['answers with a page', 'the issuer answered no JSON object', () => async () => new Response('<html>')],
    [
      'answers with a list',
      'the key set has no list of keys',
      (issuer) => async (url) => (isKeys(url) ? Response.json([]) : metadataOf(issuer)),
    ],
    ['answers with null', 'the issuer answered no JSON object', () => async () => Response.json(null)],
    [
      'names another issuer',
      'the metadata names another issuer than the setting',
      () => async () => metadataOf('https://other.example'),
    ],
    [
      'names no issuer',
      'the metadata names no issuer',
      () => async () => Response.json({ jwks_uri: 'https://x.example' }),
    ],
    [
      'names keys without https',
      'the jwks_uri of the metadata is no https URL',
      (issuer) => async () => Response.json({ issuer, jwks_uri: 'http://127.0.0.1/keys' }),
    ],
    [
      'has only unusable keys',
      'the key set has no usable key',
      (issuer) => async (url) =>
        isKeys(url)
          ? Response.json({
              keys: [
                null,
                7,
                {},
                { kid: 'a', kty: 'oct', k: 'AAAA' },
                { ...first.jwk, kid: undefined },
                { ...first.jwk, use: 'enc' },
              ],
            })
          : metadataOf(issuer),
    ],
  ];
  it.each(cases)('tokens of an issuer are refused and the log says why: it %s', async (_, why, how) => {
    const issuer = anIssuer();
    issuer.misbehave(how(issuer.address));
    expect(await issuer.present(first, NOW)).toBe('token-keys-unavailable');
    expect(issuer.logged).toEqual([{ event: 'signing-keys-failed', issuer: 'tenant', why }]);
    expect(new Set(issuer.redirects)).toEqual(new Set(['manual']));
  });

  it('a key set of 10 MB is not read beyond 256 KiB', async () => {
    const issuer = anIssuer();
    const sent = { bytes: 0 };
    issuer.misbehave(async (url) => (isKeys(url) ? new Response(endless(sent)) : metadataOf(issuer.address)));
    expect(await issuer.present(first, NOW)).toBe('token-keys-unavailable');
    expect(issuer.logged).toMatchObject([{ why: "the issuer's answer is larger than 262144 bytes" }]);
    expect(sent.bytes).toBeLessThan(1024 * 1024);
  });

  it('without keys an issuer is asked at most every five seconds', async () => {
    const issuer = anIssuer();
    issuer.misbehave(() => Promise.reject(new TypeError('fetch failed')));
    for (let after = 0; after < 5 * SECOND; after += 500) await issuer.present(first, NOW + after);
    expect(issuer.fetched).toHaveLength(1);
    issuer.misbehave(undefined);
    expect(await issuer.present(first, NOW + 5 * SECOND)).toBe('accepted');
  });

  it('a key that was withdrawn does not verify, and one for another algorithm neither', async () => {
    const issuer = anIssuer();
    issuer.rotate([{ ...first.jwk, alg: 'ES384' }]);
    expect(await issuer.present(first, NOW)).toBe('token-key');
  });
});

it('an issuer that is known by its metadata alone accepts tokens of the issuer that the metadata names', async () => {
  const issuer = anIssuer();
  expect(await issuer.present(first, NOW, { issuer: undefined as never })).toBe('accepted');
});
