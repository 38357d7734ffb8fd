/** What a draft would decide about attempts that keep only a part of their calls: never more than is sure. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draftOf } from '../../local/commands/policy/replay-draft.ts';
import { replayed } from '../../local/commands/policy/replay-judge.ts';
import { newTally } from '../../local/commands/policy/replay-tally.ts';
import { checkPolicy } from '../../src/desk/policies/check.ts';
import { ROLE_NAME } from '../../src/entitlements/document.ts';
import { judge } from '../../src/policy/decide.ts';
import { STEPS } from '../../src/sign-in/steps.ts';
import { eventOf, type Recorded, recorded } from './policy-replay.ts';

const NAMES = { rolesClaim: 'extension_Roles', extensionsAppId: '' };
const SIGN_UP = ['PostFederationSignup', 'PostAttributeCollection'];

const CLAIMS = ['email', 'city', 'givenName', 'postalCode', 'extension_A', 'extension_B', 'extension_InvitationCode'];
const claim = fc.constantFrom(...CLAIMS, 'objectId', 'ui_locales', 'client_id', 'extension_Roles');
const condition = fc.oneof(
  claim.map((name) => `has(claims.${name})`),
  claim.map((name) => `'${name}' in claims && claims.${name} != 'x'`),
  claim.map((name) => `claims.${name} in lists.words`),
  claim.map((name) => `has(claims.${name}) && claims['${name}'] == 'x'`),
  claim.map((name) => `!has(claims.${name}) || !string(claims.${name}).matches('^[a-z]{1,5}$')`),
  claim.map((name) => `int(claims.${name}) > 3`),
  claim.map((name) => `age(string(claims.${name})) < 18`),
  fc.tuple(claim, claim).map(([a, b]) => `claims.${a} == 'x' && claims.${b} == 'y'`),
  fc.tuple(claim, claim).map(([a, b]) => `claims.${a} == 'x' || has(claims.${b})`),
  fc.tuple(claim, claim, claim).map(([a, b, c]) => `claims.${a} == 'x' ? has(claims.${b}) : claims.${c} == 'y'`),
  fc.tuple(claim, claim).map(([a, b]) => `['x', string(claims.${a})].exists(t, t == claims.${b} || t == 'x')`),
  fc.constantFrom(
    'true',
    'false',
    "'editor' in person.roles",
    "person.roles[0] == 'admin'",
    'size(person.groups) == 0',
    'has(person.attributes.level)',
    "person.attributes.level == 'x' || request.locale == 'de-AT'",
    "person.roles.exists(r, r.startsWith('e')) && has(claims.city)",
    "identity.issuer in ['google.com', '']",
    "identity.id == 'x'",
    "identity.signInType == 'federated'",
    "request.clientId == 'app'",
    "request.application == 'App'",
    "request.step == 'PreTokenIssuance' || request.channel != 'user-flow'",
    "request.locale == 'de-AT'",
    "domain(claims.email) == 'example.com'",
    "request.time > timestamp('2026-01-01T00:00:00Z')",
  ),
);
const value = fc.oneof(
  claim.map((name) => `claims.${name}`),
  claim.map((name) => `has(claims.${name}) ? 'admin' : 'editor'`),
  claim.map((name) => `titleCase(claims.${name})`),
  claim.map((name) => `string(claims['${name}']) + '!' // as it was`),
  fc.constantFrom("''", "'editor'", '7', 'true', "person.roles.join(',')", 'person.groups', 'person.attributes.level'),
);
const some = (steps: readonly string[]) => fc.uniqueArray(fc.constantFrom(...steps), { minLength: 1 });
const target = fc.constantFrom('city', 'extension_A', 'extension_Roles', 'extension_roles');
const rule = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      steps: some(STEPS),
      when: condition,
      set: fc.dictionary(target, value, { minKeys: 1, maxKeys: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ steps: some(STEPS), set: fc.dictionary(target, value, { minKeys: 1, maxKeys: 2 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      steps: some(SIGN_UP),
      when: condition,
      onError: fc.constantFrom('skip', 'apply'),
      block: fc.constantFrom('said', true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      steps: fc.constant(['PostAttributeCollection']),
      when: condition,
      onError: fc.constantFrom('skip', 'apply'),
      invalid: fc.constantFrom('said', true),
    }),
  },
);
const document = fc.record(
  {
    lists: fc.constant({ words: ['x', 'y', ''] }),
    messages: fc.constant({ said: { en: 'No {supportCode}' } }),
    applications: fc.constantFrom({ app: 'App' }, { app: 'App', onlyThese: true }),
    whenUnavailable: fc.constantFrom({ PostAttributeCollection: 'continue' }, { PostFederationSignup: 'continue' }),
    rules: fc.array(rule, { maxLength: 6 }).map((rules) => rules.map((one, index) => ({ id: `r${index}`, ...one }))),
  },
  { requiredKeys: ['lists', 'messages', 'rules'] },
);

const LONG = 'x'.repeat(500);
const anything = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('x', 'y', 'a@example.com', '2020-02-29', '42') },
  {
    weight: 3,
    arbitrary: fc.oneof(fc.double({ noDefaultInfinity: true, noNaN: true }), fc.boolean(), fc.constant(null)),
  },
  { weight: 1, arbitrary: fc.constantFrom(LONG, `${LONG}y`, 'x\0', '\ufffd', '\ud800', '') },
  { weight: 1, arbitrary: fc.array(fc.string()) },
);
const identity = fc.record({
  signInType: fc.constantFrom('federated', 'emailAddress'),
  issuer: fc.constantFrom('google.com', 'facebook.com', LONG),
  issuerAssignedId: fc.constantFrom('x', 'y', `${LONG}`),
});
/** More names than an attempt keeps, or longer ones than fit into it. */
const surplus = fc.constantFrom(
  ...[{}, {}, {}, {}, {}, {}],
  Object.fromEntries(Array.from({ length: 160 }, (_, index) => [`extension_${index}`, 'x'])),
  Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`extension_${index}_${'n'.repeat(85)}`, 'x'])),
);
const body = fc
  .tuple(
    fc.dictionary(claim, anything),
    fc.constantFrom(...STEPS, ...STEPS, 'pretokenissuance', 'Nonsense'),
    fc.constantFrom('app', ' APP', 'foreign', LONG),
    fc.constantFrom('de-AT', 'xx en', LONG, undefined),
    fc.array(identity, { maxLength: 2 }),
    fc.constantFrom(crypto.randomUUID(), crypto.randomUUID().toUpperCase(), undefined),
    surplus,
  )
  .map(([claims, step, client_id, ui_locales, identities, objectId, more]) =>
    JSON.parse(JSON.stringify({ ...more, ...claims, step, client_id, ui_locales, identities, objectId })),
  );
