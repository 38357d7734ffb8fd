/** Exchanges in a document: what saving refuses, and what it warns of. */
import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../../src/desk/policies/check.ts';

type Members = Readonly<Record<string, unknown>>;
const SIGN_UP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';

/** Two exchanges, each with inputs and outputs. */
const EXCHANGES: Readonly<Record<string, Members>> = {
  ValidateProfile: {
    kind: 'validation',
    inputs: { loyaltyId: ['loyaltyId', 'number'], count: { from: 'count', type: 'number' } },
    outputs: { promoCode: 'string', groups: { type: 'list', join: ',' }, 'error-codes': 'list', score: 'number' },
  },
  GetProfile: {
    kind: 'orchestration',
    inputs: { isMember: { from: 'isMember', type: 'boolean' }, count: 'count' },
    outputs: { promoCode: 'string', balance: 'string', member: 'boolean' },
  },
};
const MESSAGES = { m: { en: 'No {supportCode}' } };

const checkOf = (rules: readonly Members[], more: Members = {}) =>
  checkPolicy(
    JSON.parse(
      JSON.stringify({
        messages: MESSAGES,
        exchanges: EXCHANGES,
        rules: rules.map((rule, at) => ({ id: `rule-${at}`, ...rule })),
        ...more,
      }),
    ),
    '',
  );
/** Each problem as its path and message. */
function problemsOf(rules: readonly Members[], more: Members = {}): string[] {
  const check = checkOf(rules, more);
  return check.ok ? [] : check.problems.map(({ path, message }) => `${path}: ${message}`);
}
function warningsOf(rules: readonly Members[], more: Members = {}): string[] {
  const check = checkOf(rules, more);
  return check.ok
    ? check.policy.warnings.map(({ path, message }) => `${path}: ${message}`)
    : check.problems.map(({ path, message }) => `refused ${path}: ${message}`);
}
/** The problems of a document with one exchange. */
const declared = (exchange: Members, name = 'Ask') =>
  problemsOf([], { messages: {}, exchanges: { [name]: { kind: 'validation', ...exchange } } });
const at = (...steps: string[]) => ({ steps });

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

describe('the claims that a rule sets at exchanges', () => {
  const setting = (steps: string[], claims: Members) => problemsOf([{ steps, set: claims }]);

  it('are outputs of every exchange in its steps, in their exact letters', () => {
    expect(setting(['ValidateProfile', 'GetProfile'], { promoCode: "'x'" })).toEqual([]);
    expect(setting(['ValidateProfile'], { 'error-codes': 'person.roles' })).toEqual([]);
    expect(setting(['ValidateProfile'], { promocode: "'x'" })).toEqual([
      'rules[0].set.promocode: ValidateProfile has no output promocode. Did you mean promoCode? ' +
        'Its outputs are promoCode, groups, error-codes, score.',
    ]);
    expect(setting(['ValidateProfile', 'GetProfile'], { balance: "'1'" })).toEqual([
      'rules[0].set.balance: ValidateProfile has no output balance. Its outputs are promoCode, groups, error-codes, score.',
    ]);
    expect(setting(['SignInCompleted'], { a: "'1'" })).toEqual([
      'rules[0].set.a: SignInCompleted has no outputs. Declare a in its outputs, or set it at another step.',
    ]);
  });

  it('may have the names of protocol members at an exchange, and not in a user flow', () => {
    const outputs = { status: 'string', message: 'string', code: 'string', version: 'string', objectId: 'string' };
    const exchanges = { Ask: { kind: 'validation', outputs: { ...outputs, 'a.b': 'string' } } };
    const claims = Object.fromEntries([...Object.keys(outputs), 'a.b'].map((name) => [name, "'x'"]));
    expect(problemsOf([{ ...at('Ask'), set: claims }], { exchanges })).toEqual([]);
    const found = problemsOf([{ ...at('Ask', SIGN_UP), set: claims }], { exchanges });
    expect(found.map((problem) => problem.split(':')[0])).toEqual(
      ['status', 'code', 'version', 'objectId', 'a.b'].map((name) => `rules[0].set.${name}`),
    );
  });

  it('have hyphens and dots at exchanges only', () => {
    for (const claim of ['error-codes', 'a.b'])
      expect(setting([SIGN_UP], { [claim]: "'x'" })).toEqual([
        `rules[0].set.${claim}: Not the name of a claim. Write letters, digits and underscores.`,
      ]);
  });

  it('obey the checks of user flows too when a rule has both kinds of steps', () => {
    const exchanges = { Ask: { kind: 'validation', outputs: { email: 'string', lastName: 'string' } } };
    expect(problemsOf([{ ...at('Ask', SIGN_UP), set: { email: "'x'" } }], { exchanges })).toEqual([]);
    expect(problemsOf([{ ...at('Ask', TOKEN), set: { email: "'x'" } }], { exchanges }).join()).toContain(
      'B2C does not accept email at PreTokenIssuance',
    );
    expect(problemsOf([{ ...at('Ask', SIGN_UP), set: { lastName: "'x'" } }], { exchanges }).join()).toContain(
      'surname',
    );
    expect(problemsOf([{ ...at('Ask'), set: { lastName: "'x'" } }], { exchanges })).toEqual([]);
  });
});

