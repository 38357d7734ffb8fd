/** Valid and invalid policy documents. All problems come at once, as sentences. */
import { describe, expect, it } from 'vitest';
import { checkText } from '../../../src/desk/policies/check.ts';
import {
  MAX_DOCUMENT_BYTES,
  MAX_ENTRIES_IN_ALL,
  MAX_LIST_ENTRIES,
  MAX_RULES,
} from '../../../src/desk/policies/policy-document.ts';

const SIGN_UP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';
const FEDERATED = 'PostFederationSignup';

const check = (document: unknown) =>
  checkText(typeof document === 'string' ? document : JSON.stringify(document), 'extension_Roles');
/** A document with one rule, whose advice is this JSON. */
const advised = (advice: string) =>
  `{"rules":[{"id":"r","steps":["${SIGN_UP}"],"when":"has(claims.email)","block":true,"advice":${advice}}]}`;
const problemsOf = (document: unknown) => {
  const checked = check(document);
  return checked.ok ? [] : checked.problems;
};
const warningsOf = (document: unknown) => {
  const checked = check(document);
  return checked.ok ? checked.policy.warnings.map(({ path, message }) => `${path}: ${message}`) : ['refused'];
};
/** The problems of a policy with one rule and a message `m`. */
const ruleProblems = (rule: object, more: object = {}) =>
  problemsOf({
    messages: { m: { en: 'No. {supportCode}' } },
    rules: [{ id: 'r', steps: [SIGN_UP], ...rule }],
    ...more,
  });
const messagesOf = (rule: object, more: object = {}) =>
  ruleProblems(rule, more).map(({ path, message }) => `${path}: ${message}`);

