/** Calls under a stored policy: decisions, messages, claim names and attempts. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { idpKey } from '../../src/sign-in/event.ts';
import { newClient, newObjectId, rowsOfOnce } from '../support/call.ts';
import { callUnder, isolate, publish } from '../support/policy-call.ts';
import { type Listed, report } from '../support/reports-call.ts';

const CODE = /\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b/;
const SIGN_UP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';

const blockMinors = {
  messages: {
    minor: { en: 'Too young, {givenName}. Code {supportCode}', de: 'Zu jung, {givenName}. Code {supportCode}' },
  },
  rules: [
    {
      id: 'no-minors',
      steps: [SIGN_UP],
      when: 'has(claims.extension_Born) && age(string(claims.extension_Born)) < 18',
      onError: 'apply',
      block: 'minor',
    },
  ],
};

describe('call that a rule refuses', () => {
  it('the message is in the language of the page, and its code leads support to rule, version and message', async () => {
    const client_id = newClient();
    const number = await publish(blockMinors);
    const body = { step: SIGN_UP, client_id, ui_locales: 'de-AT', givenName: 'Lena', extension_Born: '2020-02-29' };
    const answered = await isolate().call(body);
    const code = CODE.exec(String(answered.json.userMessage))?.[0];
    expect(answered.json).toEqual({
      version: '1.0.0',
      action: 'ShowBlockPage',
      userMessage: `Zu jung, Lena. Code ${code}`,
    });

    await rowsOfOnce(client_id, 1);
    const found = await report(`/attempts/${code?.toLowerCase().replace('-', '')}`);
    const { attempts } = await found.json<Listed>();
    expect(attempts[0]).toMatchObject({
      outcome: 'block',
      reply: 'ShowBlockPage',
      rule: 'no-minors',
      messageKey: 'minor',
      message: `Zu jung, …. Code ${code}`,
      messageLanguage: 'de',
      policyVersion: number,
      supportCode: code,
    });
  });

  it('the language falls back from de-AT to de to the default, for a tag in any case', async () => {
    const messageIn = async (ui_locales?: string) => {
      const answered = await callUnder(blockMinors, { step: SIGN_UP, ui_locales, extension_Born: 'never' });
      return String(answered.json.userMessage).split(',')[0];
    };
    expect(await messageIn('DE_at')).toBe('Zu jung');
    expect(await messageIn('fr-CA')).toBe('Too young');
    expect(await messageIn('en-GB')).toBe('Too young');
    expect(await messageIn()).toBe('Too young');
  });

  it('a rule without a message shows a translated built-in text with a support code', async () => {
    const rule = { id: 'closed', steps: ['PostFederationSignup', SIGN_UP], block: true };
    for (const [ui_locales, begins] of [
      ['en', 'You cannot sign up here'],
      ['fr-FR', 'Vous ne pouvez pas'],
      ['xx', 'You cannot'],
    ]) {
      const answered = await callUnder({ rules: [rule] }, { step: 'PostFederationSignup', ui_locales });
      expect(answered.json.userMessage).toMatch(new RegExp(`^${begins}`));
      expect(answered.json.userMessage).toMatch(CODE);
    }
  });

  it('a message of the policy replaces a built-in text', async () => {
    const messages = { invalid: { en: 'Look again: {supportCode}' } };
    const rules = [{ id: 'always', steps: [SIGN_UP], invalid: true }];
    const answered = await callUnder({ messages, rules }, { step: SIGN_UP });
    expect(answered.status).toBe(400);
    expect(answered.json).toMatchObject({ status: 400, action: 'ValidationError' });
    expect(answered.json.userMessage).toMatch(/^Look again: /);
  });

  it('claims in a message have at most 100 characters, and no control characters, direction marks or angle brackets', async () => {
    const messages = { no: { en: '[{displayName}] [{city}] [{email}] [{nothing}] [{displayName}]' } };
    const rules = [{ id: 'always', steps: [SIGN_UP], block: 'no' }];
    const body = {
      step: SIGN_UP,
      displayName: '<b>A\u0000\u202eB{email}</b>\n',
      city: '😀'.repeat(150),
      email: 'a@example.com',
    };
    const { json } = await callUnder({ messages, rules }, body);
    const name = '[bAB{email}/b]';
    expect(json.userMessage).toBe(`${name} [${'😀'.repeat(100)}] [a@example.com] [] ${name}`);
  });
});

describe('roles under a stored policy', () => {
  const rolesRule = {
    id: 'roles',
    steps: [TOKEN],
    set: { extension_Roles: "person.roles.join(' ')", extension_groups: 'person.groups' },
  };

  async function personWith(record: object): Promise<string> {
    const objectId = newObjectId();
    const whole = {
      v: 1,
      roles: [],
      groups: [],
      attributes: {},
      applications: {},
      updatedAt: '2026-11-01T00:00:00Z',
      updatedBy: 'x',
    };
    await env.GATEHOUSE.put(`person:oid:${objectId}`, JSON.stringify({ ...whole, ...record }));
    return objectId;
  }

  it('a rule sets roles and groups, including those of the application', async () => {
    const client_id = newClient();
    const objectId = await personWith({
      roles: ['editor'],
      groups: ['staff'],
      applications: { [client_id]: { roles: ['approver'], groups: ['board'] } },
    });
    const answered = await callUnder({ rules: [rolesRule] }, { step: TOKEN, client_id, objectId });
    expect(answered.json).toMatchObject({ extension_Roles: 'editor approver', extension_groups: 'staff board' });
    expect((await rowsOfOnce(client_id, 1))[0]?.roles).toEqual(['editor', 'approver']);
  });

  it('the roles claim is empty when no rule sets it or the rule fails, so the directory’s value is not used', async () => {
    const objectId = await personWith({ roles: ['editor'] });
    const failing = { id: 'roles', steps: [TOKEN], set: { extension_Roles: 'string(person.attributes.absent)' } };
    for (const rules of [[], [failing], [{ ...rolesRule, steps: ['PostFederationSignup'] }]]) {
      const { json } = await callUnder({ rules }, { step: TOKEN, objectId });
      expect(json).toEqual({ version: '1.0.0', action: 'Continue', extension_Roles: '' });
    }
  });

  it('claims have long names when EXTENSIONS_APP_ID is set, for any case of the roles claim in the rule', async () => {
    const objectId = await personWith({ roles: ['editor'], attributes: { tier: 'gold', level: 7 } });
    const app = '0123456789abcdef0123456789abcdef';
    const rules = [
      { id: 'roles', steps: [TOKEN], set: { extension_roles: 'person.roles' } },
      {
        id: 'more',
        steps: [TOKEN],
        set: {
          extension_Tier: 'person.attributes.tier',
          extension_Level: 'int(person.attributes.level) + 1',
          city: "'Graz'",
        },
      },
    ];
    const { json } = await callUnder({ rules }, { step: TOKEN, objectId }, { EXTENSIONS_APP_ID: app });
    expect(json).toEqual({
      version: '1.0.0',
      action: 'Continue',
      [`extension_${app}_Roles`]: 'editor',
      [`extension_${app}_Tier`]: 'gold',
      [`extension_${app}_Level`]: 8,
      city: 'Graz',
    });
  });

  it('an empty value replaces typed roles before the user is created, so that B2C does not store them', async () => {
    const { json } = await callUnder({ rules: [rolesRule] }, { step: SIGN_UP, extension_roles: 'admin' });
    expect(json).toEqual({ version: '1.0.0', action: 'Continue', extension_Roles: '' });
  });
});

describe('rules of a stored policy', () => {
  it('rules see the claims from B2C, accumulate in order, and end at the first refusal', async () => {
    const client_id = newClient();
    const rules = [
      { id: 'first', steps: [SIGN_UP], set: { city: "'A'", country: "'B'" } },
      { id: 'second', steps: [SIGN_UP], when: "claims.city == 'typed'", set: { city: "claims.city + '!'" } },
      { id: 'third', steps: [SIGN_UP], when: "has(claims.surname) && claims.surname == 'stop'", invalid: true },
      { id: 'fourth', steps: [SIGN_UP], when: 'has(claims.surname)', block: true },
    ];
    const number = await publish({ rules });
    const gate = isolate();
    const body = { step: SIGN_UP, client_id, city: 'typed' };
    expect((await gate.call(body)).json).toEqual({
      version: '1.0.0',
      action: 'Continue',
      city: 'typed!',
      country: 'B',
    });
    expect((await gate.call({ ...body, lastName: 'stop' })).json.action).toBe('ValidationError');
    expect((await gate.call({ ...body, surName: 'go' })).json.action).toBe('ShowBlockPage');
    const rows = await rowsOfOnce(client_id, 3);
    expect(rows.map(({ rule, outcome }) => [rule, outcome])).toEqual(
      expect.arrayContaining([
        ['', 'continue'],
        ['third', 'invalid'],
        ['fourth', 'block'],
      ]),
    );
    expect(rows.every(({ policyVersion }) => policyVersion === number)).toBe(true);
  });

  it('a rule sets all of its claims or none', async () => {
    const rules = [{ id: 'both', steps: [SIGN_UP], set: { city: "'A'", country: 'claims.absent' } }];
    expect((await callUnder({ rules }, { step: SIGN_UP })).json).toEqual({ version: '1.0.0', action: 'Continue' });
  });

  it('a rule whose condition fails follows onError', async () => {
    const rule = { id: 'code', steps: [SIGN_UP], when: '!(claims.extension_Code in lists.codes)', block: true };
    const under = (onError: string, body: object) =>
      callUnder({ lists: { codes: ['abc'] }, rules: [{ ...rule, onError }] }, { step: SIGN_UP, ...body });
    expect((await under('apply', {})).json.action).toBe('ShowBlockPage');
    expect((await under('skip', {})).json.action).toBe('Continue');
    expect((await under('apply', { extension_Code: 'abc' })).json.action).toBe('Continue');
    expect((await under('skip', { extension_Code: 'abd' })).json.action).toBe('ShowBlockPage');
  });

  it('rules see the entitlements of an identity before the user exists', async () => {
    const id = newObjectId();
    const key = await idpKey('google.com', id);
    const record = {
      v: 1,
      roles: [],
      groups: [],
      attributes: { postalCode: '8010' },
      applications: {},
      updatedAt: '2026-11-01T00:00:00Z',
      updatedBy: 'x',
    };
    await env.GATEHOUSE.put(`person:${key}`, JSON.stringify(record));
    const rules = [
      {
        id: 'prefill',
        steps: ['PostFederationSignup'],
        when: 'has(person.attributes.postalCode)',
        set: { postalCode: 'person.attributes.postalCode' },
      },
    ];
    const identities = [{ signInType: 'federated', issuer: 'google.com', issuerAssignedId: id }];
    const { json } = await callUnder({ rules }, { step: 'PostFederationSignup', identities });
    expect(json).toEqual({ version: '1.0.0', action: 'Continue', postalCode: '8010' });
  });
});

describe('applications of a stored policy', () => {
  it('with onlyThese, other applications get no sign-ups and no roles, and rules see the application by name', async () => {
    const [ours, foreign] = [newClient().toUpperCase(), newClient()];
    const rules = [
      {
        id: 'named',
        steps: [SIGN_UP, TOKEN],
        set: { extension_App: 'request.application', extension_Roles: "'editor'" },
      },
    ];
    await publish({ applications: { [ours]: 'Shop', onlyThese: true }, rules });
    const gate = isolate();
    const at = async (step: string, client_id: string | undefined) => (await gate.call({ step, client_id })).json;
    expect(await at(TOKEN, ours.toLowerCase())).toMatchObject({ extension_App: 'Shop', extension_Roles: 'editor' });
    expect(await at(SIGN_UP, ours)).toMatchObject({ action: 'Continue', extension_App: 'Shop' });
    for (const client_id of [foreign, undefined, '']) {
      expect(await at(TOKEN, client_id)).toEqual({ version: '1.0.0', action: 'Continue', extension_Roles: '' });
      expect(await at(SIGN_UP, client_id)).toMatchObject({ action: 'ShowBlockPage' });
      expect(await at('PostFederationSignup', client_id)).toMatchObject({ action: 'ShowBlockPage' });
    }
    const rows = await rowsOfOnce(foreign, 3);
    expect(rows.map(({ rule, outcome }) => `${rule} ${outcome}`).sort()).toEqual([
      ' continue',
      'onlyThese block',
      'onlyThese block',
    ]);
  });
});

describe('invitation code', () => {
  it('a code on the list allows the sign-up, and an empty value replaces it in the reply', async () => {
    const policy = {
      lists: { invitations: ['SPRING-24'] },
      rules: [
        {
          id: 'invited',
          steps: [SIGN_UP],
          when: '!(has(claims.extension_Invitation) && claims.extension_Invitation in lists.invitations)',
          invalid: true,
        },
        { id: 'carrier', steps: [SIGN_UP], set: { extension_Invitation: "''" } },
      ],
    };
    const { json } = await callUnder(policy, { step: SIGN_UP, extension_Invitation: 'SPRING-24' });
    expect(json).toEqual({ version: '1.0.0', action: 'Continue', extension_Invitation: '' });
    for (const code of ['spring-24', '', 7, true, null, undefined, ['SPRING-24'], '__proto__', 'constructor']) {
      const answered = await callUnder(policy, { step: SIGN_UP, extension_Invitation: code });
      expect([code, answered.json.action]).toEqual([code, 'ValidationError']);
    }
  });
});
