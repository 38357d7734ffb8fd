/** `/reports/rules` and `/reports/policy`: what support reads of the policy, over HTTP. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { policyVersions } from '../../src/database/schema.ts';
import type { PolicyDocument } from '../../src/desk/policies/policy-document.ts';
import { MINUTE_MS } from '../../src/platform/duration.ts';
import { aPolicy, policyDoor } from '../support/policy-door.ts';

const door = policyDoor();
const { call, report } = door;

/** Versions as they are stored, from number 1 and a minute apart: saving compiles, which these tests need not. */
const keepVersions = (...versions: Partial<typeof policyVersions.$inferInsert>[]) =>
  door.database
    .db()
    .insert(policyVersions)
    .values(
      versions.map((version, index) => ({
        number: index + 1,
        use: 'active' as const,
        author: 'admin',
        createdAt: new Date(START + index * MINUTE_MS),
        ...version,
      })),
    );
const START = Date.UTC(2026, 10, 21);
const at = (minute: number) => new Date(START + minute * MINUTE_MS).toISOString();

const WHEN = 'has(claims.email) && domain(claims.email) in lists.blockedDomains';
const shop = {
  messages: { 'blocked-domain': { en: 'Use another address: {supportCode}', de: 'Andere Adresse: {supportCode}' } },
  lists: { blockedDomains: ['mailinator.com', 'example.net'], vip: ['a'] },
  rules: [
    { id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } },
    {
      id: 'no-throwaway-mail',
      description: 'Throwaway mail domains.',
      steps: ['PostFederationSignup', 'PostAttributeCollection'],
      when: WHEN,
      block: 'blocked-domain',
    },
    {
      id: 'closed',
      steps: ['PostAttributeCollection'],
      when: "has(claims.country) && claims.country != 'DE'",
      invalid: true,
    },
  ],
};

test('a rule is described in words, with the texts per language, the claims that it reads and the length of its lists', async () => {
  await keepVersions({ document: shop });
  const { status, json } = await report('/rules');
  expect(status).toBe(200);
  expect(json).toMatchObject({
    decides: 'saved',
    version: { number: 1, author: 'admin', inForce: { from: expect.stringMatching(/Z$/), to: null } },
  });
  const rules = json.rules as Record<string, unknown>[];
  expect(rules.map(({ id, order, sentence }) => [order, id, sentence])).toEqual([
    [1, 'roles', 'Before a token is issued: the reply sets extension_Roles to their roles in one text.'],
    [
      2,
      'no-throwaway-mail',
      'Before the attribute page, and before the account is created: if the claim email was sent, and the domain of the claim email is on the list blockedDomains, the sign-up ends with a page that shows the message blocked-domain.',
    ],
    [
      3,
      'closed',
      'Before the account is created: if the claim country was sent, and the claim country is not "DE", the person stays on the attribute page and reads the message invalid.',
    ],
  ]);
  expect(rules[1]).toEqual({
    id: 'no-throwaway-mail',
    order: 2,
    description: 'Throwaway mail domains.',
    sentence: expect.any(String),
    steps: ['PostFederationSignup', 'PostAttributeCollection'],
    effect: 'block',
    when: WHEN,
    messages: [{ key: 'blocked-domain', texts: shop.messages['blocked-domain'] }],
    claims: ['email'],
    readsRecord: false,
    attributeNames: [],
    lists: [{ name: 'blockedDomains', entries: 2 }],
    listEntries: expect.stringContaining('administrators only'),
  });
  expect(rules[2]?.messages).toMatchObject([{ key: 'invalid', builtIn: true, texts: { nl: expect.any(String) } }]);
  expect(rules[0]).toMatchObject({ readsRecord: true, effect: 'set', lists: [], when: null });
});

