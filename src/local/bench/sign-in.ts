/** The measured call: PreTokenIssuance for a person with one federated identity and a record in KV. */

/** Secrets of the bench's Worker. */
export const SECRETS = {
  CONNECTOR_BASIC: 'b2c:a-password-of-thirty-two-letters',
  REPORTS_BASIC: 'bench:another-password-of-many-letters',
  ADMIN_BASIC: 'bench:one-more-password-of-many-letters',
  EMAIL_KEY: 'digests e-mail addresses of this bench, and nothing else',
  SUPPORT_CODE_KEY: 'signs support codes of this bench, and nothing else',
} as const;

export const AUTHORIZATION = `Basic ${btoa(SECRETS.CONNECTOR_BASIC)}`;
/** The reply to every person, since all have the same record. */
export const EXPECTED = { version: '1.0.0', action: 'Continue', extension_Roles: 'editor approver' };

/** The identity provider of every person. */
export const ISSUER = 'facebook.com';

const CLIENT_ID = '231c70e8-8424-48ac-9b5d-5623b9e4ccf3';
const EXTENSIONS_APP_ID = '4a1b3c5d6e7f48a9b0c1d2e3f4a5b6c7';
/** Many people, so that no cache hides the cost. */
const PEOPLE_COUNT = 1_000;

export const PEOPLE = Array.from({ length: PEOPLE_COUNT }, (_, index) => {
  const number = index.toString(16).padStart(12, '0');
  const objectId = `ab3ec3b2-a435-45e4-b93a-${number}`;
  const body = JSON.stringify({
    step: 'PreTokenIssuance',
    client_id: CLIENT_ID,
    ui_locales: 'en-US',
    email: `jane.${number}@example.com`,
    objectId,
    displayName: 'Jane Doe',
    givenName: 'Jane',
    surname: 'Doe',
    country: 'Iceland',
    [`extension_${EXTENSIONS_APP_ID}_LoyaltyId`]: '1234',
    [`extension_${EXTENSIONS_APP_ID}_Newsletter`]: true,
    identities: [{ signInType: 'federated', issuer: ISSUER, issuerAssignedId: `10${number}` }],
  });
  return { objectId, body };
});
