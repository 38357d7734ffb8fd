/** What Workers KV holds while the bench runs, key by key: people, and a policy such as owners of a tenant write. */
import { publishedValues } from '../../src/desk/policies/published.ts';
import { PEOPLE } from './sign-in.ts';

/** Values by key. */
export type KvValues = Readonly<Record<string, string>>;

const VERSION = 7;

/** What the record of every person says. */
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
export async function policyValues(rules: number, entries: number): Promise<KvValues> {
  const values = await publishedValues(VERSION, JSON.stringify(policyOf(rules, entries)));
  const pointer = { 'policy:active': JSON.stringify({ v: 1, number: VERSION }) };
  return { ...pointer, ...Object.fromEntries(values.map(({ key, text }) => [key, text])) };
}

/** Conditions that are evaluated to their end and do not apply: what most rules are to most calls. */
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