const held = fc.option(
  fc.record({
    roles: fc.subarray(['editor', 'admin']),
    groups: fc.subarray(['staff']),
    attributes: fc.dictionary(fc.constantFrom('level'), fc.constantFrom('x', 7, true)),
  }),
  { nil: undefined },
);
const keep = fc.subarray([...CLAIMS, 'objectId', 'ui_locales', 'client_id', 'extension_Roles']);
const now = fc.integer({ min: Date.UTC(2025, 0), max: Date.UTC(2027, 0) });
const call = fc.record({ body, held, kvFails: fc.boolean(), keep, now });

/** Undefined when it would not be saved. */
function draftFrom(written: object) {
  const checked = checkPolicy(JSON.parse(JSON.stringify(written)), NAMES.rolesClaim);
  return checked.ok ? draftOf(checked.policy, NAMES) : undefined;
}
type Draft = NonNullable<ReturnType<typeof draftFrom>>;

/** What the draft does decide, by the code that decides calls, about all that the call said. */
function truth({ answered, entitlements, attempt }: Recorded, { policy }: Draft, at: number) {
  const event = eventOf({ answered });
  const rules = new Map<string, { applied: boolean; holds: boolean }>();
  const verdict = judge(event, entitlements, policy, at, ({ rule: id, applied, set }) =>
    rules.set(id, { applied, holds: applied || set !== undefined }),
  );
  const { rule, messageKey } = verdict.kind === 'continue' ? { rule: '', messageKey: '' } : verdict;
  const sent = String(verdict.claims[NAMES.rolesClaim] ?? '').split(/[\s,;|]+/);
  const roles = attempt.step === 'PreTokenIssuance' ? sent.filter((name) => ROLE_NAME.test(name)) : undefined;
  return { decided: { outcome: verdict.kind, rule, messageKey, roles }, rules };
}

