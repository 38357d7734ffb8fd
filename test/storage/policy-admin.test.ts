/** `/admin/policy`: preconditions, saving and documents over HTTP. */
import { describe, expect, it } from 'vitest';
import { type Code, REFUSALS } from '../../src/desk/http/error-codes.ts';
import { aPolicy, type Call, FIRST, ifMatch, newPolicy, policyDoor } from '../support/policy-door.ts';

const door = policyDoor();
const { call, put, save } = door;

const blocking = (id: string) => ({ id, steps: ['PostFederationSignup'], block: true });

type Refused = [address: string, given: Call, code: Code, members?: object];

/** Makes each call and expects its refusal. No call may change anything. */
async function expectRefusals(refusals: readonly Refused[]) {
  const before = [await door.versions(), door.pointer()];
  door.memory().made.length = 0;
  for (const [address, given, code, members] of refusals) {
    const [method = '', path = ''] = address.split(' ');
    const { status, json } = await call(method, path, given);
    expect([address, given, status, json.code]).toEqual([address, given, REFUSALS[code][0], code]);
    expect(json).toMatchObject({
      type: expect.stringMatching(/^urn:gatehouse:problem:./),
      status,
      requestId: expect.stringMatching(/./),
      ...members,
    });
  }
  expect([await door.versions(), door.pointer()]).toEqual(before);
  expect(door.memory().made.filter((made) => made.startsWith('put'))).toEqual([]);
}

const faultAt = (path: string, message = /./) => ({ errors: [{ path, message: expect.stringMatching(message) }] });

it('/admin/policy: before the first save, every endpoint refuses with the code for a missing version', async () => {
  const body = aPolicy();
  await expectRefusals([
    ['GET /policy', {}, 'no-policy', { title: 'Not found', current: null }],
    ['GET /policy/shadow', {}, 'no-shadow', { current: null }],
    ['GET /policy/versions/1', {}, 'no-such-version'],
    ['PUT /policy', { body, headers: ifMatch(1) }, 'version-missing', { current: null }],
    ['PUT /policy', { body }, 'precondition-missing', { title: 'Precondition required', current: null }],
    ['PUT /policy/shadow', { body, headers: FIRST }, 'no-policy-to-shadow'],
    ['DELETE /policy/shadow', { headers: ifMatch(1) }, 'no-shadow', { current: null }],
    ['POST /policy/rollback', { body: { to: 1 }, headers: ifMatch(1) }, 'no-such-version'],
  ]);
  expect((await call('GET', '/policy')).headers.get('Content-Type')).toBe('application/problem+json');
  expect((await call('GET', '/policy/versions')).json).toEqual({ versions: [] });
});