test('a rule of an attempt is found by the policyVersion of the attempt, and names without a rule are explained', async () => {
  await keepVersions({ document: shop }, { document: aPolicy() });
  expect((await report('/rules/no-throwaway-mail?version=1')).json).toMatchObject({
    id: 'no-throwaway-mail',
    order: 2,
    version: { number: 1, inForce: { from: at(0), to: at(1) } },
  });
  const gone = await report('/rules/rolse');
  expect([gone.status, gone.json.code, gone.json.detail]).toEqual([
    404,
    'no-such-rule',
    expect.stringContaining('Version 2 of the policy has no rule rolse. Did you mean roles?'),
  ]);
  for (const name of ['onlyThese', 'whenUnavailable'])
    expect((await report(`/rules/${name}`)).json.sentence).toMatch(/^No rule: /);
});

test('every rule of a policy with an example of everything has a sentence and what it reads', async () => {
  const document = readFileSync(join(import.meta.dirname, '../fixtures/policy/policy.json'), 'utf8');
  await keepVersions({ document: JSON.parse(document) });
  const rules = (await report('/rules')).json.rules as { sentence: string; note?: string; lists: unknown[] }[];
  expect(rules).toHaveLength((JSON.parse(document) as PolicyDocument).rules.length);
  for (const { sentence, note } of rules) {
    expect(note).toBeUndefined();
    expect(sentence).toMatch(/^[A-Z].*[a-z)"'\]}]\.( If the condition cannot .*)?$/);
    expect(sentence).not.toMatch(/undefined|\[object/);
  }
  expect(rules.flatMap(({ lists }) => lists)).toContainEqual({ name: 'invitationCodes', entries: 2 });
});

test('versions show from when to when each decided or ran as shadow, page by page', async () => {
  const document = aPolicy();
  await keepVersions(
    { document },
    { use: 'shadow', sample: 0.5, note: 'try', document },
    { document },
    { use: 'no-shadow' },
  );
  const page = (await report('/policy/versions?limit=3')).json;
  const rest = (await report(`/policy/versions?limit=3&cursor=${encodeURIComponent(String(page.next))}`)).json;
  const all = [...(page.versions as Record<string, unknown>[]), ...(rest.versions as Record<string, unknown>[])];
  expect(all.map(({ number, use, inForce }) => [number, use, inForce])).toEqual([
    [4, 'no-shadow', undefined],
    [3, 'active', { from: at(2), to: null }],
    [2, 'shadow', { from: at(1), to: at(3) }],
    [1, 'active', { from: at(0), to: at(2) }],
  ]);
  expect(all[2]).toMatchObject({ note: 'try', sample: 0.5 });
  expect([rest.next, page.decides]).toEqual([undefined, 'saved']);
  expect((await report('/policy/versions?cursor=1')).json.code).toBe('invalid-request');
});

test('the differences say which rules, texts and settings changed, and of lists only how many entries', async () => {
  const [roles, mail] = shop.rules;
  const document = {
    ...shop,
    defaultLanguage: 'de',
    messages: { 'blocked-domain': { ...shop.messages['blocked-domain'], en: 'Another text: {supportCode}' } },
    lists: { blockedDomains: ['example.org', 'example.net'], more: ['x'] },
    rules: [{ ...mail, onError: 'skip', when: 'domain(claims.email) in lists.blockedDomains' }, roles],
  };
  await keepVersions({ document: shop }, { document });
  const { json } = await report('/policy/differences');
  expect(json).toMatchObject({
    from: { number: 1, inForce: { to: expect.any(String) } },
    to: { number: 2 },
    sentence: 'Between version 1 and version 2: 8 changes.',
    reordered: true,
    rules: {
      added: [],
      removed: [{ name: 'closed', value: { invalid: true } }],
      changed: [
        { name: 'no-throwaway-mail', members: ['when', 'onError'], before: { when: WHEN }, after: { onError: 'skip' } },
      ],
    },
    messages: {
      changed: [{ name: 'blocked-domain', members: ['en'], before: { en: 'Use another address: {supportCode}' } }],
    },
    settings: { added: [{ name: 'defaultLanguage', value: 'de' }] },
  });
  expect(json.summary).toEqual([
    'rule no-throwaway-mail: changed (when, onError)',
    'rule closed: removed',
    'order of the rules: changed',
    'list blockedDomains: +1 -1',
    'list more: +1 -0, new list',
    'list vip: +0 -1, list removed',
    'message blocked-domain: changed (en)',
    'defaultLanguage: added',
  ]);
  const backwards = (await report('/policy/differences?from=2&to=1')).json;
  expect(backwards.summary).toContain('list blockedDomains: +1 -1');
  expect((await report('/policy/differences?from=2&to=2')).json).toMatchObject({
    summary: [],
    sentence: 'No difference between version 2 and version 2.',
  });
  expect((await report('/policy/differences?to=1')).json).toMatchObject({ from: { number: 0, use: 'built-in' } });
});

test('each refusal has a code: no policy, no such version, a version without a document or with a damaged one', async () => {
  const codes = async (...paths: string[]) => Promise.all(paths.map(async (path) => (await report(path)).json.code));
  expect(await codes('/rules', '/rules/roles', '/policy/differences')).toEqual(['no-policy', 'no-policy', 'no-policy']);
  const document = aPolicy();
  const damaged = { rules: [{ id: 'old' }] };
  await keepVersions({ document }, { use: 'shadow', sample: 1, document }, { use: 'no-shadow' }, { document: damaged });
  expect(await codes('/rules', '/rules/x?version=4', '/policy/differences?from=4&to=1')).toEqual(
    Array.from({ length: 3 }, () => 'version-unreadable'),
  );
  expect(await codes('/rules?version=3', '/policy/differences?from=3')).toEqual([
    'version-without-document',
    'version-unreadable',
  ]);
  expect(await codes('/rules?version=9', '/policy/differences?to=9')).toEqual(['no-such-version', 'no-such-version']);
  expect(await codes('/rules?version=-1', '/policy/differences?to=99999999999', '/rules?id=x')).toEqual(
    Array.from({ length: 3 }, () => 'invalid-request'),
  );
  const away = { DATABASE_URL: '' };
  for (const path of ['/rules', '/policy/versions', '/policy/differences'])
    expect((await report(path, away)).json.code).toBe('database-unavailable');
});

test('an expression of an earlier release that does not compile today is shown as it is written', async () => {
  const rule = { id: 'old', steps: ['PostAttributeCollection'], when: 'gone(claims.email)', block: true };
  const old = { number: 1, use: 'active', author: 'admin', createdAt: new Date() } as const;
  await door.database
    .db()
    .insert(policyVersions)
    .values({ ...old, document: { rules: [rule] } });
  expect((await report('/rules/old')).json).toMatchObject({
    sentence: expect.stringContaining('if gone(claims.email), the sign-up ends'),
    claims: [],
    note: expect.stringContaining('does not compile today'),
  });
});

test('the built-in policy is version 0, and decides although a policy is saved when the setting says so', async () => {
  await keepVersions({ document: aPolicy() });
  expect((await report('/rules', { POLICY: 'built-in' })).json).toMatchObject({
    decides: 'built-in',
    version: { number: 0, use: 'built-in' },
    rules: [],
  });
  expect((await report('/rules?version=0')).json).toMatchObject({ version: { number: 0 }, rules: [] });
});

test('no answer to support has an entry of a list', async () => {
  const document = { ...shop, lists: { blockedDomains: ['secret-a.example', 'secret-b.example'], vip: ['SECRET'] } };
  await keepVersions({ document: aPolicy() }, { document }, { document: { ...document, lists: { vip: ['SECRET2'] } } });
  const paths = ['/rules', '/rules?version=2', '/rules/no-throwaway-mail', '/policy/versions', '/policy/differences'];
  for (const path of [...paths, '/policy/differences?to=2', '/policy/differences?from=2&to=1']) {
    const { status, text } = await report(path);
    expect([status, text.toLowerCase()], path).toEqual([200, expect.not.stringContaining('secret')]);
  }
});

test('the reports right opens nothing of the administration of policies, and no method that changes one', async () => {
  await keepVersions({ document: aPolicy() });
  for (const path of ['/policy', '/policy/versions', '/policy/versions/1', '/changes', '/people'])
    expect((await call('GET', path, { headers: { Authorization: `Basic ${btoa('support:support')}` } })).status).toBe(
      401,
    );
  expect((await call('GET', '/../reports/rules')).status).toBe(401);
});
