/** Whatever is sent to the administrators' door, it answers sensibly; and what it takes it gives back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admin, inPath, newKey } from './admin-call.ts';

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
/** Records of which most are good, so that the second property has something to look at. */
const good = fc.record({
  roles: fc.array(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,9}$/), { maxLength: 5 }),
  attributes: dictionary(fc.oneof(fc.string({ unit: 'grapheme' }), fc.double({ noNaN: true }), fc.boolean())),
  applications: dictionary(
    fc.record({ groups: fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { maxLength: 3 }) }, { requiredKeys: [] }),
  ),
});

/** `Object.fromEntries` defines `__proto__` as a member, and JSON carries it. */
const asSent = (value: unknown) => JSON.parse(JSON.stringify(value));
const isRefusal = (status: number) => [400, 404, 413, 415].includes(status);

describe('no body', () => {
  it('makes anything but an answer or a refusal that says why', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          likely.map((body) => JSON.stringify(body)),
          fc.json(),
          fc.string({ unit: 'binary' }),
        ),
        fc.constantFrom(
          ['PUT', '/people/oid%3Aanybody'],
          ['PUT', '/people'],
          ['POST', '/people/search'],
          ['POST', '/people/remove'],
          ['POST', '/changes/search'],
        ),
        async (body, [method = '', path = '']) => {
          const { status, json } = await admin(method, path, body);
          if (status === 200) return;
          expect([status, isRefusal(status)]).toEqual([status, true]);
          expect(json.detail).toMatch(/./);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['not JSON', '{"roles":["a"'],
    ['an array', '[]'],
    ['null', 'null'],
    ['empty', ''],
    ['nested without end', `{"roles":${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
    [
      'nested without end in a place where anything is looked at',
      `{"attributes":{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`,
    ],
  ])('that is %s is taken for a record', async (_, body) => {
    expect((await admin('PUT', inPath(newKey()), body)).status).toBe(400);
  });

  it('of more than 64 KiB is read, whether it says its length or not', async () => {
    const body = JSON.stringify({ roles: [], attributes: { a: 'x'.repeat(70_000) } });
    expect((await admin('PUT', inPath(newKey()), body)).status).toBe(413);
    const stream = () =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(body));
          controller.close();
        },
      });
    expect((await admin('PUT', inPath(newKey()), stream())).status).toBe(413);
  });

  it('of another type, or none, is taken for "no roles"', async () => {
    const key = newKey();
    await admin('PUT', inPath(key), { roles: ['editor'] });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
      const headers = { 'Content-Type': type };
      expect((await admin('PUT', inPath(key), '{"roles":[]}', { headers })).status).toBe(415);
    }
    expect((await admin('PUT', inPath(key))).status).toBe(415);
    expect((await admin('GET', inPath(key))).json.roles).toEqual(['editor']);
    const headers = { 'Content-Type': 'Application/JSON; charset=utf-8' };
    expect((await admin('PUT', inPath(key), '{"roles":[]}', { headers })).status).toBe(200);
  });
});

describe('what put takes', () => {
  it('get gives back as it was sent, each name once and applications in lower case', async () => {
    const key = newKey();
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(good, likely), async (record) => {
        const sent = asSent(record);
        const put = await admin('PUT', inPath(key), sent);
        if (put.status !== 200) {
          expect(put.status).toBe(400);
          return;
        }
        taken += 1;
        const { key: _, updatedAt, updatedBy, ...held } = (await admin('GET', inPath(key))).json;
        const once = (names?: string[]) => names && [...new Set(names)];
        const applications = Object.entries<{ roles?: string[]; groups?: string[] }>(sent.applications ?? {}).map(
          ([id, names]) => [id.trim().toLowerCase(), asSent({ roles: once(names.roles), groups: once(names.groups) })],
        );
        expect(held).toEqual({
          roles: once(sent.roles) ?? [],
          groups: once(sent.groups) ?? [],
          attributes: sent.attributes ?? {},
          applications: Object.fromEntries(applications),
        });
      }),
      { numRuns: 200 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});

describe('a refusal', () => {
  const faults = async (body: unknown) => {
    const { status, json } = await admin('PUT', inPath(newKey()), body);
    expect(status).toBe(400);
    const errors = json.errors as { path: string; message: string }[];
    for (const { message } of errors) expect(json.detail).toContain(message);
    return errors.map(({ path, message }) => `${path}: ${message}`);
  };

  it('names every member at fault, with what to do', async () => {
    expect(
      await faults({ roles: ['ok', 'two words', ''], groups: 'sales', attributes: { a: null, b: {} }, rolls: [] }),
    ).toEqual([
      expect.stringMatching(/^roles\.1: a role or group name is 1 to 64 characters/),
      expect.stringMatching(/^roles\.2: a role or group name is/),
      expect.stringMatching(/^groups: .*expected array/),
      expect.stringMatching(/^attributes\.a: an attribute is a text of at most 2,000 characters/),
      expect.stringMatching(/^attributes\.b: an attribute is/),
      ': unknown: rolls. Known here: roles, groups, attributes, applications',
    ]);
  });

  it('of a body that is no object says what to send, on every address', async () => {
    for (const [method, path] of [
      ['PUT', inPath(newKey())],
      ['PUT', '/people'],
      ['POST', '/people/search'],
      ['POST', '/people/remove'],
      ['POST', '/changes/search'],
    ] as const) {
      for (const body of ['[]', 'null', '"oid:1"', '7']) {
        const { status, json } = await admin(method, path, body);
        expect([status, json.detail]).toEqual([
          400,
          expect.stringMatching(/^not a JSON object: send one, with members/),
        ]);
      }
    }
    expect((await admin('POST', '/people/search', { key: 7 })).json.detail).toMatch(
      /^key: give a person key as a text/,
    );
    expect((await admin('POST', '/people/search', {})).json.detail).toMatch(/^key: give a person key as a text/);
  });

  it.each([
    [
      'roles that make too long a claim',
      { roles: Array.from({ length: 100 }, (_, i) => `r${i}`.padEnd(30, 'x')) },
      /claim longer than 2000/,
    ],
    ['too many roles', { roles: Array.from({ length: 101 }, (_, i) => `r${i}`) }, /at most 100 names/],
    [
      'too many attributes',
      { attributes: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`a${i}`, 1])) },
      /at most 50/,
    ],
    ['an application without a name', { applications: { ' ': {} } }, /applications/],
    ['one application in two spellings', { applications: { Shop: {}, 'shop ': {} } }, /stands here twice/],
    ['a name that objects keep for themselves', '{"attributes":{"__proto__":"x"}}', /cannot be stored/],
    ['half a character', '{"attributes":{"a":"\\ud800"}}', /valid Unicode/],
    ['a NUL in a name', '{"attributes":{"a\\u0000":"x"}}', /valid Unicode/],
    [
      'a record too large for the change log',
      { attributes: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`a${i}`, 'x'.repeat(1_900)])) },
      /use fewer or shorter attributes/,
    ],
  ])('meets %s', async (_, body, said) => {
    expect(await faults(body)).toEqual([expect.stringMatching(said)]);
  });
});
