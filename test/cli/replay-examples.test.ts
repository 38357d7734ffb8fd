/** Which rules a replay can decide from a recorded attempt, by example, and the report on many attempts. */
import { describe, expect, it } from 'vitest';
import { ERASED } from '../../src/attempts/notes.ts';
import { draftOf, replayed } from '../../src/cli/policy/replay/replay-judge.ts';
import { keepingFor, newReplayTally } from '../../src/cli/policy/replay/replay-report.ts';
import { checked, type Given, NAMES, recorded } from '../support/policy-replay.ts';

const STEP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';

function policyOf(...rules: readonly object[]) {
  const policy = checked({ messages: { m: { en: 'No {supportCode}' }, n: { en: 'No {supportCode}' } }, rules });
  if (policy === undefined) throw new Error('The policy of this test is invalid.');
  return policy;
}
type Policy = ReturnType<typeof policyOf>;
const withMembers = (policy: Policy, more: object): Policy => ({
  ...policy,
  document: { ...policy.document, ...more },
});
const blocking = (when: string, more: object = {}) => ({
  ...{ id: 'rule', steps: [STEP], when, onError: 'skip', block: true, ...more },
});
const sending = (value: string) => policyOf({ id: 'roles', steps: [TOKEN], set: { extension_Roles: value } });
const call = (claims: object): Given['body'] => ({ step: STEP, client_id: 'app', ...claims });

async function tallyOf(policy: Policy, ...calls: readonly Given[]) {
  const draft = await draftOf(policy, NAMES);
  const tally = newReplayTally(policy.rules.map(({ document }) => document.id));
  for (const given of calls) {
    const { kept } = await recorded(given);
    tally.add(kept, await replayed(kept, draft));
  }
  return tally.result();
}

/** Whether a condition is true on a call, or the inputs that it lacks. */
async function onCall(when: string, given: Given): Promise<boolean | readonly string[]> {
  const { rules, wants } = await tallyOf(policyOf(blocking(when)), given);
  if (rules[0]?.notJudged === 1) return wants.map(({ what }) => what).sort();
  return rules[0]?.applied === 1;
}

const many = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`extension_${index}`, '']));
const long = 'x'.repeat(600);
const truncated = call({
  ...{ email: `${long}@example.com`, client_id: long, ui_locales: long },
  identities: [{ signInType: 'federated', issuer: long, issuerAssignedId: long }],
});
/** A JSON Web Token, which no attempt stores. */
const jwt = 'eyJhbGciOiJub25lIn0.e30.';
const withToken = call({
  ...{ email: jwt, client_id: jwt, ui_locales: jwt, city: jwt },
  identities: [{ signInType: 'federated', issuer: 'google.com', issuerAssignedId: jwt }],
});
const rome = { body: call({ city: 'Rome', email: 'a@example.com' }) };

describe('a replayed condition is decided as far as the attempt stores its inputs', () => {
  it.each<[when: string, given: Given, is: boolean | readonly string[]]>([
    // The name of a claim is always known, its value only if it is stored.
    ["claims.city == 'Rome'", rome, ['claims.city']],
    ["claims.city == 'Rome'", { ...rome, keep: ['city'] }, true],
    ["claims.city == 'Rome'", { body: call({}) }, false],
    // A text with a token is not stored, and not taken for an absent one.
    ["claims.city == ''", { body: withToken, keep: ['city'] }, ['claims.city']],
    ["has(claims.email) && claims.email == ''", { body: withToken }, ['claims.email']],
    ["identity.issuer == ''", { body: withToken }, ['identity']],
    ["request.clientId == ''", { body: withToken }, ['request.clientId']],
    ["request.locale == ''", { body: withToken }, ['request.locale']],
    ['has(claims.city)', rome, true],
    ["'city' in claims", rome, true],
    ['!has(claims.city)', rome, false],
    ["{'claims': has(claims.city), 'b': false}['claims']", rome, true],
    // A known operand can decide although another is unknown.
    ["has(claims.city) || claims.city == 'x'", rome, true],
    ["claims.city == 'Rome' && claims.email == 'b@example.com'", rome, false],
    ["claims.city == 'Rome' || claims.email == 'a@example.com'", rome, true],
    ["claims.city == 'Rome' && claims.email == 'a@example.com'", rome, ['claims.city']],
    // Every input of both branches is listed, but no value where the name is enough.
    [
      "claims.city == 'Rome' ? claims.state == 'x' : has(claims.country)",
      { body: call({ city: 'Rome', state: 'x', country: 'IT' }) },
      ['claims.city', 'claims.state'],
    ],
    // 499 characters are certainly stored whole. Characters that Postgres cannot store are replaced.
    ["claims.city != 'x'", { body: call({ city: 'x'.repeat(499) }), keep: ['city'] }, true],
    ["claims.city != 'x'", { body: call({ city: 'x'.repeat(500) }), keep: ['city'] }, ['claims.city']],
    ["claims.city != 'x'", { body: call({ city: 'x'.repeat(501) }), keep: ['city'] }, ['claims.city']],
    ["claims.city != 'x'", { body: call({ city: 'Ro\0me' }), keep: ['city'] }, ['claims.city']],
    ["claims.city != 'x'", { body: call({ city: 'Ro\ud800me' }), keep: ['city'] }, ['claims.city']],
    ["claims.email == 'x'", { body: truncated }, ['claims.email']],
    ["request.clientId == 'x'", { body: truncated }, ['request.clientId']],
    ["request.application == 'x'", { body: truncated }, ['request.application']],
    ["request.locale == 'x'", { body: truncated }, ['request.locale']],
    ["identity.issuer == 'x'", { body: truncated }, ['identity']],
    // An attempt stores at most 150 names.
    ['has(claims.city)', { body: { extension_A: 'x', ...many, ...call({ city: 'Rome' }) } }, ['has(claims.city)']],
    ['has(claims.country)', { body: { extension_A: 'x', ...many, ...call({}) } }, ['has(claims.country)']],
    ['has(claims.extension_A)', { body: { extension_A: 'x', ...many, ...call({}) } }, true],
  ])('%s (case %#)', async (when, given, is) => {
    expect(await onCall(when, given)).toEqual(is);
  });
});

