/** The call that is measured: PreTokenIssuance for a person with one federated identity and a record in KV. */

export interface SignIn {
  /** The header. */
  readonly authorization: string;
  readonly body: string;
  /** The whole reply. */
  readonly expected: object;
}

/** Secrets of a Worker that runs only here. */
export const SECRETS = {
  CONNECTOR_BASIC: 'b2c:a-password-of-thirty-two-letters',
  REPORTS_BASIC: 'bench:another-password-of-many-letters',
  ADMIN_BASIC: 'bench:one-more-password-of-many-letters',
  SUPPORT_CODE_KEY: 'signs support codes of this bench, and nothing else',
} as const;

export const authorizationOf = (pair: string) => `Basic ${btoa(pair)}`;

export const CLIENT_ID = '231c70e8-8424-48ac-9b5d-5623b9e4ccf3';
const EXTENSIONS_APP_ID = '4a1b3c5d6e7f48a9b0c1d2e3f4a5b6c7';

/** `count` different people: one and the same would be kept at hand by everything on the way. `roles` is what the claim will hold. */
export function signIns(count: number, roles: string, clientId = CLIENT_ID): SignIn[] {
  return Array.from({ length: count }, (_, index) => {
    const number = index.toString(16).padStart(12, '0');
    return {
      authorization: authorizationOf(SECRETS.CONNECTOR_BASIC),
      body: JSON.stringify({
        step: 'PreTokenIssuance',
        client_id: clientId,
        ui_locales: 'en-US',
        email: `jane.${number}@example.com`,
        objectId: `ab3ec3b2-a435-45e4-b93a-${number}`,
        displayName: 'Jane Doe',
        givenName: 'Jane',
        surname: 'Doe',
        country: 'Iceland',
        [`extension_${EXTENSIONS_APP_ID}_LoyaltyId`]: '1234',
        [`extension_${EXTENSIONS_APP_ID}_Newsletter`]: true,
        identities: [{ signInType: 'federated', issuer: 'facebook.com', issuerAssignedId: `10${number}` }],
      }),
      expected: { version: '1.0.0', action: 'Continue', extension_Roles: roles },
    };
  });
}
