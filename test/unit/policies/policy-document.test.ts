/** What may be saved as a policy, and that everything wrong is said at once, in sentences. */
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
const problemsOf = (document: unknown) => {
  const checked = check(document);
  return checked.ok ? [] : checked.problems;
};
const warningsOf = (document: unknown) => {
  const checked = check(document);
  return checked.ok ? checked.policy.warnings.map(({ path, message }) => `${path}: ${message}`) : ['refused'];
};
/** The problems of one rule beside a message that every test may use. */
const ruleProblems = (rule: object, more: object = {}) =>
  problemsOf({
    messages: { m: { en: 'No. {supportCode}' } },
    rules: [{ id: 'r', steps: [SIGN_UP], ...rule }],
    ...more,
  });
const saysOf = (rule: object, more: object = {}) =>
  ruleProblems(rule, more).map(({ path, message }) => `${path}: ${message}`);

describe('a document', () => {
  it('as small as can be is a policy that leaves everything as it is', () => {
    expect(check({ rules: [] })).toMatchObject({ ok: true });
  });

  it.each([
    ['broken JSON', '{"rules": [', '', /^Not JSON: /],
    ['no text at all', '', '', /^Not JSON: /],
    ['a list', '[]', '', /has the members/],
    ['null', 'null', '', /has the members/],
    ['no rules', '{}', 'rules', /Not a list of rules/],
    ['unknown members', '{"rules":[],"rulez":[]}', '', /^Unknown: rulez\. The members of a policy are /],
    ['a member called __proto__', '{"rules":[],"__proto__":{}}', '', /__proto__/],
    ['the same, written otherwise', '{"rules":[],"lists":{"\\u005f_proto__":[]}}', '', /__proto__/],
    ['a list that holds a number', '{"rules":[],"lists":{"a":["x",7]}}', 'lists.a[1]', /every entry of a list is one/],
    [
      'a list that no expression could name',
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
      'onlyThese that is no truth value',
      '{"rules":[],"applications":{"onlyThese":"yes"}}',
      'applications.onlyThese',
      /true or false/,
    ],
    [
      'onlyThese without any application',
      '{"rules":[],"applications":{"onlyThese":true}}',
      'applications.onlyThese',
      /nobody could sign up/,
    ],
    ['an application twice', '{"rules":[],"applications":{"ab":"x","AB":"y"}}', 'applications', /twice/],
    [
      'a language that is none',
      '{"rules":[],"messages":{"m":{"en":"x","not a tag":"y"}}}',
      'messages.m.not a tag',
      /BCP 47/,
    ],
    ['a message without the default language', '{"rules":[],"messages":{"m":{"de":"x"}}}', 'messages.m', /add "en"/],
    [
      'the same with another default',
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
      'a placeholder that is none',
      '{"rules":[],"messages":{"m":{"en":"a {support code} {"}}}',
      'messages.m.en',
      /placeholder/,
    ],
    [
      'an alias in braces',
      '{"rules":[],"messages":{"m":{"en":"Dear {lastName}"}}}',
      'messages.m.en',
      /claims\.surname/,
    ],
    [
      'a claim in other letters',
      '{"rules":[],"messages":{"m":{"en":"{givenname}"}}}',
      'messages.m.en',
      /claims\.givenName/,
    ],
    [
      'the code in other letters',
      '{"rules":[],"messages":{"m":{"en":"{supportcode}"}}}',
      'messages.m.en',
      /\{supportCode\}/,
    ],
    ['a message that is a text', '{"rules":[],"messages":{"m":"x"}}', 'messages.m', /object of languages/],
  ])('with %s is refused', (_, text, path, message) => {
    const problems = problemsOf(text);
    expect(problems.map((problem) => problem.path)).toContain(path);
    expect(problems.find((problem) => problem.path === path)?.message).toMatch(message);
  });

  it('of more than 8 MB is refused in words that name both limits; one below is read', () => {
    const of = (bytes: number) => `{"rules":[],"description":"${'x'.repeat(10)}"${' '.repeat(bytes)}}`;
    expect(problemsOf(of(9_000_000))[0]?.message).toMatch(/9\.\d MB.*8 MB.*25 MiB/);
    expect(problemsOf(of(MAX_DOCUMENT_BYTES - 1_000))).toEqual([]);
  });

  it('counts bytes and not characters', () => {
    const lists = { a: Array.from({ length: 60_000 }, (_, index) => `${index}${'é'.repeat(70)}`) };
    expect(problemsOf({ lists, rules: [] })[0]?.message).toMatch(/MB/);
  });

  it('may hold 100,000 entries in a list and 200,000 in all, and no more', () => {
    const list = (length: number) => Array.from({ length }, (_, index) => `${index}`);
    const full = { a: list(MAX_LIST_ENTRIES), b: list(MAX_ENTRIES_IN_ALL - MAX_LIST_ENTRIES) };
    expect(problemsOf({ lists: full, rules: [] })).toEqual([]);
    expect(problemsOf({ lists: { ...full, c: ['one more'] }, rules: [] })[0]?.path).toBe('lists');
    expect(problemsOf({ lists: { a: list(MAX_LIST_ENTRIES + 1) }, rules: [] })[0]?.path).toBe('lists.a');
  });

  it('may hold 500 rules and no more', () => {
    const rules = (length: number) =>
      Array.from({ length }, (_, index) => ({ id: `r${index}`, steps: [TOKEN], set: { city: "'x'" } }));
    expect(problemsOf({ rules: rules(MAX_RULES) })).toEqual([]);
    expect(problemsOf({ rules: rules(MAX_RULES + 1) })[0]?.path).toBe('rules');
  });

  it('is told all that is wrong with it at once, each with its rule and place', () => {
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

  it('with mistakes without end is told the first hundred', () => {
    expect(problemsOf({ lists: { a: Array(5_000).fill(7) }, rules: [] })).toHaveLength(100);
  });
});

describe('a rule', () => {
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
    [{ when: 'true', set: { city: "'x'" }, onError: 'apply' }, 'rules[0].onError', /Leave onError out/],
    [{ set: {} }, 'rules[0].set', /at least one claim/],
    [{ blocks: 'm' }, 'rules[0]', /Unknown: blocks/],
    [{ when: true, block: 'm' }, 'rules[0].when', /in quotes/],
    [{ when: 'x'.repeat(4_001), block: 'm' }, 'rules[0].when', /4000/],
  ])('%j is refused', (rule, path, message) => {
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
  ])('must not set %s, which is the protocol’s', (claim) =>
    expect(saysOf({ set: { [claim]: "'x'" } }).join()).toContain('belongs to the protocol'),
  );

  it('must not set email at the token step, and may elsewhere', () => {
    expect(saysOf({ steps: [TOKEN], set: { email: "'x'" } }).join()).toContain(
      'B2C takes no email at PreTokenIssuance',
    );
    expect(saysOf({ steps: [SIGN_UP, FEDERATED], set: { email: "'x'" } })).toEqual([]);
  });

  it('sets claims by the names that B2C has, in their short form', () => {
    const long = 'extension_0123456789abcdef0123456789ABCDEF_Tier';
    expect(saysOf({ set: { [long]: "'x'" } }).join()).toContain('Write extension_Tier');
    expect(saysOf({ set: { lastName: "'x'" } }).join()).toContain('surname');
    expect(saysOf({ set: { GivenName: "'x'" } }).join()).toContain('claims.givenName');
    expect(saysOf({ set: { extension_tier: "'x'", constructor: "'x'" } })).toEqual([]);
    expect(saysOf({ set: { Extension_Tier: "'x'" } }).join()).toContain('small letters');
    expect(saysOf({ set: { __proto__x: "'x'", 'given name': "'x'" } })).toHaveLength(2);
  });

  it('that turns people away says what happens when its condition fails, unless it cannot', () => {
    const said = saysOf({ when: 'domain(claims.email) in lists.d', block: 'm' }, { lists: { d: [] } });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^rules\[0\]\.when: This condition fails when claims.email is absent/);
    for (const onError of ['skip', 'apply'])
      expect(saysOf({ when: 'domain(claims.email) in lists.d', block: 'm', onError }, { lists: { d: [] } })).toEqual(
        [],
      );
    const guarded = 'has(claims.email) && domain(claims.email) in lists.d';
    expect(saysOf({ when: guarded, block: 'm' }, { lists: { d: [] } })).toEqual([]);
    expect(saysOf({ when: 'claims.city == claims.state', set: { city: 'claims.state' } })).toEqual([]);
  });
});