describe('the value of an output', () => {
  const exchanges = {
    Ask: {
      kind: 'validation',
      inputs: { word: 'word', count: { from: 'count', type: 'number' }, flag: { from: 'flag', type: 'boolean' } },
      outputs: { s: 'string', n: 'number', b: 'boolean', l: 'list', j: { type: 'list', join: ';' } },
    },
  };
  const problems = (output: string, value: string) =>
    problemsOf([{ ...at('Ask'), set: { [output]: value } }], { exchanges });

  it.each([
    ['s', "'x'"],
    ['s', '7'],
    ['s', 'true'],
    ['s', 'claims.count'],
    ['s', 'person.attributes.balance'],
    ['n', '7'],
    ['n', '7.5'],
    ['n', "'7.5'"],
    ['n', 'claims.count'],
    ['n', 'claims.word'],
    ['n', 'person.attributes.balance'],
    ['b', 'true'],
    ['b', "'False'"],
    ['b', 'claims.flag'],
    ['b', 'claims.count > 3.0'],
    ['b', 'claims.word'],
    ['l', 'person.roles'],
    ['l', "['a', claims.word]"],
    ['l', '[]'],
    ['l', "claims.word.split(',')"],
    ['j', 'person.groups'],
  ])('of type %s is accepted: %s', (output, value) => {
    expect(problems(output, value)).toEqual([]);
  });

  it.each([
    ['s', 'person.roles', 'The output s is one value'],
    ['s', "['a']", 'The output s is one value'],
    ['n', 'person.roles', 'The output n is one value'],
    ['n', 'true', 'The output n is a number'],
    ['n', 'claims.flag', 'The output n is a number'],
    ['n', "'abc'", 'not a number'],
    ['n', "'007'", 'not a number'],
    ['n', "'x' + claims.word", 'not a number'],
    ['b', '1', 'The output b is true or false'],
    ['b', 'claims.count', 'The output b is true or false'],
    ['b', "'yes'", 'neither true nor false'],
    ['l', "'a'", 'The output l is a list'],
    ['l', 'claims.word', 'The output l is a list'],
    ['l', '[1, 2]', 'The output l is a list'],
    ['j', "person.roles.join(' ')", 'The output j is a list'],
    ['j', "['a;b']", 'contains the separator'],
    ['l', 'person.attributes.x', 'not a list'],
    ['s', 'request.time', 'A claim is text'],
  ])('of type %s is refused: %s', (output, value, message) => {
    expect(problems(output, value)).toEqual([expect.stringContaining(message)]);
  });

  it('must fit the outputs of every exchange in the steps, and a user flow still joins lists', () => {
    const two = {
      Ask: { kind: 'validation', outputs: { roles: 'list' } },
      Other: { kind: 'validation', outputs: { roles: 'string' } },
    };
    const rule = (...steps: string[]) =>
      problemsOf([{ steps, set: { roles: 'person.roles' } }], { exchanges: two }).length;
    expect([rule('Ask'), rule('Other'), rule('Ask', 'Other')]).toEqual([0, 1, 1]);
    const extension = { Ask: { kind: 'validation', outputs: { extension_Roles: 'list' } } };
    const both = { ...at('Ask', TOKEN), set: { extension_Roles: 'person.roles' } };
    expect(problemsOf([both], { exchanges: extension })).toEqual([]);
  });
});

