/** The report on credentials of connectors, as an operator reads it before an old secret is retired. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import type { CallersReport, CredentialUse } from '../../src/desk/reports/callers-report.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import { anAttempt } from '../support/attempt.ts';
import { basic, NEON_AWAY } from '../support/call.ts';
import { keep, type Problem, report, reportWith } from '../support/reports-call.ts';
import worker from '../support/worker.ts';

const dayAgo = (days: number) => new Date(Date.now() - days * DAY_MS);
const dayOf = (at: Date) => at.toISOString().slice(0, 10);
const newName = (kind = 'b2c') => `${kind}-${crypto.randomUUID().slice(0, 8)}`;
const SECRET = 'a-secret-of-24-characters';

async function callersOf(query = '', bindings: object = {}): Promise<CallersReport> {
  const response = await reportWith(bindings, `/callers${query}`);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}
const named = ({ credentials }: CallersReport, name: string): CredentialUse[] =>
  credentials.filter((use) => use.name === name);

/** A call of a connector; returns its status. */
async function call(headers: Record<string, string>, bindings: object, cf?: object): Promise<number> {
  const ctx = createExecutionContext();
  const request = new Request('https://gatehouse.example/connectors/user-flow/PreTokenIssuance', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ step: 'PreTokenIssuance', client_id: crypto.randomUUID() }),
    ...(cf === undefined ? {} : { cf: cf as CfProperties }),
  });
  const { status } = await worker.fetch(request as Parameters<typeof worker.fetch>[0], { ...env, ...bindings }, ctx);
  await waitOnExecutionContext(ctx);
  return status;
}

test('a credential that was used a moment ago is in the report with the time of its last call', async () => {
  const [name, key] = [newName(), newName('key')];
  const bindings = { CONNECTOR_BASIC: `${name}:${SECRET}`, CONNECTOR_KEYS: `${key}:${SECRET}` };
  const before = new Date().toISOString();
  expect(await call({ Authorization: basic(`${name}:${SECRET}`) }, bindings)).toBe(200);
  expect(await call({ 'X-Functions-Key': SECRET }, bindings)).toBe(200);
  const [use, keyUse] = await vi.waitUntil(
    async () => {
      const answer = await callersOf('', bindings);
      const found = [...named(answer, name), ...named(answer, key)];
      return found.length === 2 && found.every(({ accepted }) => accepted > 0) ? found : false;
    },
    { timeout: 20_000, interval: 100 },
  );
  expect(use).toMatchObject({ kind: 'basic', configured: true, accepted: 1, refused: 0, refusals: [] });
  expect(keyUse).toMatchObject({ kind: 'api-key', configured: true, accepted: 1 });
  expect(use?.firstSeen).toBe(use?.lastSeen?.slice(0, 10));
  expect((use?.lastSeen ?? '') >= before).toBe(true);
  expect(use?.lastSeen).toMatch(/T.*Z$/);
  expect(use?.advice).toMatch(/^Last used at .* UTC: it is in use\.$/);
});

test('an old credential has its days, its last day, and for how many days nothing has used it', async () => {
  const name = newName();
  const old = { caller: name, callerKind: 'static-bearer' };
  await keep(
    ...[20, 12, 12].map((days) => anAttempt({ ...old, at: dayAgo(days) })),
    anAttempt({ ...old, at: dayAgo(12), outcome: 'block' }),
    // Outside of the range.
    anAttempt({ ...old, at: dayAgo(40) }),
  );
  const [use] = named(await callersOf('', { CONNECTOR_TOKENS: `${name}:${SECRET}` }), name);
  expect(use).toEqual({
    name,
    kind: 'static-bearer',
    configured: true,
    firstSeen: dayOf(dayAgo(20)),
    lastSeen: dayOf(dayAgo(12)),
    accepted: 4,
    refused: 0,
    days: [
      { day: dayOf(dayAgo(20)), accepted: 1, refused: 0 },
      { day: dayOf(dayAgo(12)), accepted: 3, refused: 0 },
    ],
    refusals: [],
    advice: `Last used on ${dayOf(dayAgo(12))}; nothing has used it for 12 days. Before you remove it from CONNECTOR_TOKENS, check that no connector or custom policy in the portal has it.`,
  });
  const [longer] = named(await callersOf(`?from=${dayOf(dayAgo(60))}`), name);
  expect(longer).toMatchObject({ accepted: 5, configured: false });
  expect(longer?.advice).toContain('It is no longer configured.');
  const [past] = named(await callersOf(`?to=${dayOf(dayAgo(15))}`), name);
  expect(past).toMatchObject({ accepted: 2, lastSeen: dayOf(dayAgo(20)) });
  expect(past?.advice).toContain('leave out "to"');
  expect(past?.advice).not.toContain('nothing has used it');
});

