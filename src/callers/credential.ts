/** Configured credentials, and the results of authentication. */

/** A configured `username:password` pair. Reports show the user name. Two pairs may share it. */
export interface BasicCredential {
  readonly name: string;
  /** The whole line in UTF-8. One comparison covers user name and password. */
  readonly line: Uint8Array;
  /** The whole header as nearly every client writes it. A match needs no decoding. */
  readonly header: Uint8Array;
}

/** The routes that a credential grants access to. Each route accepts only its own kind. */
export type CredentialKind = 'connector' | 'reports' | 'admin';

export type Credentials = Readonly<Record<CredentialKind, readonly BasicCredential[]>>;

export type Authentication =
  | { readonly ok: true; readonly name: string }
  | {
      readonly ok: false;
      readonly reason: 'no-credential' | 'unsupported-scheme' | 'malformed' | 'wrong-credential' | 'none-configured';
      /** The configured name, when the presented user name is a known one. */
      readonly name?: string;
    };
