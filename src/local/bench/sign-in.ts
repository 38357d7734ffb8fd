/** The measured calls: of a user flow and of an exchange, for a person with a record in KV. */

/** Secrets of the bench's Worker. */
export const SECRETS = {
  CONNECTOR_BASIC: 'b2c:a-password-of-thirty-two-letters',
  REPORTS_BASIC: 'bench:another-password-of-many-letters',
  ADMIN_BASIC: 'bench:one-more-password-of-many-letters',
  SUPPORT_CODE_KEY: 'signs support codes of this bench, and nothing else',
} as const;

export const AUTHORIZATION = `Basic ${btoa(SECRETS.CONNECTOR_BASIC)}`;
/** The reply to every person, since all have the same record. */
export const EXPECTED = { version: '1.0.0', action: 'Continue', extension_Roles: 'editor approver' };

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
    identities: [{ signInType: 'federated', issuer: 'facebook.com', issuerAssignedId: `10${number}` }],
  });
  const exchangeBody = JSON.stringify({
    clientId: CLIENT_ID,
    language: 'en-US',
    email: `jane.${number}@example.com`,
    objectId,
    displayName: 'Jane Doe',
    givenName: 'Jane',
    surname: 'Doe',
    country: 'Iceland',
    loyaltyId: '1234',
    newsletter: true,
    correlationId: `5b0e0b1c-6a2e-4b7e-9e0a-${number}`,
    policyId: 'B2C_1A_signup_signin',
  });
  return { objectId, body, exchangeBody };
});

export type Person = (typeof PEOPLE)[number];

export interface MeasuredCall {
  readonly path: string;
  readonly bodyOf: (person: Person) => string;
  /** The reply to every person. */
  readonly expected: object;
}

/** PreTokenIssuance for a person with one federated identity. */
export const USER_FLOW_CALL: MeasuredCall = {
  path: '/connectors/user-flow',
  bodyOf: ({ body }) => body,
  expected: EXPECTED,
};

export const EXCHANGE = 'GetRoles';

/** The same claims to an exchange that answers with the roles, as a custom policy calls it before the token. */
export const EXCHANGE_CALL: MeasuredCall = {
  path: `/connectors/custom-policy/${EXCHANGE}`,
  bodyOf: ({ exchangeBody }) => exchangeBody,
  expected: { roles: 'editor approver' },
};
