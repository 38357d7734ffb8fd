/** What opens our doors, and what looking at a presented credential can come to. */

/** A configured `username:password` pair. The user name is the name that reports show; two pairs may share it. */
export interface BasicCredential {
  readonly name: string;
  /** The whole line, UTF-8: comparing lines is comparing user name and password at once. */
  readonly line: Uint8Array;
  /** The whole header as nearly every client writes it: then there is nothing to decode. */
  readonly header: Uint8Array;
}

/** Which door a credential opens; each route takes only its own kind. */
export type CredentialKind = 'connector' | 'reports' | 'admin';

export type Credentials = Readonly<Record<CredentialKind, readonly BasicCredential[]>>;

export type Authentication =
  | { readonly ok: true; readonly name: string }
  | {
      readonly ok: false;
      readonly reason: 'no-credential' | 'unsupported-scheme' | 'malformed' | 'wrong-credential' | 'none-configured';
      /** The configured name, when the presented user name was one of ours. */
      readonly name?: string;
    };
