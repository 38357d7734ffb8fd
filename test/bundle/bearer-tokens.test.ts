/** Tokens of a real OpenID provider, and forged ones, at the built gate (contract 68, 110). */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, importJWK } from 'jose';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { ownGatehouse } from '../support/gatehouse.ts';
import { AUDIENCE, CLIENT, OTHER_CLIENT, startIssuer } from '../support/token-issuer.ts';

const provider = await startIssuer();
/** An issuer that never sends the end of its keys, and one whose keys have 10 MB. */
const badIssuer = createServer((request, response) => {
  const [, which, ...path] = request.url?.split('/') ?? [];
  const issuer = `${badUrl()}/${which}`;
  response.setHeader('Content-Type', 'application/json');
  if (path.join('/') !== 'keys') response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }));
  else if (which === 'large') response.end(`{"keys":[],"padding":"${'x'.repeat(10_000_000)}"}`);
  else response.write('{"keys":[');
});
await new Promise<void>((resolve) => badIssuer.listen(0, '127.0.0.1', resolve));
const badUrl = () => `http://127.0.0.1:${(badIssuer.address() as AddressInfo).port}`;

const gatehouse = ownGatehouse({
  CONNECTOR_ISSUERS: JSON.stringify([
    ...['hanging', 'large'].map((name) => ({
      name,
      issuer: `${badUrl()}/${name}`,
      audience: AUDIENCE,
      clients: [CLIENT],
      kind: 'connector',
    })),
    { name: 'tenant', issuer: provider.issuer, audience: AUDIENCE, clients: [CLIENT], kind: 'connector' },
  ]),
});
afterAll(async () => {
  badIssuer.closeAllConnections();
  badIssuer.close();
  await provider.close();
});

const CLIENT_ID = crypto.randomUUID();
async function callWith(headers: Record<string, string>) {
  const answered = await fetch(`${gatehouse.url()}/connectors/user-flow/PreTokenIssuance`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ step: 'PreTokenIssuance', client_id: CLIENT_ID }),
  });
  return { status: answered.status, text: await answered.text() };
}
const statusOf = async (authorization: string) => (await callWith({ Authorization: authorization })).status;

