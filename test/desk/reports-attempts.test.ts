import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AttemptJson } from '../../src/desk/reports/attempt-json.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import { admin } from '../support/admin-call.ts';
import { anAttempt } from '../support/attempt.ts';
import { idsOf, keep, type Listed, type Problem, report } from '../support/reports-call.ts';

const MINUTE_MS = 60_000;
const ago = (ms: number) => new Date(Date.now() - ms);
const newId = () => crypto.randomUUID();
const asked = async (path: string, body?: unknown): Promise<Listed> => {
  const response = await report(path, body);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
};
const refused = async (path: string, status: number, body?: unknown): Promise<Problem> => {
  const response = await report(path, body);
  expect(response.headers.get('Content-Type')).toBe('application/problem+json');
  expect(response.status).toBe(status);
  const problem = await response.json<Problem>();
  expect(problem).toMatchObject({ status, requestId: expect.any(String) });
  return problem;
};

test('an attempt has every column by name, the shadow as one member, and none of the internal members', async () => {
  const clientId = newId();
  const attempt = anAttempt({
    clientId,
    oidKey: `oid:${clientId}`,
    emailKey: 'email:ada@example.com',
    otherKeys: ['idp:google.com:2'],
    rolesUpdatedAt: '2026-01-02T03:04:05.678Z',
  });
  const shadow = { version: 3, outcome: 'block', rule: 'r', messageKey: 'm', differs: true, claims: ['a'] };
  const columns = {
    shadowVersion: 3,
    shadowOutcome: 'block',
    shadowRule: 'r',
    shadowMessageKey: 'm',
    shadowDiffers: true,
  };
  const beside = { ...attempt, ...columns, shadowClaims: ['a'], id: anAttempt({ at: ago(MINUTE_MS) }).id };
  await keep(attempt, beside);

  const { attempts } = await asked(`/attempts?clientId=${clientId}`);

  const { kind: _, v: __, oidKey, idpKey: ___, emailKey, otherKeys, ...members } = attempt;
  const shown = {
    ...Object.fromEntries(Object.entries(members).filter(([name]) => !name.startsWith('shadow'))),
    occurredAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    personKeys: [oidKey, ...otherKeys, emailKey],
  };
  expect(attempts).toEqual([shown, { ...shown, id: beside.id, shadow }]);
});

test('the pages of a list contain every attempt once, newest first, while new ones are written', async () => {
  const clientId = newId();
  const moment = ago(MINUTE_MS);
  // Several in one millisecond: the id decides.
  const written = Array.from({ length: 7 }, (_, nth) =>
    anAttempt({ clientId, at: nth < 4 ? moment : ago(nth * MINUTE_MS) }),
  );
  await keep(...written);
  const ordered = written.toSorted((a, b) => (a.id < b.id ? 1 : -1)).map(({ id }) => id);

  const seen: string[] = [];
  let page = await asked(`/attempts?clientId=${clientId}&limit=2`);
  seen.push(...idsOf(page));
  while (page.next !== undefined) {
    await keep(anAttempt({ clientId }));
    page = await asked(`/attempts?clientId=${clientId}&limit=2&cursor=${page.next}`);
    seen.push(...idsOf(page));
  }

  expect(seen).toEqual(ordered);
});

test('a cursor is valid with another limit and as GET or POST, but not with other filters', async () => {
  const clientId = newId();
  await keep(...Array.from({ length: 4 }, () => anAttempt({ clientId })));
  const { next } = await asked(`/attempts?clientId=${clientId}&limit=1`);

  expect(idsOf(await asked('/attempts/search', { clientId, limit: 3, cursor: next }))).toHaveLength(3);
  for (const other of [
    `clientId=${newId()}`,
    `clientId=${clientId}&step=PreTokenIssuance`,
    `clientId=${clientId}&to=2030-01-01`,
  ]) {
    const problem = await refused(`/attempts?${other}&cursor=${next}`, 400);
    expect(problem.errors).toEqual([{ path: 'cursor', message: expect.stringContaining('"next"') }]);
  }
  await refused(`/attempts?clientId=${clientId}&cursor=${next}x`, 400);
  await refused('/attempts?cursor=WzEsMl0', 400);
  const ofAnother = await refused(`/people/oid%3A${clientId}?cursor=${next}`, 400);
  expect(ofAnother.errors).toEqual([{ path: 'cursor', message: expect.stringContaining('"next"') }]);
});

