/**
 * Authenticates callers. The request's scheme selects the check. A new scheme (API key, client certificate, bearer) is
 * a file beside `basic.ts` and a branch of {@link authenticate}.
 */
import { verifyBasic } from './basic.ts';
import type { Authentication, BasicCredential } from './credential.ts';

/** Checks the request against the credentials of one kind. It is synchronous and does not read the body. */
export function authenticate(request: Request, credentials: readonly BasicCredential[]): Authentication {
  if (credentials.length === 0) return { ok: false, reason: 'none-configured' };
  const header = request.headers.get('Authorization');
  if (header === null || header === '') return { ok: false, reason: 'no-credential' };
  const scheme = header.split(' ', 1)[0]?.toLowerCase();
  if (scheme === 'basic') return verifyBasic(header, credentials);
  return { ok: false, reason: 'unsupported-scheme' };
}
