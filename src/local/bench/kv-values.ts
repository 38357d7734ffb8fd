/** The values in Workers KV during the bench: people, and a realistic policy. */
import { publishedValues } from '../../desk/policies/published.ts';
import { EXCHANGE, PEOPLE } from './sign-in.ts';

export type KvValues = Readonly<Record<string, string>>;

const VERSION = 7;

/** The record of every person. */
const RECORD = JSON.stringify({
  v: 1,
  roles: ['editor'],
  groups: [],
  attributes: { loyaltyId: '1234', promoCode: '24534' },
  applications: { '231c70e8-8424-48ac-9b5d-5623b9e4ccf3': { roles: ['approver'] } },
  updatedAt: '2026-11-01T12:00:00.000Z',
  updatedBy: 'admin',
});

export const PEOPLE_VALUES: KvValues = Object.fromEntries(
  PEOPLE.map(({ objectId }) => [`person:oid:${objectId}`, RECORD]),
);

/** A policy in force with `rules` rules of the token step, and one list of `entries` entries. */
export const policyValues = (rules: number, entries: number): Promise<KvValues> => inForce(policyOf(rules, entries));

/** A policy in force that gives the roles at the token step, and to an exchange. */
export const exchangeValues = (): Promise<KvValues> =>
  inForce({
    exchanges: {
      [EXCHANGE]: {
        kind: 'orchestration',
        inputs: { country: 'country', loyaltyId: 'loyaltyId', newsletter: { from: 'newsletter', type: 'boolean' } },
        outputs: { roles: 'string' },
      },
    },
    rules: [
      { id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } },
      { id: 'exchange', steps: [EXCHANGE], set: { roles: "person.roles.join(' ')" } },
    ],
  });

/** The largest policy that can be saved, in force: close to every limit of a document, and used by a single step. */
export const largestPolicyValues = (): Promise<KvValues> => inForce(largestPolicy());

async function inForce(document: object): Promise<KvValues> {
  const values = await publishedValues(VERSION, JSON.stringify(document));
  const pointer = { 'policy:active': JSON.stringify({ v: 1, number: VERSION }) };
  return { ...pointer, ...Object.fromEntries(values.map(({ key, text }) => [key, text])) };
}

/** Conditions that are fully evaluated and false, as most rules are on most calls. */
const CONDITIONS: readonly ((index: number) => string)[] = [
  () => 'has(claims.email) && domain(claims.email) in lists.blockedDomains',
  (index) => `has(claims.postalCode) && !claims.postalCode.matches('^[0-9]{${index}}$')`,
  (index) => `has(claims.displayName) && claims.displayName.matches('^(?i)test ?user ?${index}$')`,
  (index) => `identity.issuer == 'issuer-${index}.example' && request.locale.startsWith('de')`,
  (index) => `has(claims.country) && claims.country in ['Atlantis ${index}', 'Lemuria', 'Mu']`,
  (index) => `'auditor-${index}' in person.roles || request.clientId == 'application-${index}'`,
  () => 'has(claims.extension_LoyaltyId) && string(claims.extension_LoyaltyId) in lists.blockedDomains',
  () => 'has(claims.givenName) && titleCase(claims.givenName) != claims.givenName',
];

/** The first rule puts the roles in the token; the others do not apply. */
function policyOf(rules: number, entries: number): object {
  const steps = ['PreTokenIssuance'];
  const roles = { id: 'roles', steps, set: { extension_Roles: "person.roles.join(' ')" } };
  const others = Array.from({ length: rules - 1 }, (_, index) => ({
    id: `rule-${index}`,
    steps,
    when: CONDITIONS[index % CONDITIONS.length]?.(index),
    set: { city: `'city ${index}'` },
  }));
  const blockedDomains = Array.from({ length: entries }, (_, index) => `blocked-${index}.example`);
  return { lists: { blockedDomains }, rules: [roles, ...others] };
}

/** 500 rules, two lists of 100,000 entries, and messages until the document has nearly 8 MB. */
export function largestPolicy(): object {
  const steps = ['PreTokenIssuance'];
  const entriesOf = (name: string) => Array.from({ length: 100_000 }, (_, index) => `${name}-${index}.blocked.example`);
  const anyOf = (rule: number) =>
    Array.from({ length: 38 }, (_, index) => `claims.city == 'x${rule}-${index}'`).join(' || ');
  const rules = [
    { id: 'roles', steps, set: { extension_Roles: "person.roles.join(' ')" } },
    {
      id: 'lists',
      steps,
      when: 'has(claims.displayName) && (claims.displayName in lists.first || claims.displayName in lists.second)',
      set: { city: "'blocked'" },
    },
    ...Array.from({ length: 498 }, (_, rule) => ({
      id: `rule-${rule}`,
      steps,
      when: `has(claims.city) && (${anyOf(rule)})`,
      set: { city: `'city ${rule}'` },
    })),
  ];
  const messages = Object.fromEntries(
    Array.from({ length: 1_800 }, (_, index) => [`message-${index}`, { en: 'x'.repeat(700) }]),
  );
  return { lists: { first: entriesOf('first'), second: entriesOf('second') }, rules, messages };
}