test('each filter narrows the list to attempts with exactly that value', async () => {
  const clientId = newId();
  const objectId = newId();
  const email = `${clientId}@example.com`;
  const oddest = anAttempt({
    clientId,
    step: 'PostAttributeCollection',
    outcome: 'block',
    reply: 'ShowBlockPage',
    issuer: `issuer-${clientId}`,
    rule: `rule-${clientId}`,
    objectId,
    oidKey: `oid:${objectId}`,
    email,
    emailKey: `email:${email}`,
    supportCode: '0A1B2-C3D4E',
    correlationId: `correlation-${clientId}`,
  });
  await keep(oddest, anAttempt({ clientId }));

  for (const [name, value] of Object.entries({
    step: 'postattributecollection',
    outcome: 'block',
    issuer: oddest.issuer,
    rule: oddest.rule,
    objectId: ` ${objectId.toUpperCase()}`,
    email: email.toUpperCase(),
    supportCode: 'oaib2c3d4e',
    correlationId: oddest.correlationId,
  })) {
    expect(idsOf(await asked('/attempts/search', { clientId: clientId.toUpperCase(), [name]: value })), name).toEqual([
      oddest.id,
    ]);
    const query = new URLSearchParams({ clientId, [name]: value });
    expect(idsOf(await asked(`/attempts?${query}`)), name).toEqual([oddest.id]);
  }
});

test('the range of a list includes from, excludes to, and respects the offset of a time', async () => {
  const clientId = newId();
  const day = new Date(Math.floor(Date.now() / DAY_MS - 10) * DAY_MS);
  const after = (hours: number) => new Date(day.getTime() + hours * 60 * MINUTE_MS).toISOString();
  const [today, tomorrow] = [after(0), after(24)].map((instant) => instant.slice(0, 10));
  const written = [-0.001, 0, 5.5, 24].map((hours) => anAttempt({ clientId, at: new Date(after(hours)) }));
  await keep(...written);
  const between = async (from: string, to: string) =>
    (await asked(`/attempts?clientId=${clientId}&from=${from}&to=${to}`)).attempts.map(({ occurredAt }) => occurredAt);

  expect(await between(`${today}`, `${tomorrow}`)).toEqual([after(5.5), after(0)]);
  expect(await between(`${today}T01:00:00%2B01:00`, `${today}T05:30:00Z`)).toEqual([after(0)]);
  // An unencoded plus sign.
  expect(await between(`${today}T01:00:00+01:00`, `${today}T05:30Z`)).toEqual([after(0)]);
});

test('a list covers the last seven days, or everything retained for one person, code or correlation id', async () => {
  const clientId = newId();
  const old = anAttempt({ clientId, oidKey: `oid:${clientId}`, at: ago(20 * DAY_MS), supportCode: 'ABCDE-FGHJK' });
  const recent = anAttempt({ clientId, oidKey: `oid:${clientId}`, at: ago(6 * DAY_MS) });
  await keep(old, recent);

  expect(idsOf(await asked(`/attempts?clientId=${clientId}`))).toEqual([recent.id]);
  expect(idsOf(await asked(`/attempts?clientId=${clientId}&to=${ago(14 * DAY_MS).toISOString()}`))).toEqual([old.id]);
  expect(idsOf(await asked(`/attempts?objectId=${clientId}`))).toEqual([recent.id, old.id]);
  expect(idsOf(await asked(`/attempts?clientId=${clientId}&supportCode=ABCDEFGHJK`))).toEqual([old.id]);
});

