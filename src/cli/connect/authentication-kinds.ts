/** How a custom policy authenticates to Gatehouse: the metadata, the keys, and the policy keys behind them. */
import { element, type Part } from './xml.ts';

/** A policy key that the portal holds. The files name it; they never hold its value. */
export interface PolicyKey {
  readonly name: string;
  /** The option of *Policy keys → Add*. */
  readonly kind: 'Manual' | 'Upload';
  /** The choice under *Key usage*; an uploaded certificate has none. */
  readonly usage: 'Encryption' | 'Signature' | '';
  readonly holds: string;
}

interface KeyReference {
  /** What B2C expects as the id of the key. */
  readonly id: string;
  readonly key: PolicyKey;
}

/** What a technical profile has. */
export interface ProfileCredentials {
  readonly type: 'Basic' | 'ClientCertificate' | 'Bearer' | 'ApiKeyHeader';
  readonly keys: readonly KeyReference[];
  /** The claim that holds the token, for Bearer. */
  readonly tokenClaim?: string;
}

export const AUTHENTICATION_KINDS = ['basic', 'certificate', 'bearer', 'api-key'] as const;
export type AuthenticationKind = (typeof AUTHENTICATION_KINDS)[number];

export const TOKEN_CLAIM = 'gatehouseAccessToken';

const manual = (name: string, holds: string, usage: PolicyKey['usage'] = 'Encryption'): PolicyKey => ({
  name: `B2C_1A_Gatehouse${name}`,
  kind: 'Manual',
  usage,
  holds,
});

const basic = (user: PolicyKey, password: PolicyKey): ProfileCredentials => ({
  type: 'Basic',
  keys: [
    { id: 'BasicAuthenticationUsername', key: user },
    { id: 'BasicAuthenticationPassword', key: password },
  ],
});

/** The credentials with which calls reach Gatehouse. `header`: one of `CONNECTOR_KEY_HEADERS`. */
export function credentialsFor(kind: AuthenticationKind, header: string): ProfileCredentials {
  switch (kind) {
    case 'basic':
      return basic(
        manual('User', 'the user name of a line of CONNECTOR_BASIC'),
        manual('Password', 'the password of that line'),
      );
    case 'certificate':
      return {
        type: 'ClientCertificate',
        keys: [
          {
            id: 'ClientCertificate',
            key: {
              name: 'B2C_1A_GatehouseCertificate',
              kind: 'Upload',
              usage: '',
              holds:
                'the certificate with its private key (.pfx), whose fingerprint is a line of CONNECTOR_CERTIFICATES',
            },
          },
        ],
      };
    case 'bearer':
      return { type: 'Bearer', keys: [], tokenClaim: TOKEN_CLAIM };
    case 'api-key':
      return {
        type: 'ApiKeyHeader',
        keys: [{ id: header, key: manual('Key', 'the secret of a line of CONNECTOR_KEYS') }],
      };
  }
}

/** The credentials with which the token for `bearer` is fetched (contract 3.1). */
export const CLIENT_CREDENTIALS: ProfileCredentials = basic(
  manual('ClientId', 'the id of the application that CONNECTOR_ISSUERS has among its clients', 'Signature'),
  manual('ClientSecret', 'a client secret of that application', 'Signature'),
);

/** Undefined where the credentials need no key: an empty element is not valid. */
export const cryptographicKeys = ({ keys }: ProfileCredentials): Part | undefined =>
  keys.length === 0
    ? undefined
    : element(
        'CryptographicKeys',
        {},
        ...keys.map(({ id, key }) => element('Key', { Id: id, StorageReferenceId: key.name })),
      );

/** The policy keys to create, each once. */
export const policyKeys = (kind: AuthenticationKind, header: string): readonly PolicyKey[] =>
  [...credentialsFor(kind, header).keys, ...(kind === 'bearer' ? CLIENT_CREDENTIALS.keys : [])].map(({ key }) => key);
