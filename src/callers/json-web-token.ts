/** OAuth 2.0 bearer tokens that are JWTs: signature, issuer, audience, client and period (contract 68, 110). */

import { decodeProtectedHeader } from 'jose/decode/protected_header';
import * as errors from 'jose/errors';
import { decodeJwt } from 'jose/jwt/decode';
import { jwtVerify } from 'jose/jwt/verify';
import type { Authentication, TokenIssuer, TokenRefusal } from './credential.ts';
import { type IssuerKeys, keysAnew, keysOf, type SigningKey, type TokenWorld } from './signing-keys.ts';

/** Asymmetric only: a symmetric algorithm would take the public key for a shared secret. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  RS256: 'RSA',
  RS384: 'RSA',
  RS512: 'RSA',
  PS256: 'RSA',
  PS384: 'RSA',
  PS512: 'RSA',
  ES256: 'EC',
  ES384: 'EC',
  ES512: 'EC',
  EdDSA: 'OKP',
};
const CLOCK_SKEW_SECONDS = 60;
/** A token with many groups has about 6 kB. */
const MAX_TOKEN_CHARS = 16 * 1024;
/** Access tokens only: no logout token, and no token that needs a second proof. */
const TYPES = ['jwt', 'at+jwt', 'application/at+jwt'];
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Whether a bearer token has the form of a JWT: a header, claims and a signature. */
export const isJwt = (token: string): boolean => JWT.test(token);

interface Decoded {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
}

/**
 * Checks a token against the issuers, of which several may have the same `iss`. The name is the entry's; that of a
 * refusal is the entry with the token's `iss`. Never rejects.
 */
export async function verifyJwt(
  token: string,
  issuers: readonly TokenIssuer[],
  world: TokenWorld,
): Promise<Authentication> {
  const decoded = decode(token);
  if (decoded === undefined) return refused('token-malformed');
  const { alg, kid } = decoded.header;
  if (typeof alg !== 'string' || !Object.hasOwn(ALGORITHMS, alg)) return refused('token-algorithm', decoded);
  if (typeof kid !== 'string') return refused('token-key', decoded);
  let worst: Authentication = refused('token-issuer', decoded);
  for (const issuer of issuers) {
    if (issuer.issuer !== undefined && issuer.issuer !== decoded.claims.iss) continue;
    const failed = await failedCheck(token, decoded, issuer, world);
    if (failed === undefined) return { ok: true, name: issuer.name, kind: 'jwt' };
    // An entry that knows the issuer has the better reason.
    if (failed !== 'token-issuer') worst = refused(failed, decoded, issuer.name);
  }
  return worst;
}

async function failedCheck(
  token: string,
  { header, claims }: Decoded,
  issuer: TokenIssuer,
  world: TokenWorld,
): Promise<TokenRefusal | undefined> {
  let keys = await keysOf(issuer, world);
  if (keys === undefined) return 'token-keys-unavailable';
  if (keys.issuer !== claims.iss) return 'token-issuer';
  let key = keyIn(keys, header);
  if (key === undefined) {
    keys = await keysAnew(issuer, world);
    key = keys === undefined ? undefined : keyIn(keys, header);
  }
  if (keys === undefined || key === undefined) return 'token-key';
  try {
    await jwtVerify(token, key, {
      algorithms: Object.keys(ALGORITHMS),
      issuer: keys.issuer,
      audience: [...issuer.audience],
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(world.now),
    });
  } catch (error) {
    return reasonOf(error);
  }
  if (!hasKnownType(header)) return 'token-claims';
  // A token that is bound to a key or a certificate (RFC 7800) proves nothing without that proof.
  if ('cnf' in claims) return 'token-claims';
  return isForOneOf(issuer.clients, claims) ? undefined : 'token-client';
}

const keyIn = ({ keys }: IssuerKeys, { kid, alg }: Record<string, unknown>): SigningKey | undefined =>
  keys.find((key) => key.kid === kid && key.kty === ALGORITHMS[String(alg)] && (key.alg ?? alg) === alg);

const hasKnownType = ({ typ }: Record<string, unknown>): boolean =>
  typ === undefined || (typeof typ === 'string' && TYPES.includes(typ.toLowerCase()));

/** The client is `azp` (Entra version 2), `appid` (version 1) or `client_id` (RFC 9068). Each one present counts. */
function isForOneOf(clients: readonly string[], { azp, appid, client_id: clientId }: Record<string, unknown>): boolean {
  const named = [azp, appid, clientId].filter((client) => client !== undefined);
  return named.length > 0 && named.every((client) => typeof client === 'string' && clients.includes(client));
}

function reasonOf(error: unknown): TokenRefusal {
  if (error instanceof errors.JWTExpired) return 'token-expired';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'token-signature';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'token-issuer';
    if (error.claim === 'aud') return 'token-audience';
    if (error.claim === 'nbf' && error.reason === 'check_failed') return 'token-not-yet-valid';
    return 'token-claims';
  }
  return error instanceof errors.JOSEError ? 'token-malformed' : 'token-key';
}

/** Header and claims before the signature is checked. Undefined when they cannot be read. */
function decode(token: string): Decoded | undefined {
  if (token.length > MAX_TOKEN_CHARS) return undefined;
  try {
    return { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) };
  } catch {
    return undefined;
  }
}

/** Claims that name applications and tenants. */
const LOGGED = ['iss', 'aud', 'azp', 'appid', 'tid'];
/** URLs and ids. Other text may be anything, for example a person's address. */
const LOGGABLE = /^[\w.:/-]{1,200}$/;

function refused(reason: TokenRefusal, decoded?: Decoded, name?: string): Authentication {
  const claims = Object.fromEntries(
    LOGGED.map((claim) => [claim, decoded?.claims[claim]] as const)
      .filter(([, value]) => value !== undefined)
      .map(([claim, value]) => [claim, typeof value === 'string' && LOGGABLE.test(value) ? value : '…']),
  );
  return { ok: false, reason, kind: 'jwt', ...(name === undefined ? {} : { name }), claims };
}
