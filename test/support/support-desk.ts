/** The desk of support: asks the reports, counts the calls of a question, and saves the policy that questions need. */
import { env } from 'cloudflare:workers';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { policyVersions } from '../../src/database/schema.ts';
import type { PersonAccounts } from '../../src/desk/reports/queries/accounts-of-person.ts';
import type { FoundPerson } from '../../src/desk/reports/queries/find-person.ts';
import { POINTER_KEY } from '../../src/policy/pointer.ts';
import { admin } from './admin-call.ts';
import { newClient } from './call.ts';
import { database, reportWith } from './reports-call.ts';

export const [SHOP, CLUB] = [newClient(), newClient()];
export const STORED = { POLICY: 'stored' };
const refusing = (question: number, more: object = {}) => ({
  id: `question-${question}`,
  steps: ['PostAttributeCollection'],
  when: `domain(claims.email) in lists.question${question}`,
  onError: 'skip',
  block: 'refused',
  ...more,
});
const ROLES = { id: 'question-roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } };
const REFUSING = [2, 3, 16, 20, 25, 27];
/** Refuses the addresses `…@questionN.example`. */
const POLICY = {
  applications: { [SHOP]: 'Shop', [CLUB]: 'Club' },
  lists: Object.fromEntries(REFUSING.map((question) => [`question${question}`, [`question${question}.example`]])),
  messages: {
    refused: {
      en: 'Please use another address than {email}. Support code: {supportCode}',
      de: 'Bitte verwenden Sie eine andere Adresse als {email}. Code für den Support: {supportCode}',
    },
    postal: { en: 'A postal code has five digits, and {postalCode} has not. Support code: {supportCode}' },
  },
  rules: [
    ...REFUSING.filter((question) => question !== 25).map((question) => refusing(question)),
    refusing(25, { advice: { en: 'Offer to invite them.', de: 'Bieten Sie eine Einladung an.' } }),
    {
      id: 'question-10',
      steps: ['PostAttributeCollection'],
      when: "has(claims.postalCode) && claims.postalCode.matches('[A-Z]')",
      invalid: 'postal',
    },
    {
      id: 'question-29',
      steps: ['PostAttributeCollection'],
      when: "domain(claims.email) == 'question29.example' && string(claims.city) == ''",
      onError: 'apply',
      invalid: true,
    },
    ROLES,
  ],
};

/** Support asks each question in at most two calls. */
const MOST_CALLS = 2;

export type Person = FoundPerson & PersonAccounts;

/** To be called once in a file: its tests are the questions. */
export function supportDesk() {
  let calls = 0;
  beforeEach(() => {
    calls = 0;
  });
  afterEach(() => {
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThanOrEqual(MOST_CALLS);
  });

  async function ask<Answer>(path: string, body?: object): Promise<Answer> {
    calls += 1;
    const response = await reportWith(STORED, path, body);
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return JSON.parse(text) as Answer;
  }

  let version = 0;
  beforeAll(async () => {
    const save = async (document: object, headers: Record<string, string>) =>
      Number((await admin('PUT', '/policy', document, { bindings: STORED, headers })).json.number);
    const before = await save({ rules: [ROLES] }, { 'If-None-Match': '*' });
    version = await save(POLICY, { 'If-Match': `"${before}"` });
    expect(version).toBeGreaterThan(before);
  });
  // Tests of other files expect that no version was saved.
  afterAll(async () => {
    await database().delete(policyVersions);
    await env.GATEHOUSE.delete(POINTER_KEY);
  });

  return {
    ask,
    person: (text: string) => ask<Person>('/people/search', { text }),
    /** Counts a call that `ask` does not make. */
    alsoCalled: () => {
      calls += 1;
    },
    /** The number of the policy. */
    version: () => version,
  };
}