it('/admin/policy: an invalid call, or one with a wrong precondition, is refused and changes nothing', async () => {
  const body = newPolicy();
  const support = { headers: { Authorization: `Basic ${btoa('support:support')}` } };
  await save();
  await save();
  await expectRefusals([
    ...[{}, { 'If-Match': '*' }, { 'If-Match': '' }, { 'If-None-Match': '"7"' }, { ...ifMatch(2), ...FIRST }].map(
      (headers): Refused => ['PUT /policy', { body, headers }, 'precondition-missing', { current: 2 }],
    ),
    ...[ifMatch(1), { 'If-Match': 'abc' }, ifMatch(20), FIRST].map(
      (headers): Refused => ['PUT /policy', { body, headers }, 'version-changed', { current: 2 }],
    ),
    ['PUT /policy', { body: '{}', headers: { ...FIRST, 'Content-Type': 'text/plain' } }, 'body-not-json'],
    ['PUT /policy', { headers: FIRST }, 'body-not-json'],
    ...['', 'x'.repeat(501), '%00', 'a&note=b'].map(
      (note): Refused => [`PUT /policy?note=${note}`, { body }, 'invalid-request', faultAt('note')],
    ),
    ['POST /policy/rollback', { body: { to: 1 } }, 'precondition-missing', { current: 2 }],
    ['POST /policy/rollback', { body: { to: 1 }, headers: ifMatch(1) }, 'version-changed', { current: 2 }],
    ['POST /policy/rollback', { body: { to: 9 }, headers: ifMatch(2) }, 'no-such-version'],
    ...[{}, { to: '1' }, { to: 0 }, { to: 1, why: 'x' }, [], 'x'].map(
      (to): Refused => ['POST /policy/rollback', { body: to, headers: ifMatch(2) }, 'invalid-request'],
    ),
    ['GET /policy/versions/3', {}, 'no-such-version'],
    ...['0', '-1', 'x', '1.5', '99999999999'].map(
      (number): Refused => [`GET /policy/versions/${number}`, {}, 'invalid-request', faultAt('number')],
    ),
    ...['cursor=5', 'limit=0', 'limit=501', 'page=2'].map(
      (query): Refused => [`GET /policy/versions?${query}`, {}, 'invalid-request'],
    ),
    ...['0', '0.0', '1.1', '-0.5', 'all', '', '.', '1e-3'].map(
      (sample): Refused => [`PUT /policy/shadow?sample=${sample}`, { body }, 'invalid-request', faultAt('sample')],
    ),
    ...['GET /policy', 'PUT /policy', 'GET /policy/versions', 'GET /policy/versions/1', 'GET /policy/shadow'].map(
      (address): Refused => [
        ...([`${address}?colour=blue`, address.startsWith('PUT') ? { body } : {}, 'invalid-request'] as const),
        faultAt('', /unknown: colour/),
      ],
    ),
    ['POST /policy/rollback?colour=blue', { body: { to: 1 } }, 'invalid-request', faultAt('', /unknown: colour/)],
    ['GET /policy/nowhere', {}, 'no-such-address'],
    ...['GET /policy', 'PUT /policy', 'POST /policy/rollback', 'DELETE /policy/shadow', 'GET /policy/nowhere'].map(
      (address): Refused => [address, support, 'not-authenticated'],
    ),
  ]);
  expect((await put(body, FIRST)).headers.get('ETag')).toBe('"2"');
});

it.each([
  ['/policy', 'GET, HEAD, PUT'],
  ['/policy/versions', 'GET, HEAD'],
  ['/policy/versions/1', 'GET, HEAD'],
  ['/policy/rollback', 'POST'],
  ['/policy/try', 'POST'],
  ['/policy/lists/vip', 'POST'],
  ['/policy/shadow/lists/vip', 'POST'],
  ['/policy/shadow', 'GET, HEAD, PUT, DELETE'],
])('/admin%s answers other methods with 405 and Allow: %s', async (path, allowed) => {
  const { json, headers } = await call('PATCH', path);
  expect([json.status, json.code, headers.get('Allow')]).toEqual([405, 'method-not-allowed', allowed]);
});