const seconds = () => Math.floor(Date.now() / 1_000);
const claims = (other: Record<string, unknown> = {}) => ({
  iss: provider.issuer,
  aud: AUDIENCE,
  client_id: CLIENT,
  sub: CLIENT,
  iat: seconds(),
  exp: seconds() + 600,
  ...other,
});
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('tokens of an OpenID provider', () => {
  it('a token that a real OpenID provider issued is accepted, and the attempt names the issuer’s entry', async () => {
    const answered = await callWith({ Authorization: `Bearer ${await provider.token()}` });
    expect(answered).toMatchObject({ status: 200, text: expect.stringContaining('"Continue"') });
    const headers = { Authorization: `Basic ${btoa('support:support')}` };
    const attempts = await vi.waitUntil(
      async () => {
        const listed = await fetch(`${gatehouse.url()}/reports/attempts?clientId=${CLIENT_ID}`, { headers });
        const json = (await listed.json()) as { attempts: { caller: string }[] };
        return json.attempts.length > 0 ? json.attempts : false;
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(attempts[0]).toMatchObject({ caller: 'tenant' });
  });

  it('the scheme of a token is case-insensitive, and Basic beside it is refused', async () => {
    const token = await provider.token();
    expect(await statusOf(`bearer ${token}`)).toBe(200);
    expect(await statusOf(`BEARER ${token}`)).toBe(200);
    expect(await statusOf(`Basic ${btoa('Test:Test')}, Bearer ${token}`)).toBe(401);
  });

  it('a token within the clock skew of a minute is accepted, and beyond it refused', async () => {
    const at = async (other: object) => statusOf(`Bearer ${await provider.sign(claims({ ...other }))}`);
    expect(await at({ exp: seconds() - 30 })).toBe(200);
    expect(await at({ nbf: seconds() + 30 })).toBe(200);
    expect(await at({ exp: seconds() - 90 })).toBe(401);
    expect(await at({ nbf: seconds() + 90 })).toBe(401);
  });

  it('a client is named by azp, appid or client_id, and each that is present must be allowed', async () => {
    const { client_id: _, ...none } = claims();
    const as = async (other: object) => statusOf(`Bearer ${await provider.sign({ ...none, ...other })}`);
    expect(await as({ azp: CLIENT })).toBe(200);
    expect(await as({ appid: CLIENT })).toBe(200);
    expect(await as({ azp: CLIENT, appid: OTHER_CLIENT })).toBe(401);
    expect(await as({ client_id: CLIENT, azp: 7 })).toBe(401);
    expect(await as({})).toBe(401);
  });
});

const attacker = await generateKeyPair('RS256', { extractable: true });
const attackerJwk = await exportJWK(attacker.publicKey);
const pem = await exportSPKI((await importJWK(provider.publicJwk, 'RS256', { extractable: true })) as CryptoKey);
const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
/** HS256 with a text of the public key as the shared secret. */
const hmac = (secret: string | Buffer, alg = 'HS256') => {
  const input = `${encode({ alg, typ: 'at+jwt', kid: provider.kid })}.${encode(claims())}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};
const unsigned = (alg: unknown, signature = '') =>
  `${encode({ alg, typ: 'at+jwt', kid: provider.kid })}.${encode(claims())}.${signature}`;
const parts = (token: string) => token.split('.') as [string, string, string];
/** The token with the first byte of its signature changed. */
const flipped = (token: string) => {
  const [header, body, signature] = parts(token);
  return `${header}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
};
/** The signature of one token under the claims of another. */
const swapped = async (other: Record<string, unknown>) => {
  const [header, , signature] = parts(await provider.sign(claims()));
  return `${header}.${encode(claims(other))}.${signature}`;
};

/** Each with the whole header that it is sent in. */
const FORGED: [what: string, header: () => string | Promise<string>][] = [
  ['alg none', () => `Bearer ${unsigned('none')}`],
  ['alg None with a signature', () => `Bearer ${unsigned('None', 'AAAA')}`],
  ['alg none with a signature', () => `Bearer ${unsigned('none', 'AAAA')}`],
  ['no alg', () => `Bearer ${unsigned(undefined, 'AAAA')}`],
  ['alg of another type', () => `Bearer ${unsigned(['RS256'], 'AAAA')}`],
  ['alg of the prototype', () => `Bearer ${unsigned('constructor', 'AAAA')}`],
  ['HS256 with the public key as PEM', () => `Bearer ${hmac(pem)}`],
  ['HS256 with the public key as DER', () => `Bearer ${hmac(der)}`],
  ['HS256 with the public key as JWK', () => `Bearer ${hmac(JSON.stringify(provider.publicJwk))}`],
  ['HS256 with an empty key', () => `Bearer ${hmac('\0')}`],
  ['an HMAC that names RS256', () => `Bearer ${hmac(der, 'RS256')}`],
  ['another audience', async () => `Bearer ${await provider.sign(claims({ aud: 'https://other.example' }))}`],
  ['the audience as a prefix', async () => `Bearer ${await provider.sign(claims({ aud: `${AUDIENCE}/more` }))}`],
  ['no audience', async () => `Bearer ${await provider.sign(claims({ aud: undefined }))}`],
  ['an audience that is an object', async () => `Bearer ${await provider.sign(claims({ aud: { [AUDIENCE]: 1 } }))}`],
  ['another issuer', async () => `Bearer ${await provider.sign(claims({ iss: 'https://other.example' }))}`],
  ['the issuer with a slash', async () => `Bearer ${await provider.sign(claims({ iss: `${provider.issuer}/` }))}`],
  ['no issuer', async () => `Bearer ${await provider.sign(claims({ iss: undefined }))}`],
  ['another client of the provider', async () => `Bearer ${await provider.token(OTHER_CLIENT)}`],
  [
    'a client with other letters',
    async () => `Bearer ${await provider.sign(claims({ client_id: CLIENT.toUpperCase() }))}`,
  ],
  ['expired', async () => `Bearer ${await provider.sign(claims({ exp: seconds() - 3_600 }))}`],
  ['no expiry', async () => `Bearer ${await provider.sign(claims({ exp: undefined }))}`],
  ['an expiry that is a text', async () => `Bearer ${await provider.sign(claims({ exp: '9999999999' }))}`],
  ['not yet valid', async () => `Bearer ${await provider.sign(claims({ nbf: seconds() + 3_600 }))}`],
  ['an unknown key id', async () => `Bearer ${await provider.sign(claims(), { kid: 'no-such-key' })}`],
  ['no key id', async () => `Bearer ${await provider.sign(claims(), { kid: undefined as never })}`],
  ['a key id that is a path', async () => `Bearer ${await provider.sign(claims(), { kid: '../../../dev/null' })}`],
  ['the key of an attacker', async () => `Bearer ${await provider.sign(claims(), {}, attacker.privateKey)}`],
  ['an embedded key', async () => `Bearer ${await provider.sign(claims(), { jwk: attackerJwk }, attacker.privateKey)}`],
  [
    'a key set of an attacker',
    async () =>
      `Bearer ${await provider.sign(claims(), { jku: 'https://attacker.example/jwks' }, attacker.privateKey)}`,
  ],
  [
    'a certificate of an attacker',
    async () => `Bearer ${await provider.sign(claims(), { x5u: 'https://attacker.example/x5u' }, attacker.privateKey)}`,
  ],
  [
    'an embedded certificate',
    async () => `Bearer ${await provider.sign(claims(), { x5c: ['MIIB'] }, attacker.privateKey)}`,
  ],
  ['a flipped signature', async () => `Bearer ${flipped(await provider.sign(claims()))}`],
  ['a truncated signature', async () => `Bearer ${(await provider.sign(claims())).slice(0, -8)}`],
  ['changed claims', async () => `Bearer ${await swapped({ sub: 'admin' })}`],
  [
    'an unknown critical header',
    async () => {
      const header = encode({ alg: 'RS256', kid: provider.kid, crit: ['exp'], exp: 1 });
      const [, body, signature] = parts(await provider.sign(claims()));
      return `Bearer ${header}.${body}.${signature}`;
    },
  ],
  [
    'a nested token',
    async () => {
      const inner = await provider.sign(claims());
      const [header, , signature] = parts(inner);
      return `Bearer ${header}.${encode(inner)}.${signature}`;
    },
  ],
  ['an encrypted form', async () => `Bearer ${await provider.sign(claims())}.AAAA.AAAA`],
  ['a token for logging out', async () => `Bearer ${await provider.sign(claims(), { typ: 'logout+jwt' })}`],
  ['a token that is bound to a key', async () => `Bearer ${await provider.sign(claims({ cnf: { jkt: 'x' } }))}`],
  ['an empty header', async () => `Bearer .${parts(await provider.sign(claims()))[1]}.AAAA`],
  ['empty claims', async () => `Bearer ${parts(await provider.sign(claims()))[0]}..AAAA`],
  [
    'an empty signature',
    async () =>
      `Bearer ${parts(await provider.sign(claims()))
        .slice(0, 2)
        .join('.')}.`,
  ],
  [
    'two parts',
    async () =>
      `Bearer ${parts(await provider.sign(claims()))
        .slice(0, 2)
        .join('.')}`,
  ],
  ['only dots', () => 'Bearer ..'],
  ['no token', () => 'Bearer'],
  ['two tokens', async () => `Bearer ${await provider.sign(claims())} ${await provider.sign(claims())}`],
  [
    'two tokens in a list',
    async () => `Bearer ${await provider.sign(claims())}, Bearer ${await provider.sign(claims())}`,
  ],
  ['two spaces', async () => `Bearer  ${await provider.sign(claims())}`],
  ['a tab', async () => `Bearer\t${await provider.sign(claims())}`],
  ['whitespace within', async () => `Bearer ${(await provider.sign(claims())).replace('.', '. ')}`],
  ['padding', async () => `Bearer ${await provider.sign(claims())}==`],
  ['quotes', async () => `Bearer "${await provider.sign(claims())}"`],
  ['another scheme', async () => `Token ${await provider.sign(claims())}`],
  ['no scheme', async () => provider.sign(claims())],
  ['the scheme twice', async () => `Bearer Bearer ${await provider.sign(claims())}`],
  [
    'claims that are a list',
    async () => {
      const header = encode({ alg: 'RS256', kid: provider.kid });
      return `Bearer ${header}.${encode([claims()])}.AAAA`;
    },
  ],
  ['a token of 40 kB', async () => `Bearer ${await provider.sign(claims({ groups: 'g'.repeat(30_000) }))}`],
];

describe('forged and unsuitable tokens', () => {
  it.each(FORGED)('a token is refused with 401 and no body: %s', async (_, header) => {
    expect(await callWith({ Authorization: await header() })).toEqual({ status: 401, text: '' });
  });

  it.each(['hanging', 'large'])(
    'a token of an issuer whose keys are %s is refused, and those of others are accepted',
    async (name) => {
      const token = await provider.sign(claims({ iss: `${badUrl()}/${name}` }));
      const [refused, accepted] = await Promise.all([
        statusOf(`Bearer ${token}`),
        statusOf(`Bearer ${await provider.token()}`),
      ]);
      expect([refused, accepted]).toEqual([401, 200]);
    },
  );

  it('a right token in a query or a body does not authenticate', async () => {
    const token = await provider.token();
    const post = (path: string, body: object) =>
      fetch(`${gatehouse.url()}/connectors/user-flow${path}`, { method: 'POST', body: JSON.stringify(body) });
    expect((await post(`?access_token=${token}`, { step: 'PreTokenIssuance' })).status).toBe(401);
    expect((await post('', { step: 'PreTokenIssuance', auth_token: token, access_token: token })).status).toBe(401);
  });
});
