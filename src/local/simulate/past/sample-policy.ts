/** The policy of a simulated past where none was saved: it refuses some people, and one of its rules often fails. */
import { APPLICATIONS } from '../people.ts';

const [shop, club, magazine, museum] = APPLICATIONS.map(({ clientId }) => clientId);

export const SAMPLE_NOTE = 'made up by npm run simulate';

/** The last application has no name: the policy does not list it. */
export const SAMPLE_POLICY = {
  applications: { [`${shop}`]: 'Shop', [`${club}`]: 'Club', [`${magazine}`]: 'Magazine', [`${museum}`]: 'Museum' },
  lists: { throwawayDomains: ['mailinator.com'] },
  messages: {
    'throwaway-mail': { en: 'Please use an address that you will keep, not {email}. Support code: {supportCode}' },
    'no-delivery': { en: 'We do not deliver to {postalCode} yet. Support code: {supportCode}' },
    'old-card': { en: 'The number {extension_LoyaltyId} is of an old card. Support code: {supportCode}' },
    'too-young': { en: 'You can sign up when you are 16. Support code: {supportCode}' },
  },
  rules: [
    {
      id: 'no-throwaway-mail',
      steps: ['PostFederationSignup', 'PostAttributeCollection'],
      when: 'domain(claims.email) in lists.throwawayDomains',
      onError: 'skip',
      block: 'throwaway-mail',
      advice: { en: 'Ask for the address at which they read mail.' },
    },
    {
      id: 'delivery-area',
      steps: ['PostAttributeCollection'],
      when: "string(claims.postalCode).matches('^1')",
      onError: 'skip',
      block: 'no-delivery',
    },
    {
      id: 'loyalty-number',
      steps: ['PostAttributeCollection'],
      when: "has(claims.extension_LoyaltyId) && string(claims.extension_LoyaltyId).matches('^[1-4]')",
      invalid: 'old-card',
    },
    {
      id: 'old-enough',
      description: 'Fails where the age is absent or a text.',
      steps: ['PostAttributeCollection'],
      when: 'claims.extension_Age < 17',
      onError: 'skip',
      block: 'too-young',
    },
    { id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } },
  ],
};
