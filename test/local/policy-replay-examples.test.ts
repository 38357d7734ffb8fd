/** What of a call an attempt still says, case by case, and what many replayed attempts come to. */
import { describe, expect, it } from 'vitest';
import { draftOf } from '../../local/commands/policy/replay-draft.ts';
import { replayed } from '../../local/commands/policy/replay-judge.ts';
import { keepingFor } from '../../local/commands/policy/replay-keep.ts';
import { newTally, type Tally } from '../../local/commands/policy/replay-tally.ts';
import { checkPolicy } from '../../src/desk/policies/check.ts';
import { type Given, recorded } from './policy-replay.ts';

const STEP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';
const roles = { id: 'roles', steps: [TOKEN], set: { extension_Roles: "person.roles.join(' ')" } };
const OBJECT_ID = '2fe4d1a6-7d3e-4a0c-9a57-0d3c6f0d8a11';

function draftFrom(document: object) {
  const checked = checkPolicy(document, 'extension_Roles');
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return draftOf(checked.policy, { rolesClaim: 'extension_Roles', extensionsAppId: '' });
}

/** A draft of one rule, which turns away. */
const blocking = (when: string, more: object = {}) => ({
  rules: [{ id: 'rule', steps: [STEP], when, onError: 'skip', block: true }],
  ...more,
});
const call = (claims: object): Given['body'] => ({ step: STEP, client_id: 'app', ...claims });

async function tallyOf(document: object, ...calls: Given[]): Promise<Tally> {
  const draft = draftFrom(document);
  const tally = newTally(draftIds(document));
  for (const given of calls) {
    const { kept } = await recorded(given);
    tally.add(kept, await replayed(kept, draft));
  }
  return tally.result();
}
const draftIds = (document: object) =>
  'rules' in document ? (document.rules as { id: string }[]).map(({ id }) => id) : [];

/** What the rule called `rule` does on one call, and what that lacks. */
async function onCall(when: string, given: Given) {
  const { rules, wants } = await tallyOf(blocking(when), given);
  const [rule] = rules;
  const applies = rule?.applied === 1 ? true : rule?.didNotApply === 1 ? false : undefined;
  return { applies, wants: wants.map(({ what, why }) => `${what} ${why}`) };
}
const sure = (applies: boolean) => ({ applies, wants: [] });
const unknown = (...wants: string[]) => ({ applies: undefined, wants });

describe('a claim whose value is not kept', () => {
  it('is unknown, and what KEEP_CLAIMS could name', async () => {
    expect(await onCall("claims.city == 'Rome'", { body: call({ city: 'Rome' }) })).toEqual(
      unknown('claims.city not-kept'),
    );
    expect(await onCall("claims.city == 'Rome'", { body: call({ city: 'Rome' }), keep: ['city'] })).toEqual(sure(true));
    expect(await onCall("claims.city == 'Rome'", { body: call({}) })).toEqual(sure(false));
  });

  it('is there by its name', async () => {
    for (const when of ['has(claims.city)', "'city' in claims", "has(claims.city) || claims.city == 'x'"]) {
      expect(await onCall(when, { body: call({ city: 'Rome' }) })).toEqual(sure(true));
    }
    expect(await onCall('!has(claims.city)', { body: call({ city: 'Rome' }) })).toEqual(sure(false));
  });

  it('does not matter where another part decides', async () => {
    const body = call({ city: 'Rome', email: 'a@example.com' });
    expect(await onCall("claims.city == 'Rome' && claims.email == 'b@example.com'", { body })).toEqual(sure(false));
    expect(await onCall("claims.city == 'Rome' || claims.email == 'a@example.com'", { body })).toEqual(sure(true));
    expect(await onCall("claims.city == 'Rome' && claims.email == 'a@example.com'", { body })).toEqual(
      unknown('claims.city not-kept'),
    );
  });

  it('is asked for with all that an expression may still read of values', async () => {
    const body = call({ city: 'Rome', state: 'x', postalCode: '1', country: 'IT' });
    const when = "claims.city == 'Rome' ? claims.state == 'x' : has(claims.postalCode)";
    expect((await onCall(when, { body })).wants.sort()).toEqual(['claims.city not-kept', 'claims.state not-kept']);
  });

  it('is not asked for where only what would be set depends on it', async () => {
    const tidy = {
      id: 'tidy',
      steps: [STEP],
      when: 'has(claims.givenName)',
      set: { givenName: 'titleCase(claims.givenName)' },
    };
    const { rules, wants, same } = await tallyOf({ rules: [tidy] }, { body: call({ givenName: 'JANE' }) });
    expect({ rules, wants, same }).toMatchObject({ rules: [{ applied: 1, notJudged: 0 }], wants: [], same: 1 });
    const fails = { ...tidy, set: { city: 'string(age(claims.givenName))', state: 'string(1 / size(claims.email))' } };
    const unsure = await tallyOf({ rules: [fails] }, { body: call({ givenName: 'JANE', email: '' }) });
    expect(unsure).toMatchObject({ rules: [{ didNotApply: 1 }], wants: [], same: 1 });
    const roles = { ...tidy, steps: [TOKEN], set: { extension_Roles: 'claims.givenName' } };
    const compared = await tallyOf({ rules: [roles] }, { body: { step: TOKEN, givenName: 'JANE' } });
    expect(compared).toMatchObject({ rules: [{ notJudged: 1 }], wants: [{ what: 'claims.givenName' }], notJudged: 1 });
  });
});

