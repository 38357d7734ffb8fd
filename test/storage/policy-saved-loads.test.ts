/** What is saved can be loaded: by the gate of a new isolate, at every step. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { configOf } from '../../src/platform/config.ts';
import { ActivePolicy } from '../../src/policy/active.ts';
import { POINTER_KEY } from '../../src/policy/pointer.ts';
import { STEPS } from '../../src/sign-in/steps.ts';
import { FIRST, ifMatch, newPolicy, policyDoor } from '../support/policy-door.ts';

const door = policyDoor();

/** Names that objects have already, or that a reader of JSON may treat in its own way. */
const name = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__'),
  },
  { weight: 3, arbitrary: fc.constantFrom('a', 'blocked', 'en', 'de', '0', '1e3', '_', 'lists', 'extension_A') },
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('a', '{supportCode}', '\ud800', '"'),
);
const one = <Value>(value: fc.Arbitrary<Value>) => fc.dictionary(name, value, { maxKeys: 2, noNullPrototype: false });
const rule = (id: string) =>
  fc.record(
    {
      id: fc.constant(id),
      steps: fc.oneof({ weight: 3, arbitrary: fc.subarray([...STEPS], { minLength: 1 }) }, fc.constant(['Ask'])),
      when: fc.constantFrom('has(claims.email) && claims.email in lists.a', 'request.locale == "de"', 'true'),
      set: fc.oneof(
        fc.constant({ extension_A: "person.roles.join(' ')" }),
        one(fc.constantFrom("'x'", 'string(request.step)')),
      ),
    },
    { requiredKeys: ['id', 'steps', 'set'] },
  );
/** The rules above fit it. */
const ASK = { kind: 'validation', outputs: { extension_A: 'string' } };
const wild = fc.record(
  {
    kind: fc.constantFrom('validation', 'orchestration'),
    issuer: text,
    inputs: one(fc.oneof(text, fc.array(text, { maxLength: 2 }))),
    outputs: one(fc.constantFrom('string', 'list')),
  },
  { requiredKeys: ['kind'] },
);
const tame = fc.constantFrom(ASK, { ...ASK, inputs: { constructor: 'x', a: ['__proto__', 'toString'] } });
const exchanges = fc.oneof(
  { weight: 4, arbitrary: fc.record({ Ask: tame }) },
  { weight: 2, arbitrary: fc.record({ Ask: tame, constructor: tame, toString: tame }) },
  { weight: 1, arbitrary: one(wild) },
);
const document = fc.record(
  {
    description: text,
    lists: fc.oneof(fc.constant({ a: ['x'] }), one(fc.array(text, { maxLength: 3 }))),
    messages: one(fc.record({ en: fc.constant('Text'), de: text }, { requiredKeys: ['en'] })),
    applications: one(text),
    exchanges,
    rules: fc.tuple(rule('one'), rule('two')),
  },
  { requiredKeys: ['rules'] },
);

/** The same JSON, with some characters of its texts and names written as escapes. */
const escaped = (json: string, every: number) =>
  every === 0
    ? json
    : json.replace(/[a-z_](?=[^"\\]*")/gi, (char, at: number) =>
        at % every === 0 && json[at - 1] !== '\\' && !/\\u[0-9a-f]{0,3}$/i.test(json.slice(0, at))
          ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
          : char,
      );

/** The faults of a new isolate at these steps, with the policy that KV holds now. */
async function faultsOfNewIsolate(steps: readonly string[]): Promise<string[]> {
  const active = new ActivePolicy(configOf({ POLICY: 'stored', LOCAL: 'yes' }));
  const { values } = door.memory();
  const read = async (key: string) => values.get(key) ?? null;
  const faults: string[] = [];
  for (const step of steps) faults.push((await active.at(await read(POINTER_KEY), step, Date.now(), read)).fault);
  return faults.filter((fault) => fault !== '');
}

it('whatever PUT /admin/policy accepts, a new isolate loads at every step and Postgres reads in parts', async () => {
  let accepted = 0;
  let withExchanges = 0;
  let number = 0;
  await fc.assert(
    fc.asyncProperty(document, fc.integer({ min: 0, max: 3 }), async (given, every) => {
      const body = escaped(JSON.stringify({ ...given, $schema: crypto.randomUUID() }), every);
      const { status, json } = await door.put(body, number === 0 ? FIRST : ifMatch(number));
      expect([200, 400]).toContain(status);
      if (status === 400) return;
      accepted += 1;
      number = Number(json.number);
      const steps = [...STEPS, 'SignInStarted', ...Object.keys(given.exchanges ?? {})];
      if (given.exchanges !== undefined) withExchanges += 1;
      expect(await faultsOfNewIsolate(steps), body).toEqual([]);
      // Reports read parts of the document, which Postgres must parse.
      await door.database
        .db()
        .execute(sql`select document -> 'applications' from policy_versions where number = ${number}`);
    }),
    { numRuns: 200 },
  );
  // About one document in ten is accepted.
  expect(accepted).toBeGreaterThan(0);
  expect(withExchanges).toBeGreaterThan(0);
});

it('a member called __proto__ is refused however it is escaped, and at any depth', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
      fc.constantFrom(
        '{"rules":[],"lists":{"NAME":["a"]}}',
        '{"rules":[],"messages":{"NAME":{"en":"a"}}}',
        '{"rules":[],"messages":{"a":{"en":"a","NAME":"a"}}}',
        '{"rules":[],"applications":{"NAME":"a"}}',
        '{"rules":[{"id":"a","steps":["PreTokenIssuance"],"set":{"NAME":"1"}}]}',
        '{"rules":[],"NAME":{}}',
      ),
      async (isEscaped, template) => {
        const written = [...'__proto__']
          .map((char, at) => (isEscaped[at] ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char))
          .join('');
        const { status, json } = await door.put(template.replace('NAME', written), FIRST);
        expect([status, json.code]).toEqual([400, 'invalid-policy']);
      },
    ),
    { numRuns: 60 },
  );
  expect(await door.versions()).toEqual([]);
});

it('a document that is too deep for the stack is refused, and is not an error of ours', async () => {
  const { status, json } = await door.put(`{"rules":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, FIRST);
  expect([status, json.code]).toEqual([400, 'invalid-policy']);
});

it('a document whose plan cannot be made is not saved, so that no version exists that a gate cannot load', async () => {
  await door.save();
  const before = await door.versions();
  // Every plan contains a digest of its document.
  vi.spyOn(crypto.subtle, 'digest').mockRejectedValue(new Error('no plan'));
  const { status } = await door.put(newPolicy(), ifMatch(1));
  expect(status).toBe(500);
  expect(await door.versions()).toEqual(before);
  expect(door.due()).toEqual([]);
});
