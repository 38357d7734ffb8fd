/** The JSON Schemas of a policy and its test cases, for completion and checks in editors. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { casesSchema } from '../../src/cli/policy/cases.ts';
import { casesJsonSchema, policyJsonSchema } from '../../src/cli/policy/json-schema.ts';
import { checkPolicy } from '../../src/desk/policies/check.ts';
import { policySchema } from '../../src/desk/policies/policy-document.ts';
import { run } from '../support/command.ts';

const EXAMPLE = join(import.meta.dirname, '../fixtures/policy');
const example = (name: string) => JSON.parse(readFileSync(join(EXAMPLE, name), 'utf8'));

// `format` is for editors; the pattern beside it checks the same.
const ajv = new Ajv2020({ validateFormats: false, allErrors: true, strictRequired: false, strictTypes: false });
const isPolicy = ajv.compile(policyJsonSchema());
const areCases = ajv.compile(casesJsonSchema());

const set = { id: 'a', steps: ['PreTokenIssuance'], set: { extension_X: "'1'" } };
const block = { id: 'a', steps: ['PostFederationSignup', 'PostAttributeCollection'], when: 'true', block: true };
const invalid = { id: 'a', steps: ['PostAttributeCollection'], when: 'true', invalid: 'wrong' };
const messages = { wrong: { en: 'Wrong', 'de-AT': 'Falsch' } };
const withRule = (rule: object) => ({ rules: [rule], messages });

/** A document with one exchange and a rule for it. */
const withExchange = (exchange: object, rule: object = { when: 'true', block: 'wrong' }) => ({
  rules: [{ id: 'a', steps: ['Ask'], ...rule }],
  messages,
  exchanges: { Ask: { kind: 'validation', ...exchange } },
});

const VALID: Record<string, unknown> = {
  'a policy with exchanges': withExchange(
    {
      description: 'Ours',
      issuer: 'contoso',
      whenUnavailable: 'continue',
      inputs: { a: 'x', b: ['y', 'z.0.w'], c: { from: 'c', type: 'number' }, email: [] },
      identifies: { objectId: { form: 'any' } },
      outputs: { 'a-b': 'string', 'c.d': { type: 'list', join: ',' }, status: 'list' },
      emptyReply: false,
    },
    { when: 'true', invalid: 'wrong', developerMessage: 'x' },
  ),
  'a rule at a built-in exchange': withRule({ ...block, steps: ['SignInStarted', 'PostFederationSignup'] }),
  'an exchange with an empty reply': withExchange({ emptyReply: true, outputs: {} }),
  'a policy without rules': { rules: [] },
  'a policy with every member': {
    $schema: './x.json',
    description: 'Ours\nand yours 😀',
    defaultLanguage: 'en',
    lists: { a_1: ['', 'x', '😀'] },
    messages,
    applications: { onlyThese: true, '231c70e8-8424-48ac-9b5d-5623b9e4ccf3': 'Shop' },
    whenUnavailable: { PostFederationSignup: 'block', PostAttributeCollection: 'continue' },
    rules: [set, { ...block, id: 'b', onError: 'skip' }, { ...invalid, id: 'c' }],
  },
  'advice of a refusing rule': withRule({ ...invalid, advice: { en: 'Ask for the card.', 'de-AT': 'x' } }),
  'a rule that sets': withRule(set),
  'a rule that blocks': withRule(block),
  'a rule that refuses a value': withRule(invalid),
  'an e-mail address set before the user is created': withRule({
    ...set,
    steps: ['PostAttributeCollection'],
    set: { email: "'a@b.c'" },
  }),
};

