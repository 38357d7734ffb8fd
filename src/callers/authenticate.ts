/**
 * Authenticates callers, before the body is read. Every credential that is presented must be right, and the strongest
 * one names the caller. A new kind is a module beside `basic.ts` and a line in {@link authenticate}.
 */
import { verifyKeys } from './api-key.ts';
import { verifyBasic } from './basic.ts';
import { verifyBearer } from './bearer.ts';
import { type SeenCertificate, verifyCertificate } from './certificate.ts';
import {
  type Accepted,
  type Authentication,
  type BasicCredential,
  CALLER_KINDS,
  type CallerKind,
  type ConnectorCredentials,
} from './credential.ts';
import type { TokenWorld } from './signing-keys.ts';

/** The routes of connectors, which differ in one point: on user flows `?code=` alone does not suffice (contract 56). */
export type ConnectorRoute = 'user-flow' | 'custom-policy';

export interface CallerWorld extends TokenWorld {
  /** Whether guesses at this credential are refused without a comparison. Undefined when none is. */
  readonly isBlocked?: ((kind: CallerKind, name: string) => boolean) | undefined;
  /** Gets every credential of an admitted caller. */
  readonly accepted?: ((credential: Accepted) => void) | undefined;
  /** Gets a certificate that is right. */
  readonly seen?: ((certificate: SeenCertificate) => void) | undefined;
}

/**
 * Checks what a connector's caller presents. Never rejects and never reads the body. It returns a promise only when
 * a JWT must be verified, so that a call with Basic costs no turn.
 */
export function authenticate(
  request: Request,
  credentials: ConnectorCredentials,
  route: ConnectorRoute,
  world: CallerWorld,
): Authentication | Promise<Authentication> {
  const { basic, keys, tokens, issuers, certificates } = credentials;
  const isBlocked = (kind: CallerKind) => world.isBlocked?.(kind, '') ?? false;
  const results: Authentication[] = [];
  if (certificates.length > 0) {
    const certificate = verifyCertificate(request, certificates, world.now, world.seen);
    if (certificate !== undefined) results.push(certificate);
  } else if (basic.length + keys.length + tokens.length + issuers.length === 0) {
    return { ok: false, reason: 'none-configured' };
  }
  if (keys.length > 0) results.push(...verifyKeys(request, credentials, isBlocked));
  // A credential that is wrong decides without the others.
  for (const result of results) if (!result.ok) return result;
  const header = request.headers.get('Authorization') ?? '';
  const scheme = header === '' ? '' : schemeOf(header);
  if (scheme === 'basic' && basic.length > 0) {
    const blocked = world.isBlocked;
    results.push(verifyBasic(header, basic, blocked && ((name) => blocked('basic', name))));
  } else if (scheme === 'bearer' && tokens.length + issuers.length > 0) {
    const bearer = verifyBearer(header, credentials, isBlocked, world);
    if (bearer instanceof Promise) return bearer.then((result) => admission([...results, result], route, world));
    results.push(bearer);
  } else if (header !== '') {
    results.push({ ok: false, reason: 'unsupported-scheme' });
  }
  return admission(results, route, world);
}

/** The strongest of the credentials when all are right, or the refusal. */
function admission(
  results: readonly Authentication[],
  route: ConnectorRoute,
  { accepted }: CallerWorld,
): Authentication {
  let strongest: Accepted | undefined;
  for (const result of results) {
    if (!result.ok) return result;
    if (strongest === undefined || rank(result) < rank(strongest)) strongest = result;
  }
  if (strongest === undefined) return { ok: false, reason: 'no-credential' };
  if (route === 'user-flow' && strongest.kind === 'code') return { ...strongest, ok: false, reason: 'code-alone' };
  if (accepted !== undefined) for (const result of results) if (result.ok) accepted(result);
  return strongest;
}

const rank = ({ kind }: Accepted) => CALLER_KINDS.indexOf(kind);

/** Checks the credential of a person or program at the management API: HTTP Basic. */
export function authenticateStaff(request: Request, credentials: readonly BasicCredential[]): Authentication {
  if (credentials.length === 0) return { ok: false, reason: 'none-configured' };
  const header = request.headers.get('Authorization') ?? '';
  if (header === '') return { ok: false, reason: 'no-credential' };
  return schemeOf(header) === 'basic' ? verifyBasic(header, credentials) : { ok: false, reason: 'unsupported-scheme' };
}

const schemeOf = (header: string) => header.split(' ', 1)[0]?.toLowerCase();