test('an attempt is found by its id in any case, and all attempts of a support code in any spelling', async () => {
  const clientId = newId();
  const [first, second] = [ago(3 * MINUTE_MS), ago(MINUTE_MS)].map((at) =>
    anAttempt({ clientId, at, outcome: 'block', supportCode: 'Z0001-10Z0Z' }),
  );
  if (first === undefined || second === undefined) throw new Error('two were built');
  await keep(first, second);

  const one = await (await report(`/attempts/${first.id.toUpperCase()}`)).json<AttemptJson>();
  expect(one).toMatchObject({ id: first.id, clientId, supportCode: first.supportCode });
  for (const written of ['Z0001-10Z0Z', 'z0001-10z0z', 'zOoOl-IozoZ', 'Z000110Z0Z', '%20z0001%2010z0z']) {
    expect(idsOf(await asked(`/attempts/${written}`)), written).toEqual([second.id, first.id]);
  }
});

test('a support code with more than one page of attempts continues in the list with that filter', async () => {
  const code = 'Y5Y5Y-5Y5Y5';
  await keep(...Array.from({ length: 501 }, () => anAttempt({ outcome: 'block', supportCode: code })));
  const first = await asked(`/attempts/${code}`);
  const rest = await asked(`/attempts?supportCode=${code}&cursor=${first.next}`);
  expect(new Set([...idsOf(first), ...idsOf(rest)]).size).toBe(501);
  expect(rest.next).toBeUndefined();
});

test('an unknown id or support code is a 404 with advice, and any other text is a 400 that shows both forms', async () => {
  expect((await refused(`/attempts/${anAttempt().id}`, 404)).detail).toContain('Check');
  expect((await refused('/attempts/9ZZZZ-9ZZZZ', 404)).detail).toContain('Check');
  expect((await refused(`/attempts/${crypto.randomUUID()}`, 400)).detail).toContain('support code');
});

test.each([
  ['an unknown parameter', '/attempts?colour=red', 'colour'],
  ['a parameter of another report', '/summary?email=ada@example.com', 'email'],
  ['a page of a file', '/attempts.csv?limit=5', 'limit'],
  ['an empty value', '/attempts?clientId=', 'clientId'],
  ['a repeated parameter', '/attempts?clientId=a&clientId=b', 'clientId'],
  ['an unknown outcome', '/attempts?outcome=blocked', 'outcome'],
  ['a time without offset', '/attempts?from=2026-11-11T00:00:00', 'from'],
  ['a day that does not exist', '/attempts?to=2026-02-30', 'to'],
  ['a year that Postgres does not accept', '/attempts?from=0000-01-01', 'from'],
  ['a range that ends before it begins', '/attempts?from=2026-11-12&to=2026-11-11', 'from'],
  ['a limit of 0', '/attempts?limit=0', 'limit'],
  ['a limit above 500', '/attempts?limit=501', 'limit'],
  ['a limit that is not a number', '/attempts?limit=all', 'limit'],
  ['a text that Postgres refuses', '/attempts?rule=%00', 'rule'],
  ['an invalid support code', '/attempts?supportCode=12345', 'supportCode'],
  ['an unknown interval', '/summary?interval=week', 'interval'],
])('a report with %s is a 400 that names the parameter', async (_, path, name) => {
  const { detail, errors } = await refused(path, 400);
  expect(detail).toContain(name);
  expect(errors?.map(({ path, message }) => path || message).join()).toContain(name);
});

test.each([
  ['an e-mail with an unencoded plus sign', '/attempts?email=p1+aa@example.com', 'email'],
  ['an e-mail with a display name', '/attempts?email=Ada%20%3Cada@example.com%3E', 'email'],
  ['an e-mail copied from a link', '/attempts.csv?email=mailto:ada@example.com', 'email'],
  ['an e-mail key with a space', '/people/email%3Ap1%20aa@example.com', 'key'],
])('%s is a 400 that says how to write it, not an empty list', async (_, path, name) => {
  const { errors } = await refused(path, 400);
  expect(errors).toEqual([{ path: name, message: expect.stringMatching(/%2B.*POST \/reports\/\w+\/search/) }]);
});