const INVALID: Record<string, unknown> = {
  'a list instead of an object': [],
  'a missing member rules': {},
  'an unknown member': { rules: [], rule: [] },
  'an unknown member of a rule': withRule({ ...set, whne: 'true' }),
  'a rule without a name': withRule({ ...set, id: undefined }),
  'a name with a space': withRule({ ...set, id: 'a b' }),
  'a reserved name': withRule({ ...set, id: 'onlyThese' }),
  'an empty list of steps': withRule({ ...set, steps: [] }),
  'a step that no exchange can be': withRule({ ...set, steps: ['Pre Token'] }),
  'a step twice': withRule({ ...set, steps: ['PreTokenIssuance', 'PreTokenIssuance'] }),
  'a condition that is not a text': withRule({ ...block, when: true }),
  'a condition that is too long': withRule({ ...block, when: `true${' '.repeat(4_000)}` }),
  'onError without a condition': withRule({ ...block, when: undefined, onError: 'skip' }),
  'onError beside set': withRule({ ...set, when: 'true', onError: 'skip' }),
  'an unknown value of onError': withRule({ ...block, onError: 'ignore' }),
  'a rule without an effect': withRule({ ...set, set: undefined }),
  'a rule with two effects': withRule({ ...block, invalid: true }),
  'a block that is false': withRule({ ...block, block: false }),
  'a block at the token step': withRule({ ...block, steps: ['PreTokenIssuance'] }),
  'an invalid effect at the federation step': withRule({ ...invalid, steps: ['PostFederationSignup'] }),
  'an invalid effect at the token step': withRule({ ...invalid, steps: ['PreTokenIssuance'] }),
  'an empty set': withRule({ ...set, set: {} }),
  'a claim with a space': withRule({ ...set, set: { 'a b': '1' } }),
  'an e-mail address set at the token step': withRule({ ...set, set: { Email: "'a@b.c'" } }),
  'advice without languages': withRule({ ...block, advice: 'x' }),
  'advice without a text': withRule({ ...block, advice: {} }),
  'advice with a claim in braces': withRule({ ...block, advice: { en: 'Ask {email}' } }),
  'advice of a rule that sets': withRule({ ...set, advice: { en: 'x' } }),
  'a list that is a text': { rules: [], lists: { a: 'x' } },
  'a list with a number': { rules: [], lists: { a: [1] } },
  'a list name that is not an identifier': { rules: [], lists: { 'a-b': [] } },
  'a list with NUL': { rules: [], lists: { a: ['\0'] } },
  'a list entry that is too long': { rules: [], lists: { a: ['x'.repeat(501)] } },
  'a message without languages': { rules: [], messages: { a: 'x' } },
  'a message without text': { rules: [], messages: { a: {} } },
  'an empty message': { rules: [], messages: { a: { en: '' } } },
  'a message that is too long': { rules: [], messages: { a: { en: 'x'.repeat(1_001) } } },
  'an application without a name': { rules: [], applications: { x: '' } },
  'onlyThese that is a text': { rules: [], applications: { onlyThese: 'yes' } },
  'whenUnavailable at the token step': { rules: [], whenUnavailable: { PreTokenIssuance: 'block' } },
  ...Object.fromEntries(
    Object.entries({
      'no kind': { kind: undefined },
      'an unknown kind': { kind: 'page' },
      'an unknown member': { output: {} },
      'an empty issuer': { issuer: '' },
      'an empty reply with outputs': { emptyReply: true, outputs: { a: 'string' } },
      'a joined text': { outputs: { a: { type: 'string', join: ',' } } },
      'an unknown type of an output': { outputs: { a: 'date' } },
      'an output with a space': { outputs: { 'a b': 'string' } },
      'an input claim with a hyphen': { inputs: { 'a-b': 'x' } },
      'an input that is a list': { inputs: { a: { from: 'a', type: 'list' } } },
      'object ids of any form without an issuer': { identifies: { objectId: { form: 'any' } } },
      'an unknown identifying claim': { identifies: { phone: {} } },
    }).map(([what, wrong]) => [`an exchange with ${what}`, withExchange(wrong)]),
  ),
  'an exchange with a dot in its name': { rules: [], exchanges: { 'a.b': { kind: 'validation' } } },
  'a text for developers with claims': withExchange(
    { outputs: { a: 'string' } },
    { set: { a: '1' }, developerMessage: 'x' },
  ),
  'an unknown value of whenUnavailable': { rules: [], whenUnavailable: { PostFederationSignup: 'allow' } },
};

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('the JSON Schema of a policy', () => {
  it.each(Object.entries(VALID))('accepts %s, as the check does', (_, document) => {
    expect(isPolicy(asJson(document))).toBe(true);
    expect(checkPolicy(asJson(document), '')).toMatchObject({ ok: true });
  });

  it.each(Object.entries(INVALID))('refuses %s, as the check does', (_, document) => {
    expect(isPolicy(asJson(document))).toBe(false);
    expect(checkPolicy(asJson(document), '')).toMatchObject({ ok: false });
  });

  it('refuses every document of a wrong shape and accepts every valid policy, for random changes of the example', () => {
    const value = fc.oneof(
      fc.constantFrom(null, true, false, 0, '', 'PreTokenIssuance', 'PostFederationSignup', 'skip', 'en', [], {}),
      fc.constantFrom('set', 'block', 'invalid').map((effect) => ({ [effect]: true })),
      fc.array(fc.constantFrom('PreTokenIssuance', 'PostAttributeCollection', 'x'), { maxLength: 3 }),
      fc.string({ maxLength: 5 }),
    );
    const name = fc.constantFrom(...'block invalid set when onError id email en more onlyThese'.split(' '));
    const change = fc.record({ at: fc.nat(), name, value, kind: fc.constantFrom('replace', 'remove', 'add') });
    const verdicts = { refused: 0, saved: 0 };
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const document = changes.reduce(changed, example('policy.json'));
        const isAccepted = isPolicy(document);
        if (!policySchema.safeParse(document).success) expect(isAccepted).toBe(false);
        const saved = checkPolicy(document, '').ok;
        if (saved) expect(isAccepted).toBe(true);
        if (saved) verdicts.saved += 1;
        if (!isAccepted) verdicts.refused += 1;
      }),
      { numRuns: 500 },
    );
    expect(verdicts.refused).toBeGreaterThan(50);
    expect(verdicts.saved).toBeGreaterThan(10);
  });
});

