/** Policies to be measured by: rules of the token step such as owners of a tenant write, and one list. */

/** The version that decides, and the one that runs in its shadow. */
const VERSION = 7;
const SHADOW_VERSION = 8;

/** What the stubs of KV are given: a policy of so many rules and entries, and whether as many rules run in its shadow. */
export const stubTexts = (rules: number, entries: number, shadow: boolean) => ({
  POLICY_POINTER: JSON.stringify({
    v: 1,
    number: VERSION,
    ...(shadow ? { shadow: { number: SHADOW_VERSION, sample: 1 } } : {}),
  }),
  POLICY_DOCUMENT: JSON.stringify(policyOf(rules, entries)),
});

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

/** A policy with so many rules, of which the first puts the roles in the token, and so many entries in its list. */
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
