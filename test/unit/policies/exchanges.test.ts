/** Exchanges in a document, and the steps of rules: what saving refuses, and what it warns of. */
import { describe, expect, it } from 'vitest';
import { at, type Members, problemsOf, SIGN_UP, warningsOf } from '../../support/exchange-policy.ts';

/** The problems of a document with one exchange. */
const declared = (exchange: Members, name = 'Ask') =>
  problemsOf([], { messages: {}, exchanges: { [name]: { kind: 'validation', ...exchange } } });

describe('an exchange', () => {
  it.each([
    ...['PreTokenIssuance', 'postattributecollection', 'PRETOKENAPPLICATIONCLAIMS'],
    ...['AttributeCollectionStart', 'OnAttributeCollectionSubmit', 'tokenissuancestart', 'OnTokenIssuanceStart'],
    ...['PasswordSubmit', 'onpasswordsubmit', 'EmailOtpSend', 'OnPhoneOtpSend'],
  ])('may not have the name of a step of another channel: %s', (name) => {
    expect(declared({}, name)).toEqual([expect.stringMatching(`^exchanges\\.${name}: ${name} is a step of .*Rename`)]);
  });

  it('may have a name that only contains the name of a step', () => {
    expect(declared({}, 'OnPreTokenIssuance')).toEqual([]);
    expect(declared({}, 'PasswordSubmit2')).toEqual([]);
  });

  it('may not have the name of another one in other letters, nor a built-in name in other letters', () => {
    const two = { ask: { kind: 'validation' }, Ask: { kind: 'validation' } };
    expect(problemsOf([], { exchanges: two })).toEqual([
      'exchanges.Ask: ask and Ask differ only in case, and URLs have any case. Rename one.',
    ]);
    expect(declared({}, 'signInStarted')).toEqual([
      'exchanges.signInStarted: The built-in exchange is called SignInStarted. Write SignInStarted.',
    ]);
    expect(declared({}, 'SignInStarted')).toEqual([]);
  });

  it('is refused with members of a wrong shape or with more than the limit', () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x${n}`, 'string']));
    expect(declared({ kind: 'form' })).toEqual(['exchanges.Ask.kind: Not validation or orchestration.']);
    expect(declared({ outputs: { a: 'float' } })[0]).toMatch(/^exchanges\.Ask\.outputs\.a: Not a type/);
    expect(declared({ outputs: { 'a b': 'string' } })[0]).toMatch(/^exchanges\.Ask\.outputs\.a b: Not the name/);
    expect(declared({ outputs: many(51) })[0]).toMatch(/more than 50/i);
    expect(declared({ inputs: { 'a-b': 'x' } })[0]).toMatch(/^exchanges\.Ask\.inputs\.a-b: Not the name of a claim/);
    expect(declared({ inputs: many(51) })[0]).toMatch(/more than 50/i);
    expect(declared({ inputs: { a: { from: 'a', type: 'list' } } })[0]).toMatch(/^exchanges\.Ask\.inputs\.a/);
    expect(declared({ identifies: { phone: {} } })[0]).toMatch(/Unknown: phone\. The members of identifies are email/);
    expect(declared({ output: {} })[0]).toMatch(/Unknown: output\. The members of an exchange are/);
    const shape = (exchange: Members) => declared(exchange)[0]?.split(': ').slice(1).join(': ');
    expect(shape({ inputs: null })).toBe('Not a JSON object. Write an input for each claim.');
    expect(shape({ outputs: ['a'] })).toBe('Not a JSON object. Write a type for each output.');
    expect(shape({ inputs: { a: { from: 'x', typ: 'number' } } })).toMatch(/^Unknown: typ\. The members of an input/);
    expect(shape({ outputs: { a: { type: 'list', jion: ',' } } })).toMatch(/^Unknown: jion\. The members of an output/);
    expect(shape({ identifies: { email: { trust: true } } })).toBe('Unknown: trust. The members of email are trusted.');
    expect(problemsOf([], { exchanges: [] })).toEqual([
      'exchanges: Not a JSON object. Write an object for each exchange.',
    ]);
    expect(declared({ whenUnavailable: 'skip' })[0]).toMatch(/Not block or continue/);
  });

  it('has an empty reply or outputs, and joins only lists', () => {
    expect(declared({ emptyReply: true, outputs: { a: 'string' } })).toEqual([
      'exchanges.Ask.emptyReply: An empty reply has no room for outputs. Remove emptyReply or outputs.',
    ]);
    expect(declared({ emptyReply: true })).toEqual([]);
    expect(declared({ emptyReply: true, outputs: {} })).toEqual([]);
    expect(declared({ outputs: { a: { type: 'number', join: ',' } } })).toEqual([
      'exchanges.Ask.outputs.a: Only a list can be joined. Remove join, or write "type": "list".',
    ]);
    expect(declared({ outputs: { a: { type: 'list', join: ',' } } })).toEqual([]);
  });

  it('gives one claim one input, under all names of the claim', () => {
    const twice = (a: string, b: string) => declared({ inputs: { [a]: 'x', [b]: 'y' } });
    for (const [a, b] of [
      ['surname', 'lastName'],
      ['client_id', 'clientId'],
      ['locale', 'ui_locales'],
      ['loyaltyId', 'LoyaltyID'],
      ['email', 'Email'],
      ['extension_A', 'extension_0123456789abcdef0123456789abcdef_A'],
    ] as const)
      expect(twice(a, b)).toEqual([expect.stringContaining(`exchanges.Ask.inputs.${b}: ${a} and ${b} are one claim`)]);
    expect(twice('loyaltyId', 'loyalty_id')).toEqual([]);
  });

  it('declares no claim that an expression cannot read', () => {
    expect(declared({ inputs: { identities: 'x' } })[0]).toMatch(/^exchanges\.Ask\.inputs\.identities: /);
    expect(declared({ inputs: { signInNames: 'x' } })[0]).toMatch(/^exchanges\.Ask\.inputs\.signInNames: /);
    expect(declared({ inputs: { EXTENSION_A: 'x' } })[0]).toMatch(/Write claims\.extension_A/);
  });

  it.each(['email', 'objectId', 'ui_locales', 'locale', 'clientId', 'correlationId', 'policyId', 'ipAddress'])(
    'reads %s as text only, since it identifies the person or describes the call',
    (claim) => {
      const typed = (type: string) => declared({ inputs: { [claim]: { from: 'x', type } } });
      expect(typed('number')).toEqual([
        expect.stringMatching(`^exchanges\\.Ask\\.inputs\\.${claim}: .*Remove the type`),
      ]);
      expect(typed('string')).toEqual([]);
    },
  );

  it('that accepts object ids of any form names their issuer', () => {
    const any = { identifies: { objectId: { form: 'any' } } };
    expect(declared(any)).toEqual([
      'exchanges.Ask.identifies.objectId: An object id that is no GUID is known only together with its issuer. Add "issuer" to the exchange.',
    ]);
    expect(declared({ ...any, issuer: 'contoso' })).toEqual([]);
  });

  it('identifies the person by a claim that it reads', () => {
    expect(declared({ inputs: { objectId: [] }, identifies: { objectId: {} } })).toEqual([
      'exchanges.Ask.identifies.objectId: No input gives the claim objectId. Add one, or remove objectId here.',
    ]);
    expect(declared({ inputs: { objectId: [] } })).toEqual([]);
  });

  it('of the example in the issue of this feature is accepted', () => {
    const example = {
      kind: 'validation',
      issuer: 'contoso',
      whenUnavailable: 'block',
      inputs: {
        email: ['email', 'emailAddress', 'signInName'],
        locale: ['lang', 'language'],
        loyaltyId: { from: 'loyaltyId', type: 'string' },
      },
      identifies: { email: { trusted: true }, objectId: { form: 'guid' } },
      outputs: { promoCode: 'string', groups: { type: 'list', join: ',' } },
      emptyReply: false,
    };
    expect(declared(example)).toEqual([]);
  });
});

describe('the steps of a rule', () => {
  const set = { set: { promoCode: "'x'" } };

  it('are steps of user flows, exchanges of the document, and the built-in exchanges, in their letters', () => {
    expect(problemsOf([{ ...at('ValidateProfile', 'GetProfile'), ...set }])).toEqual([]);
    expect(problemsOf([{ ...at('SignInStarted', 'SignInCompleted'), when: 'true', block: 'm' }])).toEqual([]);
    expect(problemsOf([{ ...at('validateProfile'), ...set }])).toEqual([
      'rules[0].steps[0]: There is no step or exchange validateProfile. Did you mean ValidateProfile?',
    ]);
    expect(problemsOf([{ ...at('PreTokenIsuance'), set: { city: "'x'" } }])).toEqual([
      'rules[0].steps[0]: There is no step or exchange PreTokenIsuance. Did you mean PreTokenIssuance?',
    ]);
    expect(problemsOf([{ ...at('signinstarted'), when: 'true', block: 'm' }])[0]).toContain('mean SignInStarted?');
    expect(problemsOf([{ ...at('Other'), ...set }])).toEqual([
      'rules[0].steps[0]: There is no step or exchange Other. Write PostFederationSignup, PostAttributeCollection, ' +
        'PreTokenIssuance, ValidateProfile, GetProfile, SignInStarted, SignInCompleted, or declare it in exchanges.',
    ]);
  });

  it('are shown short and without control characters when they are unknown', () => {
    const [problem = ''] = problemsOf([{ ...at(`\u001b[31m${'x'.repeat(5_000)}`), ...set }]);
    expect(problem).toMatch(/exchange \ufffd\[31mx{55}…\. Write/);
  });

  it('accept invalid only at a step of validation', () => {
    const invalid = { when: 'true', invalid: 'm' };
    expect(problemsOf([{ ...at('ValidateProfile', SIGN_UP), ...invalid }])).toEqual([]);
    for (const name of ['GetProfile', 'SignInStarted'])
      expect(problemsOf([{ ...at('ValidateProfile', name), ...invalid }])).toEqual([
        expect.stringMatching(`^rules\\[0\\]\\.steps: .*"invalid" at ${name}`),
      ]);
    const exchanges = { SignInStarted: { kind: 'validation' } };
    expect(problemsOf([{ ...at('SignInStarted'), ...invalid }], { exchanges })).toEqual([]);
  });

  it('accept developerMessage only with a refusal at an exchange', () => {
    const developerMessage = 'loyalty lookup';
    const blocking = { when: 'true', block: 'm', developerMessage };
    expect(problemsOf([{ ...at('ValidateProfile', SIGN_UP), ...blocking }])).toEqual([]);
    expect(problemsOf([{ ...at(SIGN_UP), ...blocking }])).toEqual([
      'rules[0].developerMessage: Only a refusal by an exchange has a text for developers. Remove it, or name an exchange in steps.',
    ]);
    expect(problemsOf([{ ...at('ValidateProfile'), ...set, developerMessage }])).toEqual([
      'rules[0].developerMessage: Only block and invalid have a text for developers. Remove it.',
    ]);
  });
});

describe('warnings about exchanges', () => {
  const rules = [
    {
      ...at('ValidateProfile'),
      when: 'has(claims.loyaltyId) && has(claims.count)',
      set: { promoCode: "'x'", groups: 'person.groups', 'error-codes': 'person.roles', score: '1' },
    },
    { ...at('GetProfile'), when: 'has(claims.isMember)', onError: 'skip', block: 'm' },
  ];

  it('name an output that no rule sets, and an input that no rule reads and that identifies no one', () => {
    expect(warningsOf(rules)).toEqual([
      expect.stringMatching(/^exchanges\.GetProfile\.inputs\.count: No rule reads it/),
      expect.stringMatching(/^exchanges\.GetProfile\.outputs\.promoCode: No rule sets it/),
      expect.stringMatching(/^exchanges\.GetProfile\.outputs\.balance: No rule sets it/),
      expect.stringMatching(/^exchanges\.GetProfile\.outputs\.member: No rule sets it/),
    ]);
  });

  it('name no input that identifies the person, describes the call, or is shown in a message', () => {
    const inputs = { email: 'mail', objectId: 'id', locale: 'lang', clientId: 'app', name2: 'n', gone: [] };
    const exchanges = { Ask: { kind: 'validation', inputs } };
    const shown = { messages: { m: { en: '{Name2} {supportCode}' } }, exchanges };
    expect(warningsOf([{ ...at('Ask'), when: 'true', block: 'm' }], shown)).toEqual([]);
    const unread = { Ask: { kind: 'validation', inputs, identifies: {} } };
    expect(warningsOf([{ ...at('Ask'), when: 'true', block: 'm' }], { ...shown, exchanges: unread })).toHaveLength(2);
  });

  it('name outputs of one exchange that differ only in case, and none of different exchanges', () => {
    const outputs = { roles: 'string', Roles: 'string' };
    const all = { ...at('Ask'), set: { roles: "'x'", Roles: "'y'" } };
    const one = { exchanges: { Ask: { kind: 'validation', outputs } }, messages: {} };
    expect(warningsOf([all], one)).toEqual([expect.stringMatching(/^exchanges\.Ask\.outputs: roles and Roles differ/)]);
    const two = {
      Ask: { kind: 'validation', outputs: { roles: 'string' } },
      Other: { kind: 'validation', outputs: { Roles: 'string' } },
    };
    const apart = [
      { ...at('Ask'), set: { roles: "'x'" } },
      { ...at('Other'), set: { Roles: "'y'" } },
    ];
    expect(warningsOf(apart, { exchanges: two, messages: {} })).toEqual([]);
  });
});