describe('the claims that a rule reads at exchanges', () => {
  const reading = (when: string, ...steps: string[]) => problemsOf([{ steps, when, onError: 'skip', block: 'm' }]);

  it('are the inputs of the exchanges in its steps, and the built-in ones', () => {
    const when = "claims.loyaltyId == 'x' && claims.email == 'y' && has(claims.ipAddress) && 'policyId' in claims";
    expect(reading(when, 'ValidateProfile')).toEqual([]);
    expect(reading("claims.loyaltyid == 'x'", 'ValidateProfile')).toEqual([]);
    expect(reading("claims.loyaltyId == 'x' || claims.isMember", 'ValidateProfile', 'GetProfile')).toEqual([]);
  });

  it('are refused when no exchange of the steps has them', () => {
    const message = (name: string, advice: string) => [
      `rules[0].when: No exchange of the rule has the input ${name}. ${advice}`,
    ];
    expect(reading("claims.loyaltyID2 == 'x'", 'ValidateProfile')).toEqual(
      message('loyaltyID2', 'Did you mean claims.loyaltyId?'),
    );
    expect(reading('has(claims.isMember)', 'ValidateProfile')).toEqual(
      message('isMember', 'Add it to the inputs of ValidateProfile.'),
    );
    expect(reading("'isMember' in claims", 'ValidateProfile')).toHaveLength(1);
    expect(reading("claims['isMember'] == true", 'ValidateProfile')).toHaveLength(1);
    expect(reading('has(claims.loyaltyId.x)', 'ValidateProfile')).toHaveLength(1);
    expect(reading('has(claims.isMember)', 'SignInStarted')).toHaveLength(1);
    expect(reading('has(claims.city)', 'ValidateProfile')).toHaveLength(1);
  });

  it('have any name when a step of a user flow is among the steps', () => {
    expect(reading("claims.extension_X == 'x'", SIGN_UP)).toEqual([]);
    expect(reading("claims.extension_X == 'x'", SIGN_UP, 'ValidateProfile')).toEqual([]);
  });

  it('have the type of their input', () => {
    expect(reading("claims.count == 'x'", 'ValidateProfile').join()).toContain('they are never equal');
    expect(reading('claims.count == 3', 'ValidateProfile')).toEqual([]);
    expect(reading('3 < claims.count', 'ValidateProfile')).toEqual([]);
    expect(reading('claims.count in [1, 2]', 'ValidateProfile')).toEqual([]);
    expect(reading('claims.loyaltyId == 7', 'ValidateProfile').join()).toContain('they are never equal');
    expect(reading('claims.isMember', 'GetProfile')).toEqual([]);
    expect(reading("claims.isMember == 'true'", 'GetProfile').join()).toContain('they are never equal');
    // A number at one step and a text at the other; a number at one and anything in a user flow.
    expect(reading("claims.count == 'x' || claims.count == 3", 'ValidateProfile', 'GetProfile')).toEqual([]);
    expect(reading("claims.count == 'x' || claims.count == 3", 'ValidateProfile', SIGN_UP)).toEqual([]);
  });

  it('run with samples of their type, so that a guard suffices', () => {
    const guarded = (when: string, ...steps: string[]) => problemsOf([{ steps, when, block: 'm' }]);
    expect(guarded('has(claims.count) && claims.count > 3.0', 'ValidateProfile')).toEqual([]);
    expect(guarded('has(claims.isMember) && claims.isMember', 'GetProfile')).toEqual([]);
    expect(guarded("has(claims.loyaltyId) && claims.loyaltyId.startsWith('x')", 'ValidateProfile')).toEqual([]);
    expect(guarded('has(claims.count) && claims.count > 3.0', 'ValidateProfile', SIGN_UP)).toHaveLength(1);
    expect(guarded('claims.count > 3.0', 'ValidateProfile').join()).toContain('when claims.count is absent');
    const postal = { Ask: { kind: 'validation', inputs: { postalCode: { from: 'zip', type: 'number' } } } };
    const rule = { ...at('Ask'), when: 'has(claims.postalCode) && claims.postalCode > 3.0', block: 'm' };
    expect(problemsOf([rule], { exchanges: postal })).toEqual([]);
  });

  it('are read under every name that the document may give them', () => {
    const exchanges = { Ask: { kind: 'validation', inputs: { locale: 'lang', lastName: 'ln', clientId: 'app' } } };
    const when = "claims.locale == 'de' || claims.ui_locales == 'de' || claims.lastName == claims.surname";
    expect(problemsOf([{ ...at('Ask'), when, onError: 'skip', block: 'm' }], { exchanges })).toEqual([]);
    const check = checkOf([{ ...at('Ask'), when: 'has(claims.locale)', block: 'm' }], { exchanges });
    expect(check.ok && check.policy.rules[0]?.when?.tree).toEqual(['has', 'claims', 'ui_locales']);
  });
});

