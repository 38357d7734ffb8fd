/**
 * Who is calling: looks at which kind of credential the request presents and checks exactly that kind. Later kinds (API key,
 * client certificate, bearer) are further files beside `basic.ts` and further branches of {@link authenticate}.
 */
import { verifyBasic } from './basic.ts';

/** A configured `username:password` pair. The user name is the name that reports show; two pairs may share it. */
export interface BasicCredential {
  readonly name: string;
  /** The whole line, UTF-8: comparing lines is comparing user name and password at once. */
  readonly line: Uint8Array;
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

/** Checks what the request presents against the credentials of one kind. Synchronous, and before the body is read. */
export function authenticate(request: Request, credentials: readonly BasicCredential[]): Authentication {
  if (credentials.length === 0) return { ok: false, reason: 'none-configured' };
  const header = request.headers.get('Authorization');
  if (header === null || header === '') return { ok: false, reason: 'no-credential' };
  const scheme = header.split(' ', 1)[0]?.toLowerCase();
  if (scheme === 'basic') return verifyBasic(header, credentials);
  return { ok: false, reason: 'unsupported-scheme' };
}