describe('check: documents', () => {
  it('an empty list of rules is a valid policy', () => {
    expect(check({ rules: [] })).toMatchObject({ ok: true });
  });

  it.each([
    ['broken JSON', '{"rules": [', '', /^Not JSON: /],
    ['an empty text', '', '', /^Not JSON: /],
    ['a list', '[]', '', /The members of a policy are/],
    ['null', 'null', '', /The members of a policy are/],
    ['no rules', '{}', 'rules', /Not a list of rules/],
    ['unknown members', '{"rules":[],"rulez":[]}', '', /^Unknown: rulez\. The members of a policy are /],
    ['a member called __proto__', '{"rules":[],"__proto__":{}}', '', /__proto__/],
    ['an escaped __proto__', '{"rules":[],"lists":{"\\u005f_proto__":[]}}', '', /__proto__/],
    ['a list that holds a number', '{"rules":[],"lists":{"a":["x",7]}}', 'lists.a[1]', /entry of a list as a text/],
    [
      'a list name with a hyphen',
      '{"rules":[],"lists":{"blocked-domains":[]}}',
      'lists.blocked-domains',
      /expression could use/,
    ],
    [
      'whenUnavailable at the token step',
      `{"rules":[],"whenUnavailable":{"${TOKEN}":"block"}}`,
      'whenUnavailable',
      /Unknown: PreTokenIssuance/,
    ],
    [
      'whenUnavailable with another word',
      `{"rules":[],"whenUnavailable":{"${SIGN_UP}":"allow"}}`,
      `whenUnavailable.${SIGN_UP}`,
      /block or continue/,
    ],
    ['an application without a name', '{"rules":[],"applications":{"a":""}}', 'applications.a', /Empty/],
    [
      'onlyThese as a text',
      '{"rules":[],"applications":{"onlyThese":"yes"}}',
      'applications.onlyThese',
      /true or false/,
    ],
    [
      'onlyThese without any application',
      '{"rules":[],"applications":{"onlyThese":true}}',
      'applications.onlyThese',
      /names no application/,
    ],
    ['an application twice', '{"rules":[],"applications":{"ab":"x","AB":"y"}}', 'applications', /twice/],
    [
      'an invalid language tag',
      '{"rules":[],"messages":{"m":{"en":"x","not a tag":"y"}}}',
      'messages.m.not a tag',
      /BCP 47/,
    ],
    ['a message without the default language', '{"rules":[],"messages":{"m":{"de":"x"}}}', 'messages.m', /add "en"/],
    [
      'a message without the default language de-AT',
      '{"rules":[],"defaultLanguage":"de-AT","messages":{"m":{"de":"x"}}}',
      'messages.m',
      /add "de-AT"/,
    ],
    ['a message in one language twice', '{"rules":[],"messages":{"m":{"en":"x","EN":"y"}}}', 'messages.m.EN', /twice/],
    ['an empty message', '{"rules":[],"messages":{"m":{"en":"  "}}}', 'messages.m.en', /Empty/],
    [
      'a message with control characters',
      '{"rules":[],"messages":{"m":{"en":"a\\u0007b"}}}',
      'messages.m.en',
      /control characters/,
    ],
    [
      'an invalid placeholder',
      '{"rules":[],"messages":{"m":{"en":"a {support code} {"}}}',
      'messages.m.en',
      /placeholder/,
    ],
    [
      'an alias as a placeholder',
      '{"rules":[],"messages":{"m":{"en":"Dear {lastName}"}}}',
      'messages.m.en',
      /claims\.surname/,
    ],
    [
      'a claim in the wrong case',
      '{"rules":[],"messages":{"m":{"en":"{givenname}"}}}',
      'messages.m.en',
      /claims\.givenName/,
    ],
    [
      'supportCode in the wrong case',
      '{"rules":[],"messages":{"m":{"en":"{supportcode}"}}}',
      'messages.m.en',
      /\{supportCode\}/,
    ],
    [
      'advice with a claim in braces',
      advised('{"en":"Write to {email} now"}'),
      'rules[0].advice.en',
      /shows \{email\} as it is written: claims .* are not filled in/,
    ],
    [
      'advice with half a placeholder',
      advised('{"en":"Write to email} now"}'),
      'rules[0].advice.en',
      /Delete the brace/,
    ],
    ['advice without the default language', advised('{"de":"x"}'), 'rules[0].advice', /add "en"/],
    ['advice in no language', advised('{"en":"x","not a tag":"y"}'), 'rules[0].advice.not a tag', /BCP 47/],
    ['advice in one language twice', advised('{"en":"x","EN":"y"}'), 'rules[0].advice.EN', /twice/],
    ['blank advice', advised('{"en":" "}'), 'rules[0].advice.en', /Empty/],
    ['advice that is a text', advised('"x"'), 'rules[0].advice', /object of languages/],
    ['a message that is a text', '{"rules":[],"messages":{"m":"x"}}', 'messages.m', /object of languages/],
  ])('a document with %s is refused', (_, text, path, message) => {
    const problems = problemsOf(text);
    expect(problems.map((problem) => problem.path)).toContain(path);
    expect(problems.find((problem) => problem.path === path)?.message).toMatch(message);
  });

  it('a document of more than 8 MB is refused with the limits of Gatehouse and KV, and a smaller one is accepted', () => {
    const of = (bytes: number) => `{"rules":[],"description":"${'x'.repeat(10)}"${' '.repeat(bytes)}}`;
    expect(problemsOf(of(9_000_000))[0]?.message).toMatch(/9\.\d MB.*8 MB.*25 MiB/);
    expect(problemsOf(of(MAX_DOCUMENT_BYTES - 1_000))).toEqual([]);
  });

  it('the size limit counts bytes, not characters', () => {
    const lists = { a: Array.from({ length: 60_000 }, (_, index) => `${index}${'é'.repeat(70)}`) };
    expect(problemsOf({ lists, rules: [] })[0]?.message).toMatch(/MB/);
  });

  it('a list has at most 100,000 entries, and all lists together 200,000', () => {
    const list = (length: number) => Array.from({ length }, (_, index) => `${index}`);
    const full = { a: list(MAX_LIST_ENTRIES), b: list(MAX_ENTRIES_IN_ALL - MAX_LIST_ENTRIES) };
    expect(problemsOf({ lists: full, rules: [] })).toEqual([]);
    expect(problemsOf({ lists: { ...full, c: ['one more'] }, rules: [] })[0]?.path).toBe('lists');
    expect(problemsOf({ lists: { a: list(MAX_LIST_ENTRIES + 1) }, rules: [] })[0]?.path).toBe('lists.a');
  });

  it('a policy has at most 500 rules', () => {
    const rules = (length: number) =>
      Array.from({ length }, (_, index) => ({ id: `r${index}`, steps: [TOKEN], set: { city: "'x'" } }));
    expect(problemsOf({ rules: rules(MAX_RULES) })).toEqual([]);
    expect(problemsOf({ rules: rules(MAX_RULES + 1) })[0]?.path).toBe('rules');
  });

  it('all problems come at once, each with its rule and path', () => {
    const problems = problemsOf({
      messages: { m: { de: 'x' } },
      rules: [
        { id: 'a', steps: [TOKEN], block: 'm' },
        { id: 'a', steps: [FEDERATED], invalid: 'absent' },
        {
          id: 'c',
          steps: [SIGN_UP],
          when: 'domian(claims.email) == nothing',
          set: { objectId: "'x'", city: 'claims.(' },
        },
      ],
    });
    const found = problems.map(({ rule, path }) => `${rule} ${path}`);
    expect(found).toEqual(
      expect.arrayContaining([
        ' messages.m',
        'a rules[0].steps',
        'a rules[1].id',
        'a rules[1].steps',
        'a rules[1].invalid',
        'c rules[2].when',
        'c rules[2].set.objectId',
        'c rules[2].set.city',
      ]),
    );
    for (const { message } of problems) expect(message).toMatch(/^[A-Z"].*[.!?]$/s);
  });

  it('all problems are returned, so that who shows the first can say how many there are', () => {
    expect(problemsOf({ lists: { a: Array(5_000).fill(7) }, rules: [] })).toHaveLength(5_000);
  });
});

describe('check: rules', () => {
  it.each([
    [{ block: 'm', set: { city: "'x'" } }, 'rules[0]', /exactly one/],
    [{}, 'rules[0]', /exactly one/],
    [{ steps: [], block: 'm' }, 'rules[0].steps', /at least one step/],
    [{ steps: ['Sometimes'], block: 'm' }, 'rules[0].steps[0]', /PreTokenIssuance/],
    [{ steps: [SIGN_UP, SIGN_UP], block: 'm' }, 'rules[0].steps', /twice/],
    [{ steps: [SIGN_UP, TOKEN], block: 'm' }, 'rules[0].steps', /B2C ignores "block" at PreTokenIssuance/],
    [{ steps: [TOKEN], invalid: 'm' }, 'rules[0].steps', /B2C ignores "invalid"/],
    [{ steps: [FEDERATED], invalid: 'm' }, 'rules[0].steps', /PostFederationSignup/],
    [{ block: 'absent' }, 'rules[0].block', /no message called absent/],
    [{ block: false }, 'rules[0].block', /true/],
    [{ id: 'not a name', block: 'm' }, 'rules[0].id', /letters/],
    [{ id: 'onlyThese', block: 'm' }, 'rules[0].id', /Rename/],
    [{ block: 'm', onError: 'skip' }, 'rules[0].onError', /no condition/],
    [{ when: 'true', block: 'm', onError: 'maybe' }, 'rules[0].onError', /skip or apply/],
    [{ when: 'true', set: { city: "'x'" }, onError: 'apply' }, 'rules[0].onError', /Remove onError/],
    [{ set: {} }, 'rules[0].set', /at least one claim/],
    [{ blocks: 'm' }, 'rules[0]', /Unknown: blocks/],
    [{ when: true, block: 'm' }, 'rules[0].when', /in quotes/],
    [{ when: 'x'.repeat(4_001), block: 'm' }, 'rules[0].when', /4000/],
  ])('the rule %j is refused', (rule, path, message) => {
    const problems = ruleProblems(rule);
    expect(problems.map((problem) => problem.path)).toContain(path);
    expect(
      problems
        .filter((problem) => problem.path === path)
        .map((problem) => problem.message)
        .join(),
    ).toMatch(message);
  });

  it.each([
    'version',
    'status',
    'action',
    'userMessage',
    'code',
    'step',
    'client_id',
    'clientId',
    'ui_locales',
    'identities',
    'objectId',
    'USERMESSAGE',
  ])('a rule cannot set the protocol member %s', (claim) =>
    expect(messagesOf({ set: { [claim]: "'x'" } }).join()).toContain('belongs to the protocol'),
  );

  it('a rule can set email at every step but PreTokenIssuance', () => {
    expect(messagesOf({ steps: [TOKEN], set: { email: "'x'" } }).join()).toContain(
      'B2C does not accept email at PreTokenIssuance',
    );
    expect(messagesOf({ steps: [SIGN_UP, FEDERATED], set: { email: "'x'" } })).toEqual([]);
  });

  it('a rule sets claims by their B2C names, in the short form', () => {
    const long = 'extension_0123456789abcdef0123456789ABCDEF_Tier';
    expect(messagesOf({ set: { [long]: "'x'" } }).join()).toContain('Write extension_Tier');
    expect(messagesOf({ set: { lastName: "'x'" } }).join()).toContain('surname');
    expect(messagesOf({ set: { GivenName: "'x'" } }).join()).toContain('claims.givenName');
    expect(messagesOf({ set: { extension_tier: "'x'", constructor: "'x'" } })).toEqual([]);
    expect(messagesOf({ set: { Extension_Tier: "'x'" } }).join()).toContain('Write extension_.');
    expect(messagesOf({ set: { __proto__x: "'x'", 'given name': "'x'" } })).toHaveLength(2);
  });

  it('a rule that turns people away needs onError, unless its condition cannot fail', () => {
    const found = messagesOf({ when: 'domain(claims.email) in lists.d', block: 'm' }, { lists: { d: [] } });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^rules\[0\]\.when: This condition fails when claims.email is absent/);
    for (const onError of ['skip', 'apply'])
      expect(
        messagesOf({ when: 'domain(claims.email) in lists.d', block: 'm', onError }, { lists: { d: [] } }),
      ).toEqual([]);
    const guarded = 'has(claims.email) && domain(claims.email) in lists.d';
    expect(messagesOf({ when: guarded, block: 'm' }, { lists: { d: [] } })).toEqual([]);
    expect(messagesOf({ when: 'claims.city == claims.state', set: { city: 'claims.state' } })).toEqual([]);
  });
});

describe('check: warnings', () => {
  it('warns of empty roles, of messages without a code or a rule, of rules for everybody, and of two spellings', () => {
    const roles = { id: 'roles', steps: [TOKEN], set: { extension_Roles: 'person.roles' } };
    expect(warningsOf({ rules: [] }).join()).toContain('No rule sets extension_Roles');
    expect(warningsOf({ rules: [roles] })).toEqual([]);
    const messages = { m: { en: 'No', de: 'Nein {supportCode}' } };
    expect(warningsOf({ messages, rules: [roles, { id: 'b', steps: [SIGN_UP], block: 'm' }] })).toEqual([
      expect.stringMatching(/^messages\.m: Without \{supportCode\} in en/),
      expect.stringMatching(/^rules\[1\]\.block: It applies to everybody/),
    ]);
    expect(warningsOf({ messages: { m: { en: '{supportCode}' } }, rules: [roles] })).toEqual([
      expect.stringMatching(/^messages\.m: No rule uses it/),
    ]);
    const twice = { id: 'twice', steps: [SIGN_UP], set: { extension_A: "'x'", extension_roles: "''" } };
    const again = { id: 'again', steps: [SIGN_UP], set: { extension_a: "'x'" } };
    expect(warningsOf({ rules: [roles, twice, again] })).toEqual([
      expect.stringMatching(/extension_A and extension_a differ only in case/),
    ]);
    expect(warningsOf({ messages: { blocked: { en: '{supportCode}' } }, rules: [roles] })).toEqual([]);
  });
});

describe('check: texts that Postgres cannot read', () => {
  const whole = JSON.stringify({
    $schema: 'schema.json',
    description: 'about',
    defaultLanguage: 'en',
    lists: { a: ['entry'] },
    messages: { m: { en: 'No. {supportCode}' } },
    applications: { 'c0ffee00-0000-4000-8000-000000000001': 'Shop' },
    exchanges: {
      Ask: {
        kind: 'validation',
        description: 'asks',
        issuer: 'contoso',
        inputs: { code: ['code', 'user.code'], plan: { from: 'plan', type: 'string' } },
        outputs: { groups: { type: 'list', join: ',' } },
      },
    },
    rules: [
      {
        id: 'r',
        description: 'why',
        steps: ['Ask'],
        when: "request.locale == 'x'",
        invalid: 'm',
        developerMessage: 'for developers',
        advice: { en: 'Say so.' },
      },
      { id: 's', steps: [TOKEN], set: { extension_Roles: "'text'" } },
    ],
  });
  /** Behind each quote that begins a text or a name. */
  const places = [...whole.matchAll(/"(?=[^"]*"(?:[^"]*"[^"]*")*[^"]*$)/g)].map(({ index }) => index + 1);

  it.each(['\\u0000', '\\ud800', '\\udc00x'])('a document with %s in any text or name is refused', (sign) => {
    expect(check(whole)).toMatchObject({ ok: true });
    for (const at of places) {
      const checked = check(`${whole.slice(0, at)}${sign}${whole.slice(at)}`);
      expect([whole.slice(at, at + 20), checked.ok]).toEqual([whole.slice(at, at + 20), false]);
    }
  });
});
