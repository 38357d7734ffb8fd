/** Every way to authenticate as a connector: lines 47 to 57, 68, 105 and 113 of the wire contract's checklist. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { authenticate, type ConnectorRoute } from '../../src/callers/authenticate.ts';
import { noteExpiry } from '../../src/callers/certificate-expiry.ts';
import type { Authentication, CallerKind } from '../../src/callers/credential.ts';
import { configOf } from '../../src/platform/config.ts';
import { basic, newClient, rowsOfOnce, USER_FLOW } from '../support/call.ts';
import worker from '../support/worker.ts';

const KEY = 'k3y/with+plus==and-more-chars';
const OTHER_KEY = 'another-key-of-24-chars!';
const TOKEN = 'a.fixed-token_of~24+chars/==';
const FINGERPRINT = 'ab'.repeat(32);
const SETTINGS = {
  LOCAL: '',
  SUPPORT_CODE_KEY: 'a key for tests, long enough to count',
  CONNECTOR_BASIC: 'b2c:a-password-of-24-chars-x',
  CONNECTOR_KEYS: `gateway:${KEY}\nnext:${OTHER_KEY}`,
  CONNECTOR_TOKENS: `policy:${TOKEN}`,
  CONNECTOR_CERTIFICATES: `cert-a:${FINGERPRINT}\ncert-b:${'CD:'.repeat(31)}CD`,
};
const RIGHT = basic(SETTINGS.CONNECTOR_BASIC);
const NOW = Date.parse('2026-11-27T08:00:00Z');

/** What Cloudflare passes on about a certificate. */
const certificate = (other: Record<string, unknown> = {}) => ({
  tlsClientAuth: {
    certPresented: '1',
    certVerified: 'SUCCESS',
    certRevoked: '0',
    certFingerprintSHA256: FINGERPRINT,
    certNotBefore: 'Nov  1 00:00:00 2025 GMT',
    certNotAfter: 'Nov  1 00:00:00 2027 GMT',
    ...other,
  },
});

interface Presented {
  readonly headers?: Record<string, string>;
  readonly query?: string;
  readonly cf?: object;
}

const requestOf = ({ headers = {}, query = '', cf }: Presented, method = 'POST') =>
  new Request(`${USER_FLOW}/PreTokenIssuance${query}`, {
    method,
    headers,
    ...(method === 'POST' ? { body: '{"step":"PreTokenIssuance"}' } : {}),
    ...(cf === undefined ? {} : { cf: cf as CfProperties }),
  });

const credentialsOf = (settings: object) => configOf({ ...SETTINGS, DESK: {}, ...settings }).credentials.connector;

/** The result as `kind name`, or as the reason. */
function resultOf(presented: Presented, route: ConnectorRoute = 'custom-policy', settings: object = {}, now = NOW) {
  const result = authenticate(requestOf(presented), credentialsOf(settings), route, {
    now,
    local: false,
    later: () => undefined,
    log: () => undefined,
  }) as Authentication;
  return result.ok ? `${result.kind} ${result.name}` : result.reason;
}

/** At the door. */
async function statusOf(presented: Presented, settings: object = {}, method = 'POST') {
  const context = createExecutionContext();
  const request = requestOf(presented, method) as Parameters<typeof worker.fetch>[0];
  const answered = await worker.fetch(request, { ...env, ...SETTINGS, ...settings }, context);
  const text = await answered.text();
  await waitOnExecutionContext(context);
  return { status: answered.status, text };
}

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

describe('a client certificate', () => {
  it('an allowed certificate is accepted at the door, with a fingerprint in either spelling', async () => {
    expect((await statusOf({ cf: certificate() })).status).toBe(200);
    expect(resultOf({ cf: certificate() }, 'user-flow')).toBe('certificate cert-a');
    const other = certificate({ certFingerprintSHA256: 'CD'.repeat(32) });
    expect(resultOf({ cf: other }, 'user-flow')).toBe('certificate cert-b');
  });

  it.each([
    ['certificate-unknown', { certFingerprintSHA256: 'ef'.repeat(32) }],
    ['certificate-unknown', { certFingerprintSHA256: '' }],
    ['certificate-unknown', { certFingerprintSHA256: undefined }],
    ['certificate-unverified', { certVerified: 'FAILED:self signed certificate' }],
    ['certificate-unverified', { certVerified: 'NONE' }],
    ['certificate-unverified', { certVerified: 'success' }],
    ['certificate-unverified', { certVerified: undefined }],
    ['certificate-revoked', { certRevoked: '1' }],
    ['certificate-revoked', { certRevoked: undefined }],
    ['certificate-expired', { certNotAfter: 'Nov 26 23:59:59 2026 GMT' }],
    [
      'certificate-expired',
      { certNotAfter: 'Nov 26 23:59:59 2026 GMT', certVerified: 'FAILED:certificate has expired' },
    ],
    ['certificate-expired', { certNotAfter: 'soon' }],
    ['certificate-expired', { certNotAfter: '' }],
    ['certificate-not-yet-valid', { certNotBefore: 'Nov 28 00:00:00 2026 GMT' }],
    ['certificate-not-yet-valid', { certNotBefore: undefined }],
    ['no-credential', { certPresented: '0' }],
    ['no-credential', { certPresented: undefined }],
  ])('a certificate is refused as %s with %j (contract 54, 55)', (reason, other) => {
    expect(resultOf({ cf: certificate(other) })).toBe(reason);
  });

  it('another certificate beside right Basic is refused', () => {
    const other = certificate({ certFingerprintSHA256: 'ef'.repeat(32) });
    expect(resultOf({ cf: other, headers: { Authorization: RIGHT } })).toBe('certificate-unknown');
  });

  it('without an allowed certificate a presented one neither helps nor hinders', () => {
    const none = { CONNECTOR_CERTIFICATES: '' };
    expect(resultOf({ cf: certificate() }, 'user-flow', none)).toBe('no-credential');
    expect(resultOf({ cf: certificate(), headers: { Authorization: RIGHT } }, 'user-flow', none)).toBe('basic b2c');
  });

  it('a header that imitates a certificate authenticates no one', () => {
    const headers = {
      'X-ARR-ClientCert': 'MIIB',
      'Cf-Client-Cert-Sha256': FINGERPRINT,
      'X-Client-Cert-Verified': 'SUCCESS',
    };
    expect(resultOf({ headers })).toBe('no-credential');
  });
});

