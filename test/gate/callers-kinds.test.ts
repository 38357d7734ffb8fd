/** Keys, fixed tokens and JWTs as credentials of a connector: lines 47 to 57, 110 and 113 of the wire contract. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KEY, OTHER_KEY, RIGHT, resultOf, statusOf, TOKEN } from '../support/connector-call.ts';

afterEach(() => vi.restoreAllMocks());

describe('a key in a header', () => {
  it.each(['x-functions-key', 'api-key', 'x-api-key', 'aeg-sas-key', 'X-API-Key'])(
    'a right key in %s is accepted at the door, and a wrong, truncated or longer one is refused (contract 113)',
    async (name) => {
      expect((await statusOf({ headers: { [name]: KEY } })).status).toBe(200);
      for (const wrong of [
        KEY.slice(1),
        KEY.slice(0, -1),
        `${KEY}x`,
        KEY.toUpperCase(),
        `gateway:${KEY}`,
        `${KEY}, ${KEY}`,
      ])
        expect(await statusOf({ headers: { [name]: wrong } })).toEqual({ status: 401, text: '' });
    },
  );

  it('every configured key is valid at the same time, and the result names its line', () => {
    expect(resultOf({ headers: { 'x-api-key': KEY } })).toBe('api-key gateway');
    expect(resultOf({ headers: { 'x-api-key': OTHER_KEY } })).toBe('api-key next');
    expect(
      resultOf({ headers: { 'x-api-key': OTHER_KEY } }, 'custom-policy', { CONNECTOR_KEYS: `gateway:${KEY}` }),
    ).toBe('wrong-credential');
  });

  it('the names of the headers are a setting, and a key in any other header authenticates no one', () => {
    const settings = { CONNECTOR_KEY_HEADERS: 'X-Gateway-Key' };
    expect(resultOf({ headers: { 'x-gateway-key': KEY } }, 'user-flow', settings)).toBe('api-key gateway');
    expect(resultOf({ headers: { 'x-api-key': KEY } }, 'user-flow', settings)).toBe('no-credential');
  });

  it('two headers must both be right, and the first of the setting names the caller', () => {
    expect(resultOf({ headers: { 'x-api-key': KEY, 'api-key': OTHER_KEY } })).toBe('api-key next');
    expect(resultOf({ headers: { 'x-api-key': KEY, 'api-key': 'wrong' } })).toBe('wrong-credential');
  });

  it('a key in a header whose value is not ASCII is compared, and refused', () => {
    expect(resultOf({ headers: { 'x-api-key': 'schl\u00fcssel' } })).toBe('wrong-credential');
    expect(
      resultOf({ headers: { 'x-api-key': 'schl\u00fcssel' } }, 'user-flow', { CONNECTOR_KEYS: 'a:schluessel' }),
    ).toBe('wrong-credential');
  });
});

describe('a key in ?code=', () => {
  const right = `?code=${encodeURIComponent(KEY)}`;

  it('?code= suffices alone on custom-policy routes, and never on user-flow routes (contract 56, 113)', async () => {
    expect(resultOf({ query: right }, 'custom-policy')).toBe('code gateway');
    expect(resultOf({ query: right }, 'user-flow')).toBe('code-alone');
    expect(await statusOf({ query: right })).toEqual({ status: 401, text: '' });
    expect((await statusOf({ query: right, headers: { Authorization: RIGHT } })).status).toBe(200);
  });

  it.each([
    '?code=wrong',
    '?a=b&code=wrong',
    '?Code=wrong',
    '?%63ode=wrong',
    `${right}&code=wrong`,
    `?code=wrong&${right.slice(1)}`,
    '?code=%zz',
    '?code=%00',
  ])('right Basic beside %s is refused, with GET as with POST', async (query) => {
    const presented = { query, headers: { Authorization: RIGHT } };
    expect(await statusOf(presented)).toEqual({ status: 401, text: '' });
    expect((await statusOf(presented, {}, 'GET')).status).toBe(401);
  });

  it('a plus sign in a key counts as itself, written plainly or as %2B', () => {
    expect(resultOf({ query: `?code=${KEY}` })).toBe('code gateway');
    expect(resultOf({ query: `?x=1&code=${KEY.replaceAll('+', '%2B')}#code=wrong` })).toBe('code gateway');
  });

  it('without a configured key ?code= is no credential: it neither helps nor hinders', () => {
    const none = { CONNECTOR_KEYS: '' };
    expect(resultOf({ query: '?code=x', headers: { Authorization: RIGHT } }, 'user-flow', none)).toBe('basic b2c');
    expect(resultOf({ query: '?code=x' }, 'custom-policy', none)).toBe('no-credential');
  });

  it('an empty ?code= presents nothing', () => {
    expect(resultOf({ query: '?code=' })).toBe('no-credential');
    expect(resultOf({ query: '?code', headers: { Authorization: RIGHT } })).toBe('basic b2c');
  });

  it('a query string is in no log line, right or wrong (contract 57)', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    await statusOf({ query: '?code=a-guess-of-someone', headers: { Authorization: RIGHT } });
    await statusOf({ query: `${right}&other=a-secret`, headers: { Authorization: RIGHT } });
    const lines = log.mock.calls.join('\n');
    for (const part of ['a-guess-of-someone', 'a-secret', KEY, encodeURIComponent(KEY), 'code='])
      expect(lines).not.toContain(part);
  });
});

describe('a fixed bearer token', () => {
  it('a right token is accepted with any letter case of the scheme, and a wrong one is refused', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect((await statusOf({ headers: { Authorization: `${scheme} ${TOKEN}` } })).status).toBe(200);
    expect(resultOf({ headers: { Authorization: `Bearer ${TOKEN}` } })).toBe('static-bearer policy');
    for (const wrong of [
      'Bearer',
      'Bearer ',
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Bearer  ${TOKEN}`,
      `Bearer ${TOKEN} ${TOKEN}`,
      `Token ${TOKEN}`,
      TOKEN,
      `Bearer policy:${TOKEN}`,
      `Basic ${TOKEN}`,
      `Bearer a.b.c`,
    ])
      expect([wrong, await statusOf({ headers: { Authorization: wrong } })]).toEqual([
        wrong,
        { status: 401, text: '' },
      ]);
  });
});

describe('a refused JWT', () => {
  it('the log has issuer, audience, client, tenant and the failed check, and never the token or a person (contract 110)', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const part = (value: object) => btoa(JSON.stringify(value)).replace(/=+$/, '');
    const claims = {
      iss: 'https://other.example/v2.0',
      aud: 'api://x',
      azp: 'client-7',
      tid: 'jane@example.com',
      sub: 'jane',
    };
    const token = `${part({ alg: 'RS256', kid: 'k' })}.${part(claims)}.c2lnbmF0dXJl`;
    const issuer = {
      name: 'tenant',
      issuer: 'https://login.example',
      audience: 'a',
      clients: ['c'],
      kind: 'connector',
    };
    const settings = { CONNECTOR_ISSUERS: JSON.stringify([issuer]) };
    expect(await statusOf({ headers: { Authorization: `Bearer ${token}` } }, settings)).toEqual({
      status: 401,
      text: '',
    });
    const lines = log.mock.calls.map(([line]) => String(line));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        event: 'refused',
        route: 'connector',
        reason: 'token-issuer',
        name: '',
        calls: 1,
        iss: claims.iss,
        aud: 'api://x',
        azp: 'client-7',
        tid: '…',
      },
    ]);
    for (const secret of [token, 'jane', 'c2lnbmF0dXJl']) expect(lines.join()).not.toContain(secret);
  });
});