test('the last call of yesterday is a time, also when its hour is aggregated', async () => {
  const name = newName();
  const at = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - 1);
  await keep(
    anAttempt({ caller: name, callerKind: 'jwt', at: new Date(at.getTime() - 60_000) }),
    anAttempt({ caller: name, callerKind: 'jwt', at }),
  );
  const [use] = named(await callersOf(), name);
  expect(use).toMatchObject({ firstSeen: dayOf(at), lastSeen: at.toISOString(), accepted: 2 });
  expect(use?.advice).toContain('nothing has used it for 1 day.');
});

test('a credential that is configured and was never used is listed, and a key counts as used in either way', async () => {
  const [unused, key, shared] = [newName(), newName('key'), newName('shared')];
  await keep(anAttempt({ caller: key, callerKind: 'code', at: dayAgo(3) }));
  const answer = await callersOf('', {
    CONNECTOR_BASIC: `${shared}:one-${SECRET}\n${shared}:two-${SECRET}`,
    CONNECTOR_CERTIFICATES: `${unused}:${'ab'.repeat(32)}`,
    CONNECTOR_KEYS: `${key}:${SECRET}`,
  });
  expect(named(answer, unused)).toMatchObject([
    { kind: 'certificate', configured: true, firstSeen: null, lastSeen: null, accepted: 0, days: [] },
  ]);
  expect(named(answer, unused)[0]?.advice).toMatch(/^Nothing has used it since \d{4}-\d\d-\d\d\. /);
  expect(named(answer, key)).toMatchObject([{ kind: 'code', configured: true, accepted: 1 }]);
  expect(named(answer, shared)).toHaveLength(1);
  expect(named(answer, shared)[0]?.advice).toContain('2 lines of CONNECTOR_BASIC have this name');
  expect(JSON.stringify(answer)).not.toContain(SECRET);
});

test('a key that one caller presents in a header and another in ?code= says so in both rows', async () => {
  const name = newName('key');
  await keep(
    anAttempt({ caller: name, callerKind: 'api-key', at: dayAgo(12) }),
    anAttempt({ caller: name, callerKind: 'code', at: dayAgo(0) }),
  );
  const [inHeader, inCode] = named(await callersOf('', { CONNECTOR_KEYS: `${name}:${SECRET}` }), name);
  expect(inHeader?.advice).toMatch(/12 days\. The same line, presented as code, was last used at /);
  expect(inHeader?.advice).not.toContain('Before you remove it');
  expect(inCode?.advice).toContain(`presented as api-key, was last used on ${dayOf(dayAgo(12))}.`);
});

test('refused calls are counted by configured name and reason, with the error that B2C shows, never with what was presented', async () => {
  const [name, certificate] = [newName(), newName('certificate')];
  const bindings = {
    CONNECTOR_BASIC: `${name}:${SECRET}`,
    CONNECTOR_CERTIFICATES: `${certificate}:${'cd'.repeat(32)}\nother:${'ef'.repeat(32)}`,
  };
  const stranger = newName('stranger');
  const cf = {
    tlsClientAuth: {
      certPresented: '1',
      certVerified: 'SUCCESS',
      certRevoked: '0',
      certFingerprintSHA256: 'cd'.repeat(32),
      certNotBefore: 'Nov  1 00:00:00 2024 GMT',
      certNotAfter: 'Nov  1 00:00:00 2025 GMT',
    },
  };
  expect(await call({ Authorization: basic(`${name}:guessed`) }, bindings)).toBe(401);
  expect(await call({ Authorization: basic(`${stranger}:guessed`) }, bindings)).toBe(401);
  expect(await call({}, bindings, cf)).toBe(401);
  const answer = await vi.waitUntil(
    async () => {
      const read = await callersOf('', bindings);
      const found = [...named(read, name), ...named(read, certificate)];
      return found.every(({ refused }) => refused > 0) && read.unnamed.refused > 0 ? read : false;
    },
    { timeout: 20_000, interval: 100 },
  );
  const today = dayOf(new Date());
  expect(named(answer, name)).toMatchObject([
    {
      kind: 'basic',
      configured: true,
      accepted: 0,
      refused: 1,
      days: [{ accepted: 0, refused: 1 }],
      refusals: [{ reason: 'wrong-credential', error: 'AADB2C90027', calls: 1 }],
    },
  ]);
  expect(named(answer, certificate)).toMatchObject([
    {
      kind: 'certificate',
      refusals: [{ reason: 'certificate-expired', error: 'AADB2C90028', calls: 1, lastDay: today }],
    },
  ]);
  expect(named(answer, certificate)[0]?.advice).toContain(`1 call under this name was refused, the last on ${today}.`);
  // With Basic alone, a wrong credential without a known name is Basic, too.
  expect(answer.unnamed.refusals).toContainEqual(
    expect.objectContaining({ reason: 'wrong-credential', error: 'AADB2C90027' }),
  );
  expect(JSON.stringify(answer)).not.toMatch(new RegExp(`guessed|${stranger}`));
});

