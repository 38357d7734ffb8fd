/** `Authorization: Bearer …` (RFC 6750): a fixed token, or a JWT. */
import type { Authentication, CallerKind, ConnectorCredentials } from './credential.ts';
import { isJwt, verifyJwt } from './json-web-token.ts';
import { secretEqualTo } from './secret-lines.ts';
import type { TokenWorld } from './signing-keys.ts';

const SCHEME = /^bearer /i;
/** The characters of a token (RFC 6750), without a space. */
const TOKEN = /^[\w.~+/-]+=*$/;

/** It returns a promise only for a JWT. */
export function verifyBearer(
  header: string,
  { tokens, issuers }: Pick<ConnectorCredentials, 'tokens' | 'issuers'>,
  isBlocked: (kind: CallerKind) => boolean,
  world: TokenWorld,
): Authentication | Promise<Authentication> {
  const token = SCHEME.test(header) ? header.slice('bearer '.length) : '';
  const blocked = tokens.length > 0 && isBlocked('static-bearer');
  const fixed = blocked || token === '' ? undefined : secretEqualTo(token, tokens);
  if (fixed !== undefined) return { ok: true, name: fixed.name, kind: 'static-bearer' };
  if (!TOKEN.test(token)) return { ok: false, reason: 'malformed', kind: 'static-bearer' };
  if (issuers.length > 0 && isJwt(token)) return verifyJwt(token, issuers, world);
  return { ok: false, reason: blocked ? 'too-many-guesses' : 'wrong-credential', kind: 'static-bearer' };
}