describe('/admin/policy: saving', () => {
  it('a save returns its changes, warnings and propagation time, and GET returns the document as it was written', async () => {
    const document = {
      rules: [...aPolicy().rules, blocking('closed')],
      messages: { zulu: { en: 'Z {supportCode}' }, alpha: { en: 'A {supportCode}' } },
      lists: { vip: ['anna@example.com', 'ben@example.com'] },
      $schema: './policy.schema.json',
    };
    const first = await put(JSON.stringify(document, null, 2), FIRST, '?note=the%20first');
    expect([first.status, first.headers.get('ETag'), first.headers.get('Cache-Control')]).toEqual([
      200,
      '"1"',
      'no-store',
    ]);
    expect(first.json).toEqual({
      number: 1,
      use: 'active',
      changed: true,
      previous: null,
      author: 'admin',
      note: 'the first',
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      comparedWith: null,
      changes: {
        rules: { added: ['roles', 'closed'] },
        lists: [{ name: 'vip', change: 'added', entriesAdded: 2, entriesRemoved: 0 }],
        messages: { added: ['zulu', 'alpha'] },
        others: ['$schema'],
      },
      warnings: expect.arrayContaining([
        { path: 'rules[1].block', rule: 'closed', message: expect.stringContaining('everybody') },
        { path: 'messages.zulu', message: expect.stringContaining('No rule uses it') },
      ]),
      published: true,
      inForce: expect.stringMatching(/^everywhere within about a minute/),
    });

    const got = await call('GET', '/policy');
    expect([got.headers.get('ETag'), got.headers.get('Content-Type'), got.text]).toEqual([
      '"1"',
      'application/json',
      JSON.stringify(document),
    ]);
    expect(door.pointer()).toEqual({ v: 1, number: 1 });
    expect(door.published(1)).toEqual(document);
    expect(door.due()).toEqual([]);

    const second = await put({ ...document, lists: { vip: ['anna@example.com', 'cleo@example.com'] } }, ifMatch(1));
    expect(second.json).toMatchObject({
      number: 2,
      previous: 1,
      comparedWith: 1,
      note: '',
      changes: { lists: [{ name: 'vip', change: 'changed', entriesAdded: 1, entriesRemoved: 1 }] },
    });
    expect(door.pointer()).toEqual({ v: 1, number: 2 });
    expect(door.published(1)).toEqual(document);
  });

  it('If-Match accepts a number without quotes, a weak tag and a list', async () => {
    let number = await save();
    for (const form of [(n: number) => `"${n}"`, String, (n: number) => `W/"${n}"`, (n: number) => `"0", "${n}" `]) {
      const { status, json } = await put(newPolicy(), { 'If-Match': form(number) });
      expect([form(number), status, json.number]).toEqual([form(number), 200, number + 1]);
      number += 1;
    }
  });

  it('saving the policy in force adds no version, so a retry is safe', async () => {
    const document = aPolicy({ lists: { a: ['1'], b: ['2'] } });
    const number = await save(document);
    const turned = { lists: { b: ['2'], a: ['1'] }, rules: document.rules };
    for (const headers of [ifMatch(number), ifMatch(number - 1)]) {
      const again = await put(turned, headers);
      expect(again).toMatchObject({ status: 200, json: { number, changed: false, changes: {}, published: true } });
      expect(again.headers.get('ETag')).toBe(`"${number}"`);
    }
    const first = await put(turned, FIRST);
    expect([first.status, first.json.code, first.json.current]).toEqual([412, 'version-identical', number]);
    expect(await door.versions()).toHaveLength(1);
    expect(await door.changes('policy')).toHaveLength(1);
  });

  it('of concurrent saves from the same version exactly one succeeds', async () => {
    const number = await save();
    const answers = await Promise.all(Array.from({ length: 4 }, () => put(newPolicy(), ifMatch(number))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
    const winner = answers.find(({ status }) => status === 200);
    expect((await call('GET', '/policy')).headers.get('ETag')).toBe(winner?.headers.get('ETag'));
    expect(door.pointer()).toEqual({ v: 1, number: number + 1 });
    expect(await door.versions()).toHaveLength(2);
    expect(door.due()).toEqual([]);
  });

  it('concurrent saves of a policy and of a shadow both succeed', async () => {
    const number = await save();
    const answers = await Promise.all([
      put(newPolicy(), ifMatch(number)),
      call('PUT', '/policy/shadow', { body: newPolicy(), headers: FIRST }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const [active, shadow] = answers.map(({ json }) => Number(json.number));
    expect([active, shadow].sort()).toEqual([number + 1, number + 2]);
    expect(door.pointer()).toEqual({ v: 1, number: active, shadow: { number: shadow, sample: 1 } });
  });

  it('a save while the built-in policy decides says that it is not in force yet', async () => {
    const { json } = await call('PUT', '/policy', {
      body: aPolicy(),
      headers: FIRST,
      settings: { POLICY: 'built-in' },
    });
    expect(json.inForce).toMatch(
      /^not yet, since .* decides\. To use the saved policy, start npm run dev again .*; elsewhere set POLICY = "stored"/,
    );
    expect(door.pointer()).toEqual({ v: 1, number: 1 });
  });
});

describe('/admin/policy: documents', () => {
  const refusal = async (body: unknown) => {
    const { status, json } = await put(body, FIRST);
    expect([status, json.code]).toEqual([400, 'invalid-policy']);
    const errors = json.errors as { path: string; rule?: string; message: string }[];
    for (const { message } of errors) expect(json.detail).toContain(message);
    expect(await door.versions()).toEqual([]);
    return errors;
  };

  it('a document is refused with all of its problems at once', async () => {
    const errors = await refusal({
      messages: { short: { de: 'Kurz {supportCode}' } },
      rules: [
        { id: 'token', steps: ['PreTokenIssuance'], block: 'nowhere' },
        { id: 'twice', steps: ['PostFederationSignup'], invalid: true },
        { id: 'twice', steps: ['PostAttributeCollection'], set: { status: "'1'" } },
        { id: 'unknown', steps: ['PostAttributeCollection'], when: 'nonsense(claims.email)', block: true },
      ],
    });
    expect(errors.map(({ path, rule }) => [path, rule])).toEqual(
      expect.arrayContaining([
        ['messages.short', undefined],
        ['rules[0].steps', 'token'],
        ['rules[0].block', 'token'],
        ['rules[1].steps', 'twice'],
        ['rules[2].id', 'twice'],
        ['rules[2].set.status', 'twice'],
        ['rules[3].when', 'unknown'],
      ]),
    );
  });

  it.each([
    ['broken JSON', '{"rules":[', '', /^Not JSON: /],
    ['nothing', '', '', /^Not JSON: /],
    ['an array', '[]', '', /^Not a JSON object/],
    ['unknown members', { rules: [], rulez: [], list: {} }, '', /^Unknown: rulez, list\. The members of a policy are/],
    ['a wrong type', { rules: 'none' }, 'rules', /^Not a list of rules/],
    ['an object with __proto__', '{"rules":[],"lists":{"__proto__":[]}}', '', /__proto__/],
    ['an object with a duplicate key', '{"rules":[],"lists":{},"rules":[]}', '', /the key "rules" twice/],
    ['invalid UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), '', /^Not UTF-8/],
    ['nesting without end', '['.repeat(100_000), '', /^Not JSON|^Not a JSON object/],
  ])('a document that is %s is refused with its path', async (_, body, path, message) => {
    expect(await refusal(body)).toMatchObject([{ path, message: expect.stringMatching(message) }]);
  });

  it('a document with many problems is refused with 20 of them and the number of the others, whatever their kind', async () => {
    const rules = Array.from({ length: 60 }, (_, index) => ({
      id: `r${index}`,
      steps: ['PreTokenIssuance'],
      when: 'nonsense(claims.email)',
      set: { givenName: "'x'" },
    }));
    const twice = Array.from({ length: 60 }, (_, index) => `"l${index}":[],"l${index}":[]`).join(',');
    for (const body of [
      { rules },
      { rules: Array(60).fill(1) },
      { rules: [], lists: { all: Array(60).fill(1) } },
      `{"rules":[],"lists":{${twice}}}`,
    ]) {
      const errors = await refusal(body);
      expect(errors).toHaveLength(21);
      expect(errors.at(-1)).toMatchObject({ path: '', message: 'and 40 more. Correct these first' });
      expect((await put(body, FIRST)).json.detail).toMatch(/^The document has 60 problems\. Nothing was saved\. /);
    }
  });

  it('a document with a byte order mark is accepted', async () => {
    expect((await put(`\ufeff${JSON.stringify(aPolicy())}`, FIRST)).status).toBe(200);
    expect((await call('GET', '/policy')).text).toBe(JSON.stringify(aPolicy()));
  });

  it('a document of 9 MB is a 413, with and without Content-Length', async () => {
    const body = JSON.stringify(aPolicy({ description: 'x'.repeat(9_000_000) }));
    const length = { 'Content-Length': String(body.length) };
    const responses = [await put(body, { ...FIRST, ...length }), await put(new Blob([body]).stream(), FIRST)];
    for (const { status, json } of responses) expect([status, json.code]).toEqual([413, 'body-too-large']);
    expect(await door.versions()).toEqual([]);
  });

  it('a document of nearly 8 MB with the longest lists is saved, published and returned', async () => {
    const entries = (kind: string) => Array.from({ length: 100_000 }, (_, index) => `${kind}-${index}`.padEnd(32, 'x'));
    const document = aPolicy({ lists: { first: entries('a'), second: entries('b') } });
    const text = JSON.stringify(document);
    const { status, json } = await put(text, FIRST);
    expect([status, json.published, text.length > 6_900_000]).toEqual([200, true, true]);
    expect((await call('GET', '/policy')).text).toBe(text);
    const other = aPolicy({ lists: { first: entries('a'), second: entries('c') } });
    expect((await put(other, ifMatch(1))).json.changes).toEqual({
      lists: [{ name: 'second', change: 'changed', entriesAdded: 100_000, entriesRemoved: 100_000 }],
    });
  });
});