test('a gate of an earlier version names no credentials: the report says so and does not call any of them removed', async () => {
  const name = newName();
  await keep(anAttempt({ caller: name, callerKind: '', at: dayAgo(3) }));
  const state = encodeURIComponent(JSON.stringify({ problems: [], pairs: [] }));
  const { default: desk } = await import('../../src/desk/index.ts');
  const ctx = createExecutionContext();
  const headers = { Authorization: basic('support:support'), 'X-Gatehouse-Gate': state };
  const request = new Request('https://gatehouse.example/reports/callers', { headers });
  const response = await desk.fetch(request as Parameters<typeof desk.fetch>[0], env, ctx);
  await waitOnExecutionContext(ctx);
  const answer = (await response.json()) as CallersReport;
  const [use] = named(answer, name);
  // Attempts of a version without kinds are Basic.
  expect(use).toMatchObject({ kind: 'basic', accepted: 1 });
  expect(use).not.toHaveProperty('configured');
  expect(use?.advice).not.toContain('configured');
  expect(answer.coverage.join(' ')).toContain('The gate did not name its credentials');
});

test('the report covers the last 30 days by default, and whole days of any range', async () => {
  const day = DAY_MS;
  const { from, to, coverage } = await callersOf();
  expect(Date.parse(to) - Date.parse(from)).toBe(31 * day);
  expect(from).toBe(`${dayOf(dayAgo(30))}T00:00:00.000Z`);
  expect(coverage.join(' ')).toMatch(/Two lines of a setting with the same name cannot be distinguished\./);
  expect(coverage.join(' ')).toMatch(/Refused calls are kept since \d{4}-\d\d-\d\d/);
  const asked = await callersOf(`?from=${dayOf(dayAgo(400))}T10:00:00Z&to=${dayOf(dayAgo(1))}T10:00:00Z`);
  expect(asked).toMatchObject({
    from: `${dayOf(dayAgo(400))}T00:00:00.000Z`,
    to: `${dayOf(dayAgo(0))}T00:00:00.000Z`,
  });
});

test.each<[what: string, query: string, names: string]>([
  ['a range that ends before it begins', `?from=${dayOf(dayAgo(1))}&to=${dayOf(dayAgo(2))}`, 'from'],
  ['a range of two years', `?from=${dayOf(dayAgo(730))}`, 'from'],
  ['a range of the future', `?from=${dayOf(dayAgo(-2))}`, 'from'],
  ['a text that is no time', '?to=tuesday', 'to'],
  ['a time twice', `?to=${dayOf(dayAgo(1))}&to=${dayOf(dayAgo(2))}`, 'to'],
  ['a filter of the summary', '?step=PreTokenIssuance', 'step'],
  ['a name', '?name=b2c', 'name'],
])('%s is a 400 that names the parameter', async (_, query, name) => {
  const response = await report(`/callers${query}`);
  expect(response.status).toBe(400);
  const { errors } = await response.json<Problem>();
  expect(errors?.map(({ path, message }) => `${path} ${message}`).join('\n')).toContain(name);
});

test('the report is a 503 while the database is away, and needs the credential of reports', async () => {
  expect((await reportWith(NEON_AWAY, '/callers')).status).toBe(503);
  const refused = await report('/callers', undefined, { Authorization: basic('admin:admin') });
  expect(refused.status).toBe(401);
});
