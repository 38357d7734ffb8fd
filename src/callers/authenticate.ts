/**
 * Who is calling: looks at which kind of credential the request presents and checks exactly that kind. Later kinds (API key,
 * client certificate, bearer) are further files beside `basic.ts` and further branches of {@link authenticate}.
 */
import { verifyBasic } from './basic.ts';
import type { Authentication, BasicCredential } from './credential.ts';

/** Checks what the request presents against the credentials of one kind. Synchronous, and before the body is read. */
export function authenticate(request: Request, credentials: readonly BasicCredential[]): Authentication {
  if (credentials.length === 0) return { ok: false, reason: 'none-configured' };
  const header = request.headers.get('Authorization');
  if (header === null || header === '') return { ok: false, reason: 'no-credential' };
  const scheme = header.split(' ', 1)[0]?.toLowerCase();
  if (scheme === 'basic') return verifyBasic(header, credentials);
  return { ok: false, reason: 'unsupported-scheme' };
}