describe('what is kept only in part', () => {
  it('is unknown from 500 characters on, and where characters could not be stored', async () => {
    for (const [city, known] of [
      ['x'.repeat(499), true],
      ['x'.repeat(500), false],
      ['x'.repeat(501), false],
      ['Ro\0me', false],
      ['Ro\ud800me', false],
    ] as const) {
      const found = await onCall("claims.city != 'x'", { body: call({ city }), keep: ['city'] });
      expect(found).toEqual(known ? sure(true) : unknown('claims.city cut'));
    }
  });

  it('is unknown of e-mail, identity, client id and locale too', async () => {
    const long = 'x'.repeat(600);
    const body = call({
      email: `${long}@example.com`,
      client_id: long,
      ui_locales: long,
      identities: [{ signInType: long, issuer: long, issuerAssignedId: long }],
    });
    for (const path of [
      'claims.email',
      'request.clientId',
      'request.application',
      'request.locale',
      'identity.issuer',
      'identity.id',
      'identity.signInType',
    ]) {
      expect(await onCall(`${path} == 'x'`, { body })).toEqual(unknown(`${path} cut`));
    }
  });

  it('may be an application that the policy names', async () => {
    const clientId = 'x'.repeat(128);
    const applications = { onlyThese: true, [clientId]: 'Ours' };
    const result = await tallyOf({ applications, rules: [] }, { body: call({ client_id: clientId }) });
    expect(result).toMatchObject({ notJudged: 1, wants: [{ what: 'request.clientId', why: 'cut', rules: [] }] });
  });

  it('are names, where a call had more or longer ones than an attempt holds', async () => {
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`extension_${index}`, '']));
    const long = Object.fromEntries(
      Array.from({ length: 70 }, (_, index) => [`extension_${index}_${'n'.repeat(85)}`, '']),
    );
    for (const names of [many, long]) {
      const body = { extension_A: 'x', ...names, ...call({ city: 'Rome' }) };
      expect(await onCall('has(claims.city)', { body })).toEqual(unknown('claims.city too-large'));
      expect(await onCall('has(claims.country)', { body })).toEqual(unknown('claims.country too-large'));
      expect(await onCall('has(claims.extension_A)', { body })).toEqual(sure(true));
    }
  });
});