describe('the record of the person in a replay', () => {
  const token = { body: { step: TOKEN, client_id: 'app', objectId: crypto.randomUUID() } };
  const held = { roles: ['editor', 'admin'], groups: ['staff'] };
  const roles = sending("person.roles.join(' ')");
  const needsRoles = policyOf(blocking("'admin' in person.roles"));
  const newPerson = () => call({ identities: [{ issuer: 'google.com', issuerAssignedId: crypto.randomUUID() }] });

  it('is known as far as the attempt stores roles, and is known to be missing if the look-up found none', async () => {
    const groups = sending("person.groups.join(' ')");
    expect(await tallyOf(roles, { ...token, held })).toMatchObject({ same: 1, wants: [] });
    expect(await tallyOf(groups, { ...token, held })).toMatchObject({
      ...{ notJudged: 1, wants: [{ what: 'person.groups', rules: ['roles'] }] },
    });
    // A stored policy may send other roles than those of the record.
    expect(await tallyOf(roles, { ...token, held, policy: roles })).toMatchObject({ notJudged: 1 });
    expect(await tallyOf(roles, { ...token, policy: roles })).toMatchObject({ same: 1, wants: [] });
    // At a sign-up step, a stored policy reads the record only if a rule needs it.
    const body = newPerson();
    expect(await tallyOf(needsRoles, { body, held, policy: policyOf() })).toMatchObject({ notJudged: 1 });
    expect(await tallyOf(needsRoles, { body, held, policy: needsRoles })).toMatchObject({ same: 1 });
    expect(await tallyOf(needsRoles, { body, held })).toMatchObject({ different: 1 });
  });

  it('is unavailable if the store was unavailable', async () => {
    const given = { body: newPerson(), held, kvFails: true };
    const { differences } = await tallyOf(needsRoles, given);
    expect(differences).toMatchObject([{ draft: { outcome: 'block', rule: 'whenUnavailable' } }]);
    const lenient = withMembers(needsRoles, { whenUnavailable: { [STEP]: 'continue' } });
    expect(await tallyOf(lenient, given)).toMatchObject({ same: 1, wants: [] });
  });

  it('counts as a difference when the set of roles in the token differs, in any order', async () => {
    for (const [value, change] of [
      ["'admin editor'", []],
      ["'editor admin owner'", ['changed']],
      ["'admin'", ['changed']],
      ["''", ['changed']],
    ] as const) {
      const { differences } = await tallyOf(sending(value), { ...token, held });
      expect(differences.map(({ draft }) => draft.roles)).toEqual(change);
    }
    const ours = { applications: { onlyThese: true, shop: 'Shop' } };
    const foreign = await tallyOf(withMembers(sending('claims.city'), ours), { ...token, held });
    expect(foreign).toMatchObject({ different: 1, rules: [{ notReached: 1 }] });
    const unknown = await tallyOf(withMembers(policyOf(), ours), { body: truncated });
    expect(unknown).toMatchObject({ notJudged: 1, wants: [{ what: 'request.clientId', rules: ['onlyThese'] }] });
  });
});

