/** Properties of every valid policy with every body. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../src/desk/policies/check.ts';
import { compilePolicy } from '../../src/desk/policies/compile-plan.ts';
import { replyTo } from '../../src/gate/user-flow/reply.ts';
import { readEvent } from '../../src/gate/user-flow/request.ts';
import { decide } from '../../src/policy/decide.ts';
import { STEPS } from '../../src/sign-in/steps.ts';

const SIGN_UP = ['PostFederationSignup', 'PostAttributeCollection'];
const NAMES = { rolesClaim: 'extension_Roles', extensionsAppId: '' };

const claim = fc.constantFrom(
  'email',
  'city',
  'givenName',
  'extension_A',
  'extension_B',
  'extension_Roles',
  'postalCode',
);
const condition = fc.oneof(
  claim.map((name) => `has(claims.${name})`),
  claim.map((name) => `claims.${name} in lists.words`),
  claim.map((name) => `has(claims.${name}) && claims.${name} == 'x'`),
  claim.map((name) => `!claims.${name}.matches('^[a-z]{1,5}$')`),
  claim.map((name) => `int(claims.${name}) > 3`),
  claim.map((name) => `bool(claims.${name})`),
  claim.map((name) => `age(string(claims.${name})) < 18`),
  fc.constantFrom(
    'true',
    'false',
    "'editor' in person.roles",
    "identity.issuer == ''",
    "request.step == 'PreTokenIssuance'",
    "domain(claims.email) == 'example.com'",
    "person.roles.exists(r, r.startsWith('e'))",
    "request.time > timestamp('2026-01-01T00:00:00Z')",
  ),
);
const value = fc.oneof(
  claim.map((name) => `claims.${name}`),
  claim.map((name) => `titleCase(claims.${name})`),
  fc.constantFrom(
    "''",
    "'text'",
    '7',
    '7.5',
    'true',
    'person.roles',
    "person.roles.join(' ')",
    'person.attributes.level',
    "claims.email.split('@')[0]",
    '9007199254740993',
    '1 / 0',
    '1.0 / 0.0',
    'claims.email + claims.city',
    "'\\u0000\\u2028'",
  ),
);
const target = fc.constantFrom('city', 'givenName', 'extension_A', 'extension_Roles', 'extension_roles');
const message = fc.constantFrom('refused', true);
const some = (steps: readonly string[]) => fc.uniqueArray(fc.constantFrom(...steps), { minLength: 1 });
const guard = fc.record({ when: condition, onError: fc.constantFrom('skip', 'apply') });
const setting = fc.record({ steps: some(STEPS), set: fc.dictionary(target, value, { minKeys: 1, maxKeys: 3 }) });
const refusal = fc.oneof(
  fc.record({ steps: some(SIGN_UP), block: message }),
  fc.record({ steps: fc.constant(['PostAttributeCollection']), invalid: message }),
);
/** Most are valid. The test skips policies that the check refuses. */
const rule = fc.oneof(
  { weight: 6, arbitrary: setting },
  { weight: 4, arbitrary: fc.tuple(setting, condition).map(([one, when]) => ({ ...one, when })) },
  { weight: 6, arbitrary: fc.tuple(refusal, guard).map(([one, more]) => ({ ...one, ...more })) },
  { weight: 1, arbitrary: refusal },
  { weight: 1, arbitrary: fc.record({ steps: some(STEPS), block: message }) },
  { weight: 1, arbitrary: fc.record({ steps: some(STEPS), set: fc.constant({ email: "'x'" }) }) },
);
const document = fc.record(
  {
    lists: fc.constant({ words: ['x', 'y', ''] }),
    messages: fc.record({
      refused: fc.record({ en: fc.constantFrom('No {email} {supportCode} {extension_A}', '{city}', '{city} {email}') }),
    }),
    applications: fc.constantFrom({ app: 'App' }, { app: 'App', onlyThese: true }),
    whenUnavailable: fc.constant({ PostAttributeCollection: 'continue' as const }),
    rules: fc.array(rule, { maxLength: 8 }).map((rules) => rules.map((one, index) => ({ id: `r${index}`, ...one }))),
  },
  { requiredKeys: ['lists', 'messages', 'rules'] },
);

const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('x', 'true', '42', '2020-02-30', 'a@example.com'),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string()),
);
const body = fc
  .tuple(
    fc.dictionary(claim, anything),
    fc.constantFrom(...STEPS, 'Nonsense', undefined),
    fc.constantFrom('app', 'APP', 'foreign', undefined),
    fc.constantFrom('de-AT', 'xx', '', 7),
  )
  .map(([claims, step, client_id, ui_locales]) => ({ ...claims, step, client_id, ui_locales }));
const person = fc.record({
  roles: fc.subarray(['editor', 'admin']),
  groups: fc.subarray(['staff']),
  attributes: fc.dictionary(fc.constantFrom('level'), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
  known: fc.boolean(),
});

describe('every valid policy with every body', () => {
  it('the contract allows the reply at its step, and equal inputs give equal replies', async () => {
    let saved = 0;
    await fc.assert(
      fc.asyncProperty(document, body, person, fc.integer({ min: 0, max: 4e12 }), async (written, sent, held, now) => {
        const checked = checkPolicy(JSON.parse(JSON.stringify(written)), NAMES.rolesClaim);
        fc.pre(checked.ok);
        saved += 1;
        const policy = await compilePolicy(checked.policy, 1, NAMES);
        const event = await readEvent(JSON.parse(JSON.stringify(sent)), undefined);
        const decision = decide(event, held, policy, now, 'ABCDE-12345');
        const { status, body: text } = replyTo(decision, event.step);
        expect(replyTo(decide(event, held, policy, now, 'ABCDE-12345'), event.step).body).toBe(text);
        const again = await compilePolicy(checked.policy, 1, NAMES);
        expect(replyTo(decide(event, held, again, now, 'ABCDE-12345'), event.step).body).toBe(text);
        expectAllowed(status, JSON.parse(text), event.step);
      }),
      { numRuns: 600 },
    );
    expect(saved).toBe(600);
  });
});

/** Checklist lines 21 to 31. */
function expectAllowed(status: number, json: Record<string, unknown>, step: string | undefined): void {
  expect(json.version).toBe('1.0.0');
  for (const member of Object.values(json)) expect(['string', 'number', 'boolean']).toContain(typeof member);
  switch (json.action) {
    case 'Continue':
      expect(status).toBe(200);
      break;
    case 'ShowBlockPage':
      expect([status, step === 'PreTokenIssuance', json.userMessage === '']).toEqual([200, false, false]);
      expect(Object.keys(json).sort()).toEqual(['action', 'userMessage', 'version']);
      break;
    default:
      expect([json.action, status, json.status, step]).toEqual([
        'ValidationError',
        400,
        400,
        'PostAttributeCollection',
      ]);
      expect(json.userMessage).not.toBe('');
  }
  if (step !== 'PreTokenIssuance') return;
  expect(json).not.toHaveProperty('email');
  expect(json).toHaveProperty('extension_Roles');
  expect(Object.keys(json).filter((name) => name.toLowerCase() === 'extension_roles')).toHaveLength(1);
}
