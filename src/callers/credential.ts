/** Configured credentials, and the results of authentication. */

/** A name that reports show, and a secret. Two lines may share a name. */
export interface NamedSecret {
  readonly name: string;
  /** In UTF-8. */
  readonly secret: Uint8Array;
  /** The whole line in UTF-8. */
  readonly line: Uint8Array;
}

/** A configured `username:password` pair. One comparison of the line covers user name and password. */
export interface BasicCredential extends NamedSecret {
  /** The whole header as nearly every client writes it. A match needs no decoding. */
  readonly header: Uint8Array;
}

export interface AllowedCertificate {
  readonly name: string;
  /** SHA-256 of the certificate: 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
}

/** Who may sign tokens, for whom, and which doors they open. At least one of `issuer` and `metadata` is set. */
export interface TokenIssuer {
  readonly name: string;
  /** The `iss` of its tokens; absent: the one that its metadata names. */
  readonly issuer?: string;
  /** URL of its OpenID metadata. */
  readonly metadata: string;
  /** A token must name one of them as `aud`. */
  readonly audience: readonly string[];
  /** Client ids. A token must be for one of them. */
  readonly clients: readonly string[];
  readonly kind: TokenUse;
}

/** The doors that a token may open. */
export const TOKEN_USES = ['connector', 'reports', 'admin', 'staff', 'application'] as const;
export type TokenUse = (typeof TOKEN_USES)[number];

/** The routes that a credential grants access to. Each route accepts only its own kind. */
export type CredentialKind = 'connector' | 'reports' | 'admin';

/** All that a connector's caller may present. A kind without an entry is off. */
export interface ConnectorCredentials {
  readonly basic: readonly BasicCredential[];
  /** In one of `keyHeaders`, or in `?code=`. */
  readonly keys: readonly NamedSecret[];
  /** Lower-case names. */
  readonly keyHeaders: readonly string[];
  readonly tokens: readonly NamedSecret[];
  readonly issuers: readonly TokenIssuer[];
  readonly certificates: readonly AllowedCertificate[];
}

export interface Credentials {
  readonly connector: ConnectorCredentials;
  readonly reports: readonly BasicCredential[];
  readonly admin: readonly BasicCredential[];
}

/**
 * What a caller may present, strongest first. A certificate and a JWT prove a key that is never sent; a JWT also
 * expires. A key in a header is not in a URL that others log, which `?code=` is.
 */
export const CALLER_KINDS = ['certificate', 'jwt', 'api-key', 'static-bearer', 'basic', 'code'] as const;
export type CallerKind = (typeof CALLER_KINDS)[number];

/** Why a caller is refused. Each is counted, so each is one of these words. */
export type RefusalReason =
  | 'no-credential'
  | 'none-configured'
  | 'unsupported-scheme'
  | 'malformed'
  | 'wrong-credential'
  /** Only `?code=` on a route where it does not suffice. */
  | 'code-alone'
  | 'too-many-guesses'
  | 'certificate-unverified'
  | 'certificate-revoked'
  | 'certificate-not-yet-valid'
  | 'certificate-expired'
  | 'certificate-unknown'
  | TokenRefusal;

export type TokenRefusal =
  | 'token-malformed'
  | 'token-algorithm'
  | 'token-issuer'
  | 'token-key'
  | 'token-keys-unavailable'
  | 'token-signature'
  | 'token-audience'
  | 'token-client'
  | 'token-not-yet-valid'
  | 'token-expired'
  | 'token-claims';

export interface Accepted {
  readonly ok: true;
  /** The configured name. */
  readonly name: string;
  readonly kind: CallerKind;
}

export interface RefusedCaller {
  readonly ok: false;
  readonly reason: RefusalReason;
  /** What was presented; absent when there was nothing to recognise. */
  readonly kind?: CallerKind;
  /** The configured name, when what was presented names one. */
  readonly name?: string;
  /** For the log: claims of a refused token that identify no person (contract 110). Never the token. */
  readonly claims?: Readonly<Record<string, string>>;
}

export type Authentication = Accepted | RefusedCaller;
