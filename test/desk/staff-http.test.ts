/** What holds for every address of staff: requests of other sites, headers, cursors, and unknown addresses. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '../../src/platform/digest.ts';
import { ADMIN, newKey } from '../support/admin-call.ts';
import { anAttempt } from '../support/attempt.ts';
import { B2C, basic, newClient } from '../support/call.ts';
import { keep } from '../support/reports-call.ts';
import worker from '../support/worker.ts';

const HOST = 'https://gatehouse.example';
const REPORTS = basic('support:support');

interface Asked extends RequestInit {
  headers?: Record<string, string>;
}

async function ask(path: string, { headers, ...init }: Asked = {}, bindings: object = {}) {
  const Authorization = path.startsWith('/admin') ? ADMIN : path.startsWith('/connectors') ? B2C : REPORTS;
  const request = new Request(`${HOST}${path}`, { ...init, headers: { Authorization, ...headers } });
  const context = createExecutionContext();
  const answer = await worker.fetch(request as Parameters<typeof worker.fetch>[0], { ...env, ...bindings }, context);
  const text = await answer.text();
  await waitOnExecutionContext(context);
  const isJson = answer.headers.get('Content-Type')?.includes('json') ?? false;
  const json = (isJson && text !== '' ? JSON.parse(text) : {}) as Record<string, unknown>;
  return { status: answer.status, headers: answer.headers, json };
}

afterEach(() => vi.restoreAllMocks());

describe('requests of other sites', () => {
  const changing = fc.constantFrom(
    ['POST', '/admin/dead-letters/replay'],
    ['PUT', '/admin/people'],
    ['POST', '/admin/people/remove'],
    ['DELETE', `/admin/people/${encodeURIComponent(newKey())}`],
    ['DELETE', '/admin/dead-letters/x'],
    ['PUT', '/admin/policy'],
    ['POST', '/admin/policy/rollback'],
    ['DELETE', '/admin/policy/shadow'],
    ['POST', '/admin/policy/try'],
    ['POST', '/reports/attempts/search'],
    ['POST', '/reports/people/search'],
    ['PATCH', '/admin/anything'],
  );
  const foreign = fc.constantFrom<Record<string, string>>(
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': ' Cross-Site ' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: `${HOST}.evil.example` },
    { Origin: `${HOST}:8443` },
    { Origin: 'https://sub.gatehouse.example', 'Sec-Fetch-Site': 'same-origin' },
    { Origin: HOST, 'Sec-Fetch-Site': 'cross-site' },
  );
  const type = fc.constantFrom(
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
  );

  it('a request of another site that may change something is refused, whatever its type', async () => {
    await fc.assert(
      fc.asyncProperty(changing, foreign, type, async ([method = '', path = ''], headers, contentType) => {
        const init = { method, body: method === 'DELETE' ? null : '{}' };
        const { status, json } = await ask(path, { ...init, headers: { ...headers, 'Content-Type': contentType } });
        expect([status, json.code]).toEqual([403, 'cross-site']);
      }),
      { numRuns: 60 },
    );
  });

  it.each<Record<string, string>>([
    {},
    { 'Sec-Fetch-Site': 'same-origin', Origin: HOST },
    { 'Sec-Fetch-Site': 'none' },
  ])('a request of a program, of our own page or of a person is not refused: %o', async (headers) => {
    const init = { method: 'POST', body: '{}', headers: { ...headers, 'Content-Type': 'application/json' } };
    expect((await ask('/reports/attempts/search', init)).status).toBe(200);
  });

  it('a link on another site opens a report, since reading changes nothing', async () => {
    const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://wiki.example' };
    expect((await ask('/reports/attempts', { headers })).status).toBe(200);
    expect((await ask('/reports/attempts', { method: 'HEAD', headers })).status).toBe(200);
  });
});

describe('headers', () => {
  const body = '{"step":"PreTokenIssuance"}';
  const away = { DESK: { fetch: () => Promise.reject(new Error('away')) } };
  it.each<[answer: string, status: number, path: string, init?: Asked, bindings?: object]>([
    ['liveness', 200, '/health'],
    ['readiness', 401, '/health/ready', { headers: { Authorization: '' } }],
    ['a report', 200, '/reports/attempts'],
    ['a CSV file', 200, '/reports/attempts.csv'],
    ['a summary as CSV', 200, '/reports/summary.csv'],
    ['an unknown report', 404, '/reports/nothing'],
    ['a wrong parameter', 400, '/reports/attempts?limit=x'],
    ['a wrong method', 405, '/reports/attempts', { method: 'PUT' }],
    ['a list for administrators', 200, '/admin/people'],
    [
      'malformed JSON',
      400,
      '/admin/people',
      { method: 'PUT', body: '{', headers: { 'Content-Type': 'application/json' } },
    ],
    ['a body that is too large', 413, '/admin/people', { method: 'PUT', body: 'x'.repeat(70_000) }],
    ['a refused pair', 401, '/admin/people', { headers: { Authorization: basic('a:b') } }],
    ['a request of another site', 403, '/admin/people', { method: 'PUT', headers: { Origin: 'null' } }],
    ['a database that is away', 503, '/reports/attempts', {}, { DATABASE_URL: '' }],
    ['a desk that is away', 503, '/reports/attempts', {}, away],
    ['an address that is not ours', 404, '/favicon.ico'],
    ['a reply to Microsoft', 200, '/connectors/user-flow', { method: 'POST', body }],
    ['a refused call', 401, '/connectors/user-flow', { method: 'POST', body, headers: { Authorization: '' } }],
    ['the check of the portal', 200, '/connectors/user-flow'],
    ['a connector that does not exist', 404, '/connectors/nothing', { method: 'POST', body }],
  ])('%s cannot be run, framed or stored by a browser', async (_answer, status, path, init, bindings) => {
    const answer = await ask(path, init, bindings);
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
    });
  });

  it('the home page may have styles, and nothing else', async () => {
    const { headers } = await ask('/');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'; style-src 'unsafe-inline'");
  });
});

describe('addresses that are not ours', () => {
  it('only /, /health, /reports, /admin and the API description reach the desk; any other address is a 404 of the gate', async () => {
    const fetched = vi.fn(async (_request: Request) => new Response('from the desk'));
    const bindings = { DESK: { fetch: fetched } };
    const ours = [
      '/',
      '/?a=b',
      '/openapi.json',
      '/openapi.json?pretty=yes',
      '/reference',
      '/health/ready',
      '/health/x',
      '/reports',
      '/reports?x',
      '/reports/a',
      '/admin',
      '/admin/b',
    ];
    for (const path of ours) await ask(path, {}, bindings);
    expect(fetched.mock.calls.map(([{ url }]) => url.slice(HOST.length))).toEqual(ours);
    fetched.mockClear();

    const first = fc.constantFrom(
      'favicon.ico',
      'robots.txt',
      '.env',
      'wp-login.php',
      'healthz',
      'Admin',
      'adminer',
      'reportsx',
      'openapi.jsonx',
      'openapi_json',
      'reference.html',
      'references',
      '%61dmin',
      '/admin',
      'x',
    );
    const rest = fc.constantFrom('', '/', '/admin', '?a=/admin', '/..%2fadmin', '#/reports');
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS');
    await fc.assert(
      fc.asyncProperty(first, rest, method, async (name, after, how) => {
        const { status, json } = await ask(`/${name}${after}`, { method: how }, bindings);
        expect(status).toBe(404);
        if (how !== 'HEAD') expect(json).toMatchObject({ code: 'no-such-address', status: 404 });
      }),
    );
    expect(fetched).not.toHaveBeenCalled();
  });
});

describe('cursors', () => {
  const written = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_');
  const decoded = (cursor: string) => JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/'))) as unknown[];
  const number = fc.oneof(
    fc.constantFrom(8.64e15, -8.64e15, 1e300, -1, 0, 1.5, 253_402_300_800_000, Date.UTC(1999, 5), Date.UTC(2200, 0)),
    fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) }),
  );
  const ID = '019aa5a4-7c00-7000-8000-000000000000';

  /** What the hash of an earlier version was, which anybody could make. */
  const unkeyed = async (question: unknown) => (await sha256Hex(JSON.stringify(question))).slice(0, 24);

  it('a cursor of a list in Postgres that Gatehouse did not make is a 400, and never an error of the database', async () => {
    const clientId = newClient();
    await keep(...[0, 1, 2].map((nth) => anAttempt({ clientId, at: new Date(Date.now() - nth * 1_000) })));
    const page = await ask(`/reports/attempts?clientId=${clientId}&limit=1`);
    const own = String(page.json.next);
    expect((await ask(`/reports/attempts?clientId=${clientId}&cursor=${own}`)).status).toBe(200);
    const parts = decoded(own);

    await fc.assert(
      fc.asyncProperty(number, fc.option(number), fc.integer({ min: 0, max: 2 }), async (time, from, how) => {
        const signature = how === 0 ? parts[3] : how === 1 ? await unkeyed(['attempts', { clientId }]) : 'A'.repeat(16);
        for (const forged of [
          written([time, ID, from, signature]),
          written([time, parts[1], parts[2], signature]),
          written([parts[0], ID, parts[2], signature]),
          written([parts[0], parts[1], from, signature]),
        ]) {
          if (forged === own) continue;
          for (const path of ['/reports/attempts', '/admin/changes', `/reports/people/oid%3A${clientId}`]) {
            const filter = path === '/reports/attempts' ? `clientId=${clientId}&` : '';
            const { status, json } = await ask(`${path}?${filter}cursor=${forged}`);
            expect([path, status, json.code]).toEqual([path, 400, 'invalid-request']);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('a cursor is valid in another isolate, and refused by a Gatehouse with another secret', async () => {
    const clientId = newClient();
    await keep(...[0, 1].map((nth) => anAttempt({ clientId, at: new Date(Date.now() - nth * 1_000) })));
    for (const bindings of [{}, { SUPPORT_CODE_KEY: '' }]) {
      const { json } = await ask(`/reports/attempts?clientId=${clientId}&limit=1`, {}, bindings);
      const path = `/reports/attempts?clientId=${clientId}&cursor=${json.next}`;
      // Settings are read anew for each environment, as in a new isolate.
      expect((await ask(path, {}, bindings)).status).toBe(200);
      expect((await ask(path, {}, { SUPPORT_CODE_KEY: 'x'.repeat(40) })).status).toBe(400);
    }
  });

  it('a cursor of a list in KV, or of versions, that Gatehouse did not make is a 400', async () => {
    const inside = ['abc', '1e999', 'NaN', '1.5', '2147483648', '0', '-1', '7', ' '];
    for (const [path, list] of [
      ['/admin/policy/versions', 'policy-versions'],
      ['/admin/people', 'people'],
      ['/admin/dead-letters', 'dead-letters'],
    ] as const) {
      for (const cursor of inside) {
        const hash = await sha256Hex(JSON.stringify([list, cursor]));
        for (const length of [12, 16, 24, 64]) {
          const forged = encodeURIComponent(hash.slice(0, length) + cursor);
          const { status, json } = await ask(`${path}?cursor=${forged}`);
          expect([path, cursor, status, json.code]).toEqual([path, cursor, 400, 'invalid-request']);
        }
      }
    }
  });
});

it('a 400 for malformed JSON leaves no log line about a failed request', async () => {
  const lines = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const init = { method: 'PUT', body: '{"key":', headers: { 'Content-Type': 'application/json' } };
  expect((await ask('/admin/people', init)).status).toBe(400);
  expect(lines.mock.calls.flat().join()).not.toContain('request-failed');
});