interface Change {
  readonly at: number;
  readonly name: string;
  readonly value: unknown;
  readonly kind: string;
}

/** Replaces, removes or adds one part of the document. */
function changed(document: unknown, { at, name, value, kind }: Change): unknown {
  const copy = structuredClone(document);
  const places = placesIn(copy);
  const place = places[at % places.length];
  if (place === undefined) return value;
  const { parent, key } = place;
  if (kind === 'replace') Reflect.set(parent, key, value);
  else if (kind === 'add') Reflect.set(parent, Array.isArray(parent) ? parent.length : name, value);
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else Reflect.deleteProperty(parent, key);
  return copy;
}

/** Every member and item. */
function placesIn(part: unknown): { parent: object; key: string }[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, item]) => [{ parent: part, key }, ...placesIn(item)]);
}

describe('the JSON Schema of test cases', () => {
  const one = { name: 'a', call: {}, reply: {} };

  it('accepts and refuses the same files as npm run policy -- test', () => {
    const everything = {
      step: 'PreTokenIssuance',
      call: { step: 'PreTokenIssuance', x: null, identities: [] },
      entitlements: {
        roles: ['a'],
        groups: [],
        attributes: { a: 1, b: true, c: 'x' },
        applications: { x: { roles: [] } },
      },
      status: 200,
      now: '2026-11-21T08:00:00+01:00',
      settings: { ROLES_CLAIM: '', EXTENSIONS_APP_ID: '' },
      rule: '',
    };
    const unavailable = { ...one, name: 'b', entitlementsUnavailable: true };
    const valid = [
      { cases: [one] },
      { $schema: './x.json', description: 'x', cases: [{ ...one, ...everything }, unavailable] },
    ];
    const invalid = [
      [],
      {},
      { cases: [] },
      { cases: [one], case: [] },
      ...[
        { name: undefined },
        { name: '' },
        { call: [] },
        { reply: undefined },
        { reply: 'Continue' },
        { replies: {} },
        { step: 'Pre Token' },
        { status: 500 },
        { now: '2026-11-21' },
        { now: '2026-02-30T08:00:00Z' },
        { entitlements: { role: [] } },
        { entitlements: { roles: ['a b'] } },
        { entitlements: { attributes: { a: null } } },
        { entitlementsUnavailable: false },
        { entitlements: {}, entitlementsUnavailable: true },
        { settings: { POLICY: 'stored' } },
      ].map((wrong) => asJson({ cases: [{ ...one, ...wrong }] })),
    ];
    for (const cases of valid) expect([areCases(cases), casesSchema.safeParse(cases).success]).toEqual([true, true]);
    for (const cases of invalid) {
      expect([cases, areCases(cases), casesSchema.safeParse(cases).success]).toEqual([cases, false, false]);
    }
  });
});

describe('npm run policy -- schema', () => {
  it('prints the schemas in test/fixtures/policy, and the example conforms to them', async () => {
    const policy = await run('policy', ['schema']);
    const cases = await run('policy', ['schema', '--cases']);
    // To update: npm run policy -- schema --out test/fixtures/policy/policy.schema.json; --cases for cases.schema.json.
    expect(policy.stdout).toBe(readFileSync(join(EXAMPLE, 'policy.schema.json'), 'utf8'));
    expect(cases.stdout).toBe(readFileSync(join(EXAMPLE, 'cases.schema.json'), 'utf8'));
    expect([policy.code, policy.stderr, cases.code, cases.stderr]).toEqual([0, '', 0, '']);
    expect(isPolicy(example('policy.json'))).toBe(true);
    expect(areCases(example('policy.test.json'))).toBe(true);
  });

  it('has a description for every member of a policy and of a rule', () => {
    const { properties = {} } = policyJsonSchema();
    const rule = Object.entries(properties).find(([name]) => name === 'rules')?.[1];
    const item =
      typeof rule === 'object' && typeof rule.items === 'object' && !Array.isArray(rule.items) ? rule.items : {};
    const undescribed = Object.entries({ ...properties, ...item.properties }).flatMap(([name, member]) =>
      typeof member === 'object' && member.description !== undefined ? [] : [name],
    );
    expect(undescribed).toEqual([]);
  });
});