describe('what is allowed and probably not meant', () => {
  it('is a warning: no roles in tokens, a message without a code or without a rule, a rule for everybody', () => {
    const roles = { id: 'roles', steps: [TOKEN], set: { extension_Roles: 'person.roles' } };
    expect(warningsOf({ rules: [] }).join()).toContain('No rule sets extension_Roles');
    expect(warningsOf({ rules: [roles] })).toEqual([]);
    const messages = { m: { en: 'No', de: 'Nein {supportCode}' } };
    expect(warningsOf({ messages, rules: [roles, { id: 'b', steps: [SIGN_UP], block: 'm' }] })).toEqual([
      expect.stringMatching(/^messages\.m: Without \{supportCode\} in en/),
      expect.stringMatching(/^rules\[1\]\.block: Without a condition it applies to everybody/),
    ]);
    expect(warningsOf({ messages: { m: { en: '{supportCode}' } }, rules: [roles] })).toEqual([
      expect.stringMatching(/^messages\.m: No rule uses it/),
    ]);
    const twice = { id: 'twice', steps: [SIGN_UP], set: { extension_A: "'x'", extension_roles: "''" } };
    const again = { id: 'again', steps: [SIGN_UP], set: { extension_a: "'x'" } };
    expect(warningsOf({ rules: [roles, twice, again] })).toEqual([
      expect.stringMatching(/extension_A and extension_a differ only in capitals/),
    ]);
    expect(warningsOf({ messages: { blocked: { en: '{supportCode}' } }, rules: [roles] })).toEqual([]);
  });
});
