/** Properties of a replay: a certain decision equals the draft's decision on the whole call. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draftOf, replayed } from '../../src/cli/policy/replay/replay-judge.ts';
import { newReplayTally } from '../../src/cli/policy/replay/replay-report.ts';
import { compilePolicy } from '../../src/desk/policies/compile-plan.ts';
import { rolesIn } from '../../src/gate/sent-roles.ts';
import { evaluateRules } from '../../src/policy/decide.ts';
import { STEPS } from '../../src/sign-in/steps.ts';
import { checked, eventOf, NAMES, type Recorded, recorded } from '../support/policy-replay.ts';

const LONG = 'x'.repeat(500);
/** The client id that an attempt stores for it. */
const HEAD = LONG.slice(0, 128);
const CLAIMS = ['email', 'city', 'givenName', 'postalCode', 'extension_A', 'extension_B', 'extension_InvitationCode'];
const OTHERS = ['objectId', 'ui_locales', 'client_id', 'extension_Roles'];
const claim = fc.constantFrom(...CLAIMS, ...OTHERS);
const condition = fc.oneof(
  ...[
    (a: string) => `has(claims.${a})`,
    (a: string) => `'${a}' in claims && claims.${a} != 'x'`,
    (a: string) => `claims.${a} in lists.words`,
    (a: string) => `has(claims.${a}) && claims['${a}'] == 'x'`,
    (a: string) => `!has(claims.${a}) || !string(claims.${a}).matches('^[a-z]{1,5}$')`,
    (a: string) => `int(claims.${a}) > 3`,
    (a: string) => `age(string(claims.${a})) < 18`,
    (a: string, b: string) => `claims.${a} == 'x' && claims.${b} == 'y'`,
    (a: string, b: string) => `claims.${a} == 'x' || has(claims.${b})`,
    (a: string, b: string) => `{'x': has(claims.${a}), 'claims': claims.${a} == 'y'}[string(claims.${b})]`,
    (a: string, b: string, c: string) => `claims.${a} == 'x' ? has(claims.${b}) : claims.${c} == 'y'`,
    (a: string, b: string) => `['x', string(claims.${a})].exists(t, t == claims.${b} || t == 'x')`,
  ].map((write) => fc.tuple(claim, claim, claim).map((names) => write(...names))),
  fc.constantFrom(
    ...["'editor' in person.roles", "person.roles[0] == 'admin'", 'size(person.groups) == 0', 'true', 'false'],
    ...['has(person.attributes.level)', "person.attributes.level == 'x' || request.locale == 'de-AT'"],
    ...["person.roles.exists(r, r.startsWith('e')) && has(claims.city)", "domain(claims.email) == 'example.com'"],
    ...["identity.issuer in ['google.com', '']", "identity.id == 'x'", "identity.signInType == 'federated'"],
    ...["request.clientId == 'app'", "request.application == 'App'", "request.locale == 'de-AT'"],
    ...["request.step == 'PreTokenIssuance'", "request.time > timestamp('2026-01-01T00:00:00Z')"],
  ),
);
const value = fc.oneof(
  claim.map((name) => `claims.${name}`),
  claim.map((name) => `has(claims.${name}) ? 'admin' : 'editor'`),
  claim.map((name) => `titleCase(string(claims.${name})) + '!'`),
  fc.constantFrom("''", "'editor'", '7', 'true', "person.roles.join(',')", 'person.groups', 'person.attributes.level'),
);
const set = fc.dictionary(fc.constantFrom('city', 'extension_A', 'extension_Roles', 'extension_roles'), value, {
  minKeys: 1,
  maxKeys: 2,
});
const some = (...steps: readonly string[]) => fc.uniqueArray(fc.constantFrom(...steps), { minLength: 1 });
const onError = fc.constantFrom('skip', 'apply');
const text = fc.constantFrom('no', true);
const sets = fc.record({ steps: some(...STEPS), when: condition, set }, { requiredKeys: ['steps', 'set'] });
const blocks = fc.record({
  steps: some('PostFederationSignup', 'PostAttributeCollection'),
  when: condition,
  onError,
  block: text,
});
const refuses = fc.record({
  steps: fc.constant(['PostAttributeCollection']),
  when: condition,
  onError,
  invalid: text,
});
const document = fc.record(
  {
    lists: fc.constant({ words: ['x', 'y', ''] }),
    messages: fc.constant({ no: { en: 'No {supportCode}' } }),
    applications: fc.constantFrom({ app: 'App' }, { app: 'App', onlyThese: true }, { [HEAD]: 'Cut', onlyThese: true }),
    whenUnavailable: fc.constantFrom({ PostAttributeCollection: 'continue' }, { PostFederationSignup: 'continue' }),
    rules: fc
      .array(fc.oneof(sets, sets, blocks, blocks, refuses), { maxLength: 6 })
      .map((rules) => rules.map((rule, index) => ({ id: `r${index}`, ...rule }))),
  },
  { requiredKeys: ['lists', 'messages', 'rules'] },
);