describe('what is held about the person', () => {
  const token = (person: object = {}) => ({ step: TOKEN, client_id: 'app', objectId: crypto.randomUUID(), ...person });
  const held = { roles: ['editor', 'admin'], groups: ['staff'] };
  const sending = (value: string) => ({ rules: [{ ...roles, set: { extension_Roles: value } }] });

  it('is its roles where the built-in policy decided, and nothing else', async () => {
    expect(await tallyOf({ rules: [roles] }, { body: token(), held })).toMatchObject({ same: 1, wants: [] });
    const groups = await tallyOf(sending("person.groups.join(' ')"), { body: token(), held });
    expect(groups).toMatchObject({ notJudged: 1, wants: [{ what: 'person', why: 'person', rules: ['roles'] }] });
  });

  it('is unknown where a stored policy sent roles of its own making, but for somebody of whom nothing is held', async () => {
    const policy = { rules: [roles] };
    expect(await tallyOf(policy, { body: token(), held, policy })).toMatchObject({ notJudged: 1 });
    expect(await tallyOf(policy, { body: token(), policy })).toMatchObject({ same: 1, wants: [] });
  });

  it('is unknown at a sign-up step where no rule asked for it', async () => {
    const body = call({ email: 'a@example.com', identities: [{ issuer: 'google.com', issuerAssignedId: 'x' }] });
    const asking = blocking("'admin' in person.roles");
    expect(await tallyOf(asking, { body, held, policy: { rules: [] } })).toMatchObject({ notJudged: 1 });
    expect(await tallyOf(asking, { body, held, policy: asking })).toMatchObject({ same: 1 });
    expect(await tallyOf(asking, { body, held })).toMatchObject({ different: 1 });
  });

  it('is what whenUnavailable is about, where the store could not say', async () => {
    const body = call({ identities: [{ issuer: 'github.com', issuerAssignedId: crypto.randomUUID() }] });
    const asking = blocking("'admin' in person.roles");
    const { differences } = await tallyOf(asking, { body, held, kvFails: true });
    expect(differences).toMatchObject([
      {
        recorded: { outcome: 'continue' },
        draft: { outcome: 'block', rule: 'whenUnavailable', messageKey: 'unavailable' },
      },
    ]);
    const lenient = { ...asking, whenUnavailable: { [STEP]: 'continue' } };
    expect(await tallyOf(lenient, { body, held, kvFails: true })).toMatchObject({ same: 1, wants: [] });
    expect(await tallyOf(blocking("claims.city == 'x'"), { body, held, kvFails: true })).toMatchObject({ same: 1 });
  });

  it('changes the token by more, fewer, no or other roles, and not by their order', async () => {
    for (const [value, change] of [
      ["'admin editor'", undefined],
      ["'editor admin owner'", 'more'],
      ["'admin'", 'fewer'],
      ["''", 'none'],
      ["'owner editor'", 'others'],
    ] as const) {
      const { differences } = await tallyOf(sending(value), { body: token(), held });
      expect(differences.map(({ draft }) => draft.roles)).toEqual(change === undefined ? [] : [change]);
    }
  });

  it('does not count in an application that is none of ours', async () => {
    const ours = { applications: { onlyThese: true, shop: 'Shop' }, ...sending("person.groups.join(' ')") };
    const { differences, rules } = await tallyOf(ours, { body: token(), held });
    expect(differences).toMatchObject([{ draft: { outcome: 'continue', roles: 'none' } }]);
    expect(rules).toMatchObject([{ notReached: 1 }]);
  });
});