test('an e-mail key with an unencoded plus sign is also a 400 as the subject of /admin/changes', async () => {
  const { status, json } = await admin('GET', '/changes?subject=email:p1+aa@example.com');
  expect(status).toBe(400);
  expect(json.errors).toEqual([
    { path: 'subject', message: expect.stringMatching(/%2B.*POST \/admin\/changes\/search/) },
  ]);
});

test('an e-mail with a plus sign is found percent-encoded in a URL and unencoded in a body', async () => {
  const email = `p1+${newId()}@example.com`;
  const attempt = anAttempt({ email, emailKey: `email:${email}` });
  await keep(attempt);
  expect(idsOf(await asked(`/attempts?email=${encodeURIComponent(email)}`))).toEqual([attempt.id]);
  expect(idsOf(await asked('/attempts/search', { email }))).toEqual([attempt.id]);
  const inPath = await (await report(`/people/email:${email}`)).json<Listed>();
  expect(idsOf(inPath)).toEqual([attempt.id]);
});

test("the token step is found by the name that one of Microsoft's examples gives it", async () => {
  const clientId = newId();
  const attempt = anAttempt({ clientId, step: 'PreTokenIssuance' });
  await keep(attempt);
  expect(idsOf(await asked(`/attempts?clientId=${clientId}&step=PreTokenApplicationClaims`))).toEqual([attempt.id]);
});

test.each([
  ['DELETE', '/attempts', 'GET, HEAD'],
  ['POST', '/attempts.csv', 'GET, HEAD'],
  ['PUT', '/summary', 'GET, HEAD'],
  ['POST', '/summary.csv', 'GET, HEAD'],
  ['GET', '/attempts/search', 'POST'],
  ['PATCH', '/attempts/7K3QX-9M2TB', 'GET, HEAD'],
  ['GET', '/people/search', 'POST'],
  ['DELETE', '/people/oid%3A1', 'GET, HEAD'],
])('%s /reports%s is a 405 with the allowed methods', async (method, path, allowed) => {
  const response = await report(path, undefined, {}, method);
  expect({ status: response.status, allow: response.headers.get('Allow') }).toEqual({ status: 405, allow: allowed });
  expect(await response.json<Problem>()).toMatchObject({
    status: 405,
    title: 'Method not allowed',
    detail: expect.stringContaining(allowed),
  });
});

test('a search body with invalid JSON, another media type or more than 16 KiB is refused, not ignored', async () => {
  const malformed = await refused('/attempts/search', 400, '{');
  expect(malformed.errors).toEqual([{ path: '', message: malformed.detail }]);
  expect(malformed.detail).toContain('JSON');
  expect((await refused('/attempts/search', 400, { colour: 'red' })).detail).toContain('colour');
  expect((await report('/attempts/search', '{}', { 'Content-Type': 'application/x-www-form-urlencoded' })).status).toBe(
    415,
  );
  expect((await report('/attempts/search', { clientId: 'x'.repeat(20_000) })).status).toBe(413);
});

test('a search with any parameters is a list or a 400, never a 500', async () => {
  const names = [
    'step',
    'outcome',
    'clientId',
    'issuer',
    'rule',
    'objectId',
    'email',
    'supportCode',
    'from',
    'to',
    'limit',
    'cursor',
  ];
  const queries = fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary' }), { maxKeys: 3 });
  await fc.assert(
    fc.asyncProperty(queries, async (query) => {
      const response = await report('/attempts/search', query);
      const { status } = response;
      await response.body?.cancel();
      expect([200, 400]).toContain(status);
    }),
    { numRuns: 60 },
  );
});

test('reports require reports credentials, and an unknown address is a problem document', async () => {
  for (const pair of ['Test:Test', 'admin:admin', 'support:wrong']) {
    const response = await report('/attempts', undefined, { Authorization: `Basic ${btoa(pair)}` });
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toContain('Basic');
  }
  await refused('/attempt', 404);
});