describe('a replayed draft', () => {
  it('is undecided after an undecided rule that turns away, and decided before it', async () => {
    const city = blocking("claims.city == 'Rome'", { id: 'city' });
    const mail = blocking("claims.email == 'a@example.com'", { id: 'mail' });
    expect(await tallyOf(policyOf(mail, city), rome)).toMatchObject({
      ...{ different: 1, rules: [{ applied: 1 }, { notReached: 1, notJudged: 0 }], wants: [] },
    });
    expect(await tallyOf(policyOf(city, mail), rome)).toMatchObject({
      ...{ notJudged: 1, rules: [{ notJudged: 1 }, { applied: 1 }], wants: [{ what: 'claims.city', rules: ['city'] }] },
    });
  });

  it('is decided without the values that rules set, unless a value fails or is the roles', async () => {
    const set = (claims: object, steps = [STEP]) => policyOf({ id: 'a', steps, when: 'has(claims.city)', set: claims });
    const tidy = await tallyOf(set({ city: 'titleCase(claims.city)' }), rome);
    expect(tidy).toMatchObject({ rules: [{ applied: 1 }], wants: [], same: 1 });
    const fails = await tallyOf(set({ city: 'claims.city', state: 'claims.state' }), rome);
    expect(fails).toMatchObject({ rules: [{ didNotApply: 1 }], wants: [], same: 1 });
    const roles = await tallyOf(set({ extension_Roles: 'claims.city' }, [TOKEN]), {
      body: call({ city: 'x', step: TOKEN }),
    });
    expect(roles).toMatchObject({ rules: [{ notJudged: 1 }], wants: [{ what: 'claims.city' }], notJudged: 1 });
  });

  it('differs when the outcome, the rule or the message differs', async () => {
    const policy = (id: string, block: string) => policyOf({ id, steps: [STEP], block });
    const given = { body: call({}), policy: policy('a', 'm') };
    expect(await tallyOf(policy('a', 'm'), given)).toMatchObject({ same: 1 });
    expect(await tallyOf(policy('b', 'm'), given)).toMatchObject({ different: 1 });
    const message = await tallyOf(policy('a', 'n'), given);
    expect(message.differences).toMatchObject([{ recorded: { messageKey: 'm' }, draft: { messageKey: 'n' } }]);
    expect((await tallyOf(policyOf(), given)).differences).toMatchObject([
      { recorded: { outcome: 'block', rule: 'a' }, draft: { outcome: 'continue', rule: '' } },
    ]);
  });

  it('skips attempts that no policy decided and counts them by reason', async () => {
    const unknown = { body: { step: 'Nonsense' } };
    const tally = await tallyOf(policyOf(), { body: call({}) }, unknown, unknown);
    expect(tally).toMatchObject({ read: 3, same: 1, skipped: { 'unknown-step': 2 } });
  });

  it('skips attempts of erased persons, whose inputs are not stored any more', async () => {
    const draft = await draftOf(policyOf(), NAMES);
    const { kept } = await recorded({ body: call({}) });
    expect(await replayed({ ...kept, notes: [ERASED] }, draft)).toEqual({ kind: 'skipped', why: 'erased' });
  });

  it('has the first three examples of each difference, without personal data', async () => {
    const calls = Array.from({ length: 20 }, (_, at) => ({
      body: call({ email: `a${at}@example.com` }),
      now: 1e12 + at,
    }));
    const { differences } = await tallyOf(policyOf(blocking('true')), ...calls);
    expect(differences).toMatchObject([{ attempts: 20 }]);
    const times = differences[0]?.examples.map(({ occurredAt }) => Date.parse(occurredAt));
    expect(times).toEqual([1e12, 1e12 + 1, 1e12 + 2]);
    expect(JSON.stringify(differences)).not.toContain('example.com');
  });
});

describe('the KEEP_CLAIMS that a replay suggests', () => {
  const want = (what: string) => ({ what, attempts: 1, rules: ['rule'] });
  const storing = (...KEEP_CLAIMS: string[]) => ({ KEEP_CLAIMS, NEVER_STORE: [] });

  it('has the current names and the claims that can be stored', () => {
    const inputs = ['claims.city', 'claims.extension_InvitationCode', 'claims.email', 'claims.a,b', 'person.roles'];
    const wants = [...inputs, 'claims.Straße', 'claims.country', 'has(claims.state)'].map(want);
    expect(keepingFor(wants, storing('displayName', 'country'))).toEqual({
      ...{ line: 'KEEP_CLAIMS="displayName,country,Straße,city"', added: ['Straße', 'city'], already: ['country'] },
    });
    expect(keepingFor(wants, { ...storing(), NEVER_STORE: ['Strasse'] }).added).toEqual(['city', 'country']);
    expect(keepingFor([want('person.roles')], storing('city'))).toEqual({ line: undefined, added: [], already: [] });
  });

  it('never has a claim that attempts do not store under its name', async () => {
    for (const name of ['extension_InvitationCode', 'extension_captchaToken', 'a,b', ' a', 'n'.repeat(120)]) {
      const wants = await onCall(`claims[${JSON.stringify(name)}] == 'x'`, {
        body: call({ [name]: 'x' }),
        keep: [name],
      });
      expect(keepingFor([wants].flat().map(String).map(want), storing())).toMatchObject({ added: [] });
      expect(wants).toContain(`claims.${name}`);
    }
  });
});
