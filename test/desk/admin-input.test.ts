/** Admin endpoints answer any body with a record or a refusal, and return a stored record as it was sent. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { clientIdOf } from '../../src/sign-in/normal-form.ts';
import { admin, inPath, newKey } from '../support/admin-call.ts';

const name = fc.oneof(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/), fc.string({ unit: 'binary' }));
const list = fc.oneof(fc.array(name, { maxLength: 6 }), fc.jsonValue());
const memberName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'Shop', 'shop', ' shop'),
);
const dictionary = <Value>(value: fc.Arbitrary<Value>) =>
  fc.array(fc.tuple(memberName, value), { maxLength: 5 }).map((entries) => Object.fromEntries(entries));
const attributes = dictionary(
  fc.oneof(fc.string({ unit: 'binary' }), fc.double({ noNaN: true }), fc.boolean(), fc.jsonValue({ maxDepth: 1 })),
);
const names = fc.record({ roles: list, groups: list }, { requiredKeys: [] });
const likely = fc.record(
  { roles: list, groups: list, attributes, applications: dictionary(names), updatedAt: fc.string() },
  { requiredKeys: [] },
);
/** Mostly valid records, so that the property of accepted records has enough cases. */
const likelyValid = fc.record({
  roles: fc.array(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,9}$/), { maxLength: 5 }),
  attributes: dictionary(fc.oneof(fc.string({ unit: 'grapheme' }), fc.double({ noNaN: true }), fc.boolean())),
  applications: dictionary(
    fc.record({ groups: fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { maxLength: 3 }) }, { requiredKeys: [] }),
  ),
});

/** `Object.fromEntries` defines `__proto__` as a member, and JSON carries it. */
const asSent = (value: unknown) => JSON.parse(JSON.stringify(value));

const RECORD = '/people/oid%3Aanybody';
const ADDRESSES = [
  ['PUT', RECORD],
  ['PUT', '/people'],
  ['POST', '/people/search'],
  ['POST', '/people/remove'],
  ['POST', '/changes/search'],
] as const;

it('admin endpoints: any body is answered with 200, or with a problem that has a code and a detail', async () => {
  const body = fc.oneof(
    likely.map((record) => JSON.stringify(record)),
    fc.json(),
    fc.string({ unit: 'binary' }),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(...ADDRESSES), async (sent, [method, path]) => {
      const { status, json } = await admin(method, path, sent);
      if (status === 200) return;
      expect([400, 404, 413, 415]).toContain(status);
      expect(json).toMatchObject({ code: expect.stringMatching(/./), detail: expect.stringMatching(/./) });
    }),
    { numRuns: 300 },
  );
});

const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
const large = JSON.stringify({ attributes: { a: 'x'.repeat(70_000) } });

it.each<[string, unknown, number, string, string?]>([
  ['broken JSON', '{"roles":["a"', 400, 'invalid-request'],
  ['an empty body', '', 400, 'invalid-request'],
  ['nesting without end', `{"roles":${deep}}`, 400, 'invalid-request'],
  ['nesting without end in an attribute', `{"attributes":{"a":${deep}}}`, 400, 'invalid-request'],
  ['more than 64 KiB', large, 413, 'body-too-large'],
  ['more than 64 KiB without a length', () => new Blob([large]).stream(), 413, 'body-too-large'],
  ['a text', '{"roles":[]}', 415, 'body-not-json', 'text/plain'],
  ['a form', '{"roles":[]}', 415, 'body-not-json', 'application/x-www-form-urlencoded'],
  ['a body without a media type', '{"roles":[]}', 415, 'body-not-json', ''],
  ['no body', undefined, 415, 'body-not-json'],
])('admin endpoints: %s is refused and does not change the record', async (_, body, status, code, type) => {
  const key = newKey();
  await admin('PUT', inPath(key), { roles: ['editor'] });
  const sent = typeof body === 'function' ? (body as () => unknown)() : body;
  const refused = await admin(
    'PUT',
    inPath(key),
    sent,
    type === undefined ? {} : { headers: { 'Content-Type': type } },
  );
  expect([refused.status, refused.json.code]).toEqual([status, code]);
  expect((await admin('GET', inPath(key))).json.roles).toEqual(['editor']);
});

it('admin endpoints: the media type can have a charset parameter and any case', async () => {
  const headers = { 'Content-Type': 'Application/JSON; charset=utf-8' };
  expect((await admin('PUT', inPath(newKey()), '{"roles":[]}', { headers })).status).toBe(200);
});

const numbered = (count: number, value: (index: number) => unknown) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, value(index)]));
const NO_OBJECT = /^: not a JSON object: send one, with members/;
const KEYLESS = /^key: not a text\. Write a person key/;