const usual = fc.constantFrom('x', 'y', 'a@example.com', '2020-02-29', '42');
const odd = fc.oneof(fc.double({ noDefaultInfinity: true, noNaN: true }), fc.boolean(), fc.constant(null));
const unkept = fc.constantFrom(LONG, `${LONG}y`, 'x\0', '\ufffd', '\ud800', '', ['x']);
const identity = fc.record({
  signInType: fc.constantFrom('federated', 'emailAddress'),
  issuer: fc.constantFrom('google.com', 'facebook.com', LONG),
  issuerAssignedId: fc.constantFrom('x', 'y', LONG),
});
/** More names, and longer ones, than an attempt stores. */
const surplus = [
  Object.fromEntries(Array.from({ length: 160 }, (_, index) => [`extension_${index}`, 'x'])),
  Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`extension_${index}_${'n'.repeat(85)}`, 'x'])),
];
const body = fc
  .record({
    more: fc.constantFrom({}, {}, {}, {}, {}, {}, ...surplus),
    claims: fc.dictionary(claim, fc.oneof(usual, usual, usual, odd, unkept)),
    step: fc.constantFrom(...STEPS, ...STEPS, 'pretokenissuance', 'Nonsense'),
    client_id: fc.constantFrom('app', ' APP', 'foreign', LONG),
    ui_locales: fc.constantFrom('de-AT', 'xx en', LONG, undefined),
    identities: fc.array(identity, { maxLength: 2 }),
    objectId: fc.constantFrom(crypto.randomUUID(), crypto.randomUUID().toUpperCase(), undefined),
  })
  .map(({ more, claims, ...members }) => JSON.parse(JSON.stringify({ ...more, ...claims, ...members })));
const held = fc.record({
  roles: fc.subarray(['editor', 'admin']),
  groups: fc.subarray(['staff']),
  attributes: fc.dictionary(fc.constant('level'), fc.constantFrom('x', 7, true)),
});
const now = fc.integer({ min: Date.UTC(2025, 0), max: Date.UTC(2027, 0) });
const keep = fc.subarray([...CLAIMS, ...OTHERS]);
const call = fc.record({ body, held: fc.option(held, { nil: undefined }), kvFails: fc.boolean(), keep, now });

/** Valid policies. */
const policy = document.map(checked).filter((policy) => policy !== undefined);

/** The draft's decision on the whole call. */
async function truth({ answered, entitlements }: Recorded, draft: Parameters<typeof draftOf>[0], at: number) {
  const event = eventOf({ answered });
  const rules = new Map<string, { applied: boolean; holds: boolean }>();
  const verdict = evaluateRules(
    event,
    entitlements,
    await compilePolicy(draft, 0, NAMES),
    at,
    ({ rule: id, applied, set }) => rules.set(id, { applied, holds: applied || set !== undefined }),
  );
  const { rule, messageKey } = verdict.kind === 'continue' ? { rule: '', messageKey: '' } : verdict;
  const roles = event.step === 'PreTokenIssuance' ? rolesIn(verdict.claims[NAMES.rolesClaim]) : undefined;
  return { decided: { outcome: verdict.kind, rule, messageKey, roles }, rules };
}

describe('replay', () => {
  it('returns a certain decision only if the draft decides the whole call in the same way', async () => {
    let [certain, undecided] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.option(policy, { nil: undefined }), policy, call, async (then, draft, given) => {
        const one = await recorded({ ...given, policy: then });
        const replay = await replayed(one.kept, await draftOf(draft, NAMES));
        if (replay.kind === 'skipped') {
          expect(one.attempt.outcome).toBe('error');
          return;
        }
        const { decided, rules } = await truth(one, draft, given.now);
        if (replay.draft === undefined) undecided += 1;
        else {
          certain += 1;
          expect(replay.draft).toEqual(decided);
        }
        for (const { id, became, lacks } of replay.rules) {
          // A rule that sets claims is evaluated by its condition only, unless a value is known to fail.
          if (became === 'applied') expect(rules.get(id)?.holds ?? true).toBe(true);
          if (became === 'didNotApply') expect(rules.get(id)?.applied ?? false).toBe(false);
          if (became === 'notReached') expect(rules.has(id)).toBe(false);
          expect(lacks.length > 0).toBe(became === 'notJudged');
        }
      }),
      { numRuns: 500 },
    );
    expect(certain).toBeGreaterThan(100);
    expect(undecided).toBeGreaterThan(50);
  });

  it('finds no difference between a policy and itself', async () => {
    let same = 0;
    await fc.assert(
      fc.asyncProperty(policy, call, async (policy, given) => {
        const { kept } = await recorded({ ...given, policy });
        const tally = newReplayTally([]);
        tally.add(kept, await replayed(kept, await draftOf(policy, NAMES)));
        expect(tally.result().differences).toEqual([]);
        same += tally.result().same;
      }),
      { numRuns: 250 },
    );
    expect(same).toBeGreaterThan(60);
  });

  it('decides every call whose claims are all stored, if the draft does not read the person', async () => {
    const whole = fc
      .record({
        claims: fc.dictionary(fc.constantFrom(...CLAIMS.slice(0, -1)), fc.constantFrom('x', 'y', '42', 7, true, '')),
        step: fc.constantFrom(...STEPS),
      })
      .map(({ claims, step }) => ({ ...claims, step, client_id: 'app', ui_locales: 'de-AT' }));
    const impersonal = policy.filter(({ document }) => !/person|InvitationCode/.test(JSON.stringify(document)));
    await fc.assert(
      fc.asyncProperty(impersonal, whole, now, async (draft, body, at) => {
        const one = await recorded({ body, keep: [...CLAIMS, ...OTHERS], now: at });
        const replay = await replayed(one.kept, await draftOf(draft, NAMES));
        expect(replay).toMatchObject({ kind: 'judged', draft: (await truth(one, draft, at)).decided });
      }),
      { numRuns: 200 },
    );
  });
});