describe('several credentials', () => {
  /** Each kind, right and wrong, strongest first. Only one of them can be in `Authorization`. */
  const KINDS: readonly (readonly [kind: CallerKind, right: Presented, wrong: Presented])[] = [
    ['certificate', { cf: certificate() }, { cf: certificate({ certRevoked: '1' }) }],
    ['api-key', { headers: { 'x-functions-key': KEY } }, { headers: { 'x-functions-key': 'wrong' } }],
    [
      'static-bearer',
      { headers: { Authorization: `Bearer ${TOKEN}` } },
      { headers: { Authorization: 'Bearer wrong' } },
    ],
    ['basic', { headers: { Authorization: RIGHT } }, { headers: { Authorization: basic('b2c:wrong') } }],
    ['code', { query: `?code=${encodeURIComponent(KEY)}` }, { query: '?code=wrong' }],
  ];
  const choice = fc.constantFrom('absent', 'right', 'wrong');

  it('a caller is admitted exactly if all that it presents is right, and its kind is that of the strongest', () => {
    fc.assert(
      fc.property(
        fc.tuple(choice, choice, choice, choice, choice),
        fc.constantFrom<ConnectorRoute>('user-flow', 'custom-policy'),
        (choices, route) => {
          // One header can carry one of them.
          fc.pre(choices[2] === 'absent' || choices[3] === 'absent');
          let presented: Presented = {};
          KINDS.forEach(([, right, wrong], index) => {
            const one = choices[index] === 'right' ? right : choices[index] === 'wrong' ? wrong : {};
            presented = { ...presented, ...one, headers: { ...presented.headers, ...one.headers } };
          });
          const strongest = KINDS.find((_, index) => choices[index] === 'right')?.[0];
          const admitted =
            !choices.includes('wrong') &&
            strongest !== undefined &&
            (route === 'custom-policy' || strongest !== 'code');
          const result = resultOf(presented, route);
          expect(result.includes(' ') ? result.split(' ')[0] : undefined).toBe(admitted ? strongest : undefined);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('the attempt names the strongest credential', async () => {
    const clientId = newClient();
    const context = createExecutionContext();
    const request = new Request(`${USER_FLOW}?code=${encodeURIComponent(OTHER_KEY)}`, {
      method: 'POST',
      headers: { Authorization: RIGHT, 'x-api-key': KEY },
      body: JSON.stringify({ step: 'PreTokenIssuance', client_id: clientId }),
    });
    await worker.fetch(request as Parameters<typeof worker.fetch>[0], { ...env, ...SETTINGS }, context);
    await waitOnExecutionContext(context);
    expect(await rowsOfOnce(clientId, 1)).toMatchObject([{ caller: 'gateway' }]);
  });

  it('a credential inside a body authenticates no one (contract 105)', async () => {
    const body = JSON.stringify({
      step: 'PreTokenIssuance',
      ApiKey: KEY,
      auth_token: TOKEN,
      code: KEY,
      'x-api-key': KEY,
    });
    const request = new Request(USER_FLOW, { method: 'POST', body });
    const answered = await worker.fetch(
      request as Parameters<typeof worker.fetch>[0],
      { ...env, ...SETTINGS },
      createExecutionContext(),
    );
    expect(answered.status).toBe(401);
  });

  it('nothing that is presented makes the authentication throw', () => {
    const text = fc.string({ unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.dictionary(fc.constantFrom(...Object.keys(certificate().tlsClientAuth)), fc.jsonValue()),
        (header, key, query, cf) => {
          const headers = { Authorization: header, 'x-api-key': key };
          const result = resultOf({ headers, query: `?code=${encodeURI(query)}`, cf: { tlsClientAuth: cf } });
          expect(result).not.toContain(' ');
        },
      ),
    );
  });

  it('with no credential configured every caller is refused, whatever it presents (contract 51)', () => {
    const none = { CONNECTOR_BASIC: '', CONNECTOR_KEYS: '', CONNECTOR_TOKENS: '', CONNECTOR_CERTIFICATES: '' };
    for (const [, right] of KINDS) expect(resultOf(right, 'custom-policy', none)).toBe('none-configured');
  });

  it('a kind alone may be configured: Basic is not needed beside keys', () => {
    const only = { CONNECTOR_BASIC: '', CONNECTOR_TOKENS: '', CONNECTOR_CERTIFICATES: '' };
    expect(resultOf({ headers: { 'x-api-key': KEY } }, 'user-flow', only)).toBe('api-key gateway');
    expect(resultOf({ headers: { Authorization: RIGHT } }, 'user-flow', only)).toBe('unsupported-scheme');
    expect(configOf({ ...SETTINGS, ...only, DESK: {} }).problems.join()).not.toContain('CONNECTOR_BASIC');
  });
});

describe('readiness', () => {
  async function warningsWith(settings: object) {
    const context = createExecutionContext();
    const request = new Request('https://gatehouse.example/health/ready', {
      headers: { Authorization: basic('support:a-password-of-support') },
    });
    const bindings = { ...env, ...SETTINGS, REPORTS_BASIC: 'support:a-password-of-support', ...settings };
    const answered = await worker.fetch(request as Parameters<typeof worker.fetch>[0], bindings, context);
    await waitOnExecutionContext(context);
    return ((await answered.json()) as { warnings: string[] }).warnings.join('\n');
  }
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toUTCString().replace(/^\w+, /, '');

  it('a certificate that was seen warns from 31 days before it expires, in readiness and once a day in the log', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const settings = { CONNECTOR_CERTIFICATES: `soon:${FINGERPRINT}\nlater:${'cd'.repeat(32)}` };
    const soon = certificate({ certNotAfter: inDays(30) });
    const later = certificate({ certNotAfter: inDays(32), certFingerprintSHA256: 'cd'.repeat(32) });
    for (const cf of [soon, later, soon]) expect((await statusOf({ cf }, settings)).status).toBe(200);
    const logged = log.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('certificate-expires'));
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([{ event: 'certificate-expires', name: 'soon' }]);
    expect([...(await env.GATEHOUSE.list({ prefix: 'certificate-expires:' })).keys].map(({ name }) => name)).toEqual([
      'certificate-expires:soon',
    ]);
    const warnings = await warningsWith(settings);
    expect(warnings).toContain('The client certificate soon expires on ');
    expect(warnings).not.toContain('certificate later');
  });

  it('two certificates of one name that take turns are logged once each', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const other = 'ab'.repeat(32);
    const settings = { CONNECTOR_CERTIFICATES: `turns:${FINGERPRINT}\nturns:${other}` };
    const first = certificate({ certNotAfter: inDays(10) });
    const second = certificate({ certNotAfter: inDays(20), certFingerprintSHA256: other });
    for (const cf of [first, second, first, second]) expect((await statusOf({ cf }, settings)).status).toBe(200);
    const logged = log.mock.calls.filter(([line]) => String(line).includes('"name":"turns"'));
    expect(logged).toHaveLength(2);
    await env.GATEHOUSE.delete('certificate-expires:turns');
  });

  it('a certificate that another isolate saw warns too', async () => {
    const notAfter = Date.parse('2026-12-24T00:00:00Z');
    await noteExpiry(env.GATEHOUSE, { name: 'seen-elsewhere', notAfter });
    expect(await warningsWith({})).toContain('The client certificate seen-elsewhere expires on 2026-12-24.');
    await env.GATEHOUSE.delete('certificate-expires:seen-elsewhere');
  });

  it('a key of a connector that opens a staff door too is a problem', async () => {
    const shared = 'one-secret-for-two-doors';
    const same = 'Two of connector, reports and admin have the same credentials.';
    expect(await warningsWith({ CONNECTOR_KEYS: `gateway:${shared}`, ADMIN_BASIC: `boss:${shared}` })).toContain(same);
    expect(await warningsWith({ CONNECTOR_TOKENS: `policy:${shared}`, ADMIN_BASIC: `boss:${shared}` })).toContain(same);
    expect(await warningsWith({ ADMIN_BASIC: 'boss:another-secret-for-admins' })).not.toContain(same);
  });

  it('an unusable issuer or a single certificate is a warning', async () => {
    const warnings = await warningsWith({ CONNECTOR_ISSUERS: '[{}]', CONNECTOR_CERTIFICATES: `a:${FINGERPRINT}` });
    expect(warnings).toContain('CONNECTOR_ISSUERS, entry 1');
    expect(warnings).toContain('CONNECTOR_CERTIFICATES has one certificate');
  });
});