it.each<[string, unknown, RegExp[], (readonly [string, string])?]>([
  ...ADDRESSES.flatMap((address) =>
    ['[]', 'null', '"oid:1"', '7'].map((body): [string, unknown, RegExp[], typeof address] => {
      return [`the body ${body} at ${address.join(' ')}`, body, [NO_OBJECT], address];
    }),
  ),
  ['a key that is a number', { key: 7 }, [KEYLESS], ['POST', '/people/search']],
  ['an absent key', {}, [KEYLESS], ['POST', '/people/search']],
  [
    'every invalid member',
    { roles: ['ok', 'two words', ''], groups: 'sales', attributes: { a: null, b: {} }, rolls: [] },
    [
      /^roles\.1: not a role or group name\. Write 1 to 64 letters/,
      /^roles\.2: not a role or group name/,
      /^groups: .*expected array/,
      /^attributes\.a: not an attribute\. Write a text of at most 2,000 characters/,
      /^attributes\.b: not an attribute/,
      /^: unknown: rolls\. Known here: roles, groups, attributes, applications$/,
    ],
  ],
  [
    'a too long roles claim',
    { roles: Object.values(numbered(100, (i) => `r${i}`.padEnd(30, 'x'))) },
    [/claim longer than 2000/],
  ],
  ['too many roles', { roles: Object.keys(numbered(101, String)) }, [/at most 100 names/]],
  ['too many attributes', { attributes: numbered(51, Number) }, [/at most 50/]],
  ['an application without a name', { applications: { ' ': {} } }, [/applications/]],
  ['an application in two spellings', { applications: { Shop: {}, 'shop ': {} } }, [/the same application twice/]],
  ['the name __proto__', '{"attributes":{"__proto__":"x"}}', [/cannot be stored/]],
  ['half a character', '{"attributes":{"a":"\\ud800"}}', [/valid Unicode/]],
  ['a NUL in a name', '{"attributes":{"a\\u0000":"x"}}', [/valid Unicode/]],
  ['a too large record', { attributes: numbered(20, () => 'x'.repeat(1_900)) }, [/Use fewer or shorter attributes/]],
])('admin endpoints: refusing %s names the remedy', async (_, body, faults, [method, path] = ['PUT', RECORD]) => {
  const { status, json } = await admin(method, path, body);
  expect([status, json.code]).toEqual([400, 'invalid-request']);
  const errors = json.errors as { path: string; message: string }[];
  for (const { message } of errors) expect(json.detail).toContain(message);
  expect(errors.map((error) => `${error.path}: ${error.message}`)).toEqual(
    faults.map((fault) => expect.stringMatching(fault)),
  );
});

it('admin endpoints: GET returns the record of PUT, without duplicate names and with client ids as calls have them', async () => {
  const key = newKey();
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ arbitrary: likelyValid, weight: 4 }, { arbitrary: likely, weight: 1 }),
      async (record) => {
        const sent = asSent(record);
        const put = await admin('PUT', inPath(key), sent);
        if (put.status !== 200) {
          expect(put.status).toBe(400);
          return;
        }
        accepted += 1;
        const { key: _, updatedAt, updatedBy, ...held } = (await admin('GET', inPath(key))).json;
        const once = (names?: string[]) => names && [...new Set(names)];
        const applications = Object.entries<{ roles?: string[]; groups?: string[] }>(sent.applications ?? {}).map(
          ([id, names]) => [clientIdOf(id), asSent({ roles: once(names.roles), groups: once(names.groups) })],
        );
        expect(held).toEqual({
          roles: once(sent.roles) ?? [],
          groups: once(sent.groups) ?? [],
          attributes: sent.attributes ?? {},
          applications: Object.fromEntries(applications),
        });
      },
    ),
    { numRuns: 200 },
  );
  expect(accepted).toBeGreaterThan(20);
});

it.each([
  ['PUT', '/people', { key: newKey(), 'x\ud83d': 1 }],
  ['PUT', '/people', { key: newKey(), attributes: { 'x\ud83d': null } }],
  ['PUT', '/people', { key: newKey(), applications: { 'x\ud83d': { 'y\udc00': 1 } } }],
  ['POST', '/people/search', { key: 'oid:\ud83d' }],
  ['POST', '/policy/try', { call: { step: 'PreTokenIssuance' }, entitlements: { attributes: { 'x\ud83d': [] } } }],
  ['POST', '/policy/try', { call: { step: 'PreTokenIssuance' }, policy: { rules: [], lists: { 'x\ud83d': [1] } } }],
  ['POST', '/policy/try', { call: { step: 'PreTokenIssuance' }, policy: { rules: [], 'x\ud83d': 1 } }],
  ['POST', '/policy/try', { call: { step: 'PreTokenIssuance' }, step: 'x\ud83d' }],
])('%s %s with half a character in a name is a 400 without half a character: %j', async (method, path, body) => {
  const { status, json } = await admin(method, path, body);
  expect(status).toBe(400);
  expect(JSON.stringify(json)).not.toMatch(/\\ud[89a-f]/);
});

it('POST /policy/try of a call with half characters in names and values answers without them', async () => {
  const half = '\ud83d';
  const identity = { signInType: `f${half}`, issuer: `i${half}`, issuerAssignedId: `1${half}` };
  const call = { step: 'PostAttributeCollection', displayName: `a${half}`, [`x${half}`]: [1], [half]: half };
  const rules = [
    { id: 's', steps: [call.step], set: { extension_A: 'claims.displayName', extension_B: 'identity.id' } },
    { id: 'b', steps: [call.step], when: 'int(claims.displayName) > 1', onError: 'apply', invalid: true },
  ];
  const given = { call: { ...call, identities: [identity], ui_locales: half }, policy: { rules } };
  const { status, json } = await admin('POST', '/policy/try', given);
  expect(status).toBe(200);
  expect(JSON.stringify(json)).not.toMatch(/\\ud[89a-f]/);
});
