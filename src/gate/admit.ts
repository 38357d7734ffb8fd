/** Admits the callers of connectors and refuses all others, the same for every channel. */
import type { Context } from 'hono';
import { probedBy } from '../attempts/probe.ts';
import { countRefusal } from '../attempts/refused-calls.ts';
import { authenticate, type ConnectorRoute } from '../callers/authenticate.ts';
import type { SeenCertificate } from '../callers/certificate.ts';
import { noteExpiry, rememberCertificate } from '../callers/certificate-expiry.ts';
import type { Accepted, Authentication, RefusedCaller } from '../callers/credential.ts';
import { addressOf, blocksOf, noteRight, noteWrong } from '../callers/guesses.ts';
import { NOT_STORED } from '../platform/answer-headers.ts';
import { configOf } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import type { GateBindings } from './env.ts';

const UNAUTHENTICATED = { ...NOT_STORED, 'WWW-Authenticate': 'Basic realm="Gatehouse", charset="UTF-8"' };

/** Authenticates the caller. It returns a promise only when a JWT must be verified. Never rejects. */
function admit(c: Context<GateBindings>, route: ConnectorRoute): Authentication | Promise<Authentication> {
  const now = Date.now();
  const { credentials, local } = configOf(c.env);
  const address = addressOf(c.req.raw);
  return authenticate(c.req.raw, credentials.connector, route, {
    now,
    local,
    log,
    later: (work) => c.executionCtx.waitUntil(work),
    isBlocked: blocksOf(address, now),
    accepted: ({ kind, name }) => noteRight(address, kind, name, now),
    seen: (certificate) => warnOfExpiry(c, certificate, now),
  });
}

function warnOfExpiry(c: Context<GateBindings>, certificate: SeenCertificate, now: number): void {
  if (!rememberCertificate(certificate, now)) return;
  const { name, notAfter } = certificate;
  log('certificate-expires', { name, notAfter: new Date(notAfter).toISOString() });
  c.executionCtx.waitUntil(
    noteExpiry(c.env.GATEHOUSE, certificate).catch((error: unknown) =>
      log('certificate-not-noted', { name, ...errorFields(error) }),
    ),
  );
}

/**
 * Answers an admitted caller with `answered`, and every other with 401. Only a JWT costs a turn before that. The app
 * answers a failure.
 */
export function admitted(
  c: Context<GateBindings>,
  route: ConnectorRoute,
  answered: (caller: Accepted) => Response | Promise<Response>,
): Response | Promise<Response> {
  const answerTo = (caller: Authentication) => (caller.ok ? answered(caller) : refuseCaller(c, caller));
  const caller = admit(c, route);
  if (!(caller instanceof Promise)) return answerTo(caller);
  const answering = caller.then(answerTo);
  // The whole chain continues when the caller disconnects.
  c.executionCtx.waitUntil(answering.catch(() => undefined));
  return answering;
}

/** Counts the refusal. 401 has no body (contract 47). */
function refuseCaller(c: Context<GateBindings>, { reason, kind, name = '', claims }: RefusedCaller): Response {
  const now = Date.now();
  const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  // A check asks whether a call without a credential is refused. It hides no guess, which is a credential.
  if (reason !== 'no-credential' || probedBy(c.req.raw) === undefined)
    countRefusal({ route: 'connector', reason, name }, now, c.env.ATTEMPTS, later, claims);
  if (reason === 'wrong-credential' && kind !== undefined)
    later(noteWrong(c.env.GUESSES, addressOf(c.req.raw), kind, name, now));
  return new Response(null, { status: 401, headers: UNAUTHENTICATED });
}