describe('whatever was decided, and whatever is kept of it', () => {
  it('what a draft is said to decide is what it does decide', async () => {
    let [sure, unknown] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.option(document, { nil: undefined }), document, call, async (then, written, given) => {
        fc.pre(then === undefined || draftFrom(then) !== undefined);
        const draft = draftFrom(written);
        if (draft === undefined) return fc.pre(false);
        const one = await recorded({ ...given, policy: then });
        const replay = await replayed(one.kept, draft);
        if (replay.kind === 'skipped') {
          expect(one.attempt.outcome).toBe('error');
          return;
        }
        const { decided, rules } = truth(one, draft, given.now);
        if (replay.draft === undefined) unknown += 1;
        else {
          sure += 1;
          expect(replay.draft).toEqual(decided);
        }
        for (const { id, applies } of replay.looked) {
          // Of a rule that sets claims only its condition is judged, but that a value of it fails counts.
          if (applies === true) expect(rules.get(id)?.holds ?? true).toBe(true);
          if (applies === false) expect(rules.get(id)?.applied ?? false).toBe(false);
        }
        for (const id of replay.notReached) expect(rules.has(id)).toBe(false);
      }),
      { numRuns: 1_500 },
    );
    expect(sure).toBeGreaterThan(400);
    expect(unknown).toBeGreaterThan(200);
  });

  it('a policy does not differ from itself', async () => {
    let same = 0;
    await fc.assert(
      fc.asyncProperty(document, call, async (written, given) => {
        const draft = draftFrom(written);
        if (draft === undefined) return fc.pre(false);
        const { kept } = await recorded({ ...given, policy: written });
        const tally = newTally([]);
        tally.add(kept, await replayed(kept, draft));
        expect(tally.result().differences).toEqual([]);
        same += tally.result().same;
      }),
      { numRuns: 600 },
    );
    expect(same).toBeGreaterThan(200);
  });

  it('everything is judged, where every claim that the draft reads is kept whole and nobody is asked about', async () => {
    const plain = fc.constantFrom('x', 'y', '42', 7, true, '');
    const simple = fc
      .tuple(
        fc.dictionary(fc.constantFrom(...CLAIMS.filter((name) => !name.endsWith('Code'))), plain),
        fc.constantFrom(...STEPS),
      )
      .map(([claims, step]) => ({ ...claims, step, client_id: 'app', ui_locales: 'de-AT' }));
    await fc.assert(
      fc.asyncProperty(document, simple, now, async (written, sent, at) => {
        fc.pre(!/person|InvitationCode/.test(JSON.stringify(written)));
        const draft = draftFrom(written);
        if (draft === undefined) return fc.pre(false);
        const one = await recorded({
          body: sent,
          keep: [...CLAIMS, 'ui_locales', 'client_id', 'extension_Roles'],
          now: at,
        });
        const replay = await replayed(one.kept, draft);
        expect(replay).toMatchObject({ kind: 'judged', draft: truth(one, draft, at).decided });
      }),
      { numRuns: 400 },
    );
  });
});