describe('texts that rules compare', () => {
  const comparing = (when: string) => problemsOf([{ ...at('ValidateProfile'), when, block: 'm' }]);

  it('with request.step name a step or an exchange, and with request.channel a channel', () => {
    expect(comparing("request.step == 'ValidateProfile' || request.step == 'PreTokenIssuance'")).toEqual([]);
    expect(comparing("request.step == 'validateprofile'").join()).toContain('Write ValidateProfile');
    expect(comparing("request.step in ['Nonsense']").join()).toContain('can never equal request.step');
    expect(comparing("request.channel == 'custom-policy' || request.channel == 'user-flow'")).toEqual([]);
    expect(comparing("request.channel == 'Custom-Policy'").join()).toContain('Write custom-policy');
    expect(comparing("request.channel == 'b2c'").join()).toContain('Write user-flow or custom-policy');
  });
});

describe('messages of exchanges', () => {
  const saying = (text: string, ...steps: string[]) =>
    problemsOf([{ steps, when: 'true', block: 'm' }], { messages: { m: { en: text } } });

  it('may show inputs of an exchange whose rules use them, and no claim that is always empty', () => {
    expect(saying('{loyaltyId} {email} {supportCode} {ui_locales}', 'ValidateProfile')).toEqual([]);
    expect(saying('{loyaltiId} {supportCode}', 'ValidateProfile')).toEqual([
      'messages.m.en: {loyaltiId} is always empty. No exchange of the rule has the input loyaltiId. Did you mean claims.loyaltyId?',
    ]);
    expect(saying('{isMember} {supportCode}', 'ValidateProfile')).toHaveLength(1);
    expect(saying('{isMember} {supportCode}', 'ValidateProfile', 'GetProfile')).toEqual([]);
    expect(saying('{extension_X} {supportCode}', 'ValidateProfile', SIGN_UP)).toEqual([]);
    expect(saying('{locale} {supportCode}', 'ValidateProfile')[0]).toContain('Write {ui_locales}');
  });

  it('that replace a built-in text may show every claim', () => {
    const messages = { m: MESSAGES.m, 'exchange-unavailable': { en: '{extension_X} {supportCode}' } };
    expect(warningsOf([], { messages, exchanges: {} })).toEqual([
      expect.stringContaining('messages.m: No rule uses it'),
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