describe('a decision', () => {
  it('is unknown behind a rule that could have turned away, and known before it', async () => {
    const asks = (id: string, when: string) => ({ id, steps: [STEP], when, onError: 'skip', block: true });
    const [city, mail] = [asks('city', "claims.city == 'Rome'"), asks('mail', "claims.email == 'a@example.com'")];
    const given = { body: call({ city: 'Rome', email: 'a@example.com' }) };
    expect(await tallyOf({ rules: [mail, city] }, given)).toMatchObject({
      different: 1,
      rules: [{ applied: 1 }, { notReached: 1, notJudged: 0 }],
      wants: [],
    });
    expect(await tallyOf({ rules: [city, mail] }, given)).toMatchObject({
      notJudged: 1,
      rules: [{ notJudged: 1 }, { applied: 1 }],
      wants: [{ what: 'claims.city', rules: ['city'] }],
    });
  });

  it('differs by outcome, rule or message, and not by the text of a message', async () => {
    const policy = (id: string, said: string, text: string) => ({
      messages: { [said]: { en: `${text} {supportCode}` } },
      rules: [{ id, steps: [STEP], block: said }],
    });
    const given = { body: call({}), policy: policy('a', 'm', 'No') };
    expect(await tallyOf(policy('a', 'm', 'Sorry, no'), given)).toMatchObject({ same: 1 });
    expect(await tallyOf(policy('b', 'm', 'No'), given)).toMatchObject({ different: 1 });
    expect((await tallyOf(policy('a', 'n', 'No'), given)).differences).toMatchObject([
      { recorded: { rule: 'a', messageKey: 'm' }, draft: { rule: 'a', messageKey: 'n' } },
    ]);
    expect((await tallyOf({ rules: [] }, given)).differences).toMatchObject([
      {
        recorded: { outcome: 'block' },
        draft: { outcome: 'continue' },
        examples: [{ supportCode: expect.stringMatching(/-/) }],
      },
    ]);
  });

  it('that no policy made is skipped and counted by its reason', async () => {
    const { read, same, skipped } = await tallyOf(
      { rules: [] },
      { body: call({}) },
      { body: { step: 'Nonsense' } },
      { body: { step: 'Nonsense' } },
    );
    expect({ read, same, skipped }).toEqual({ read: 3, same: 1, skipped: { 'unknown-step': 2 } });
  });
});

describe('many attempts', () => {
  it('leave three examples of each difference, the first ones, and counts', async () => {
    const document = blocking('true');
    const draft = draftFrom(document);
    const tally = newTally(['rule']);
    const ids: string[] = [];
    for (let index = 0; index < 50; index += 1) {
      const { kept } = await recorded({ body: call({ email: `a${index}@example.com`, objectId: OBJECT_ID }) });
      ids.push(kept.id);
      tally.add(kept, await replayed(kept, draft));
    }
    const [difference, ...others] = tally.result().differences;
    expect(others).toEqual([]);
    expect(difference).toMatchObject({ attempts: 50 });
    expect(difference?.examples.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    expect(JSON.stringify(tally.result())).not.toMatch(/example\.com|2fe4d1a6/);
  });
});

describe('KEEP_CLAIMS', () => {
  const want = (what: string, why: 'not-kept' | 'never-kept' | 'cut' | 'too-large' | 'person') => ({
    ...{ what, why, attempts: 1, rules: ['rule'] },
  });

  it('is named whole, with what it names already and only what would help', () => {
    const wants = [
      want('claims.city', 'not-kept'),
      want('claims.extension_InvitationCode', 'never-kept'),
      want('claims.state', 'cut'),
      want('claims.street', 'too-large'),
      want('person', 'person'),
      want('claims.Straße', 'not-kept'),
    ];
    expect(keepingFor(wants, ['displayName', 'country'])).toEqual({
      line: 'KEEP_CLAIMS="displayName,country,Straße,city"',
      added: ['Straße', 'city'],
      already: [],
    });
  });

  it('needs no change where it names the claim by now, or where nothing would help', () => {
    expect(keepingFor([want('claims.city', 'not-kept')], ['city'])).toEqual({
      line: undefined,
      added: [],
      already: ['city'],
    });
    expect(keepingFor([want('person', 'person')], ['city'])).toEqual({ line: undefined, added: [], already: [] });
  });

  it('is never said to help with a claim that no attempt keeps', async () => {
    for (const name of ['extension_InvitationCode', 'extension_captchaToken', 'a,b', ' a', 'n'.repeat(120)]) {
      const found = await onCall(`claims[${JSON.stringify(name)}] == 'x'`, {
        body: call({ [name]: 'x' }),
        keep: [name],
      });
      expect(found).toEqual(unknown(`claims.${name} never-kept`));
    }
  });
});
