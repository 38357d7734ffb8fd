/** Certificates that this isolate accepted, so that readiness and the log warn before one expires. */
import type { SeenCertificate } from './certificate.ts';

const DAY_MS = 86_400_000;
const WARNED_BEFORE_DAYS = 31;

/** By name. Times in milliseconds since 1970. */
const seen = new Map<string, { readonly notAfter: number; readonly loggedAt: number }>();

/** Remembers a certificate. It logs one that expires soon, once a day. */
export function rememberCertificate(
  { name, notAfter }: SeenCertificate,
  now: number,
  log: (event: string, fields: Record<string, string | number>) => void,
): void {
  const before = seen.get(name);
  let loggedAt = before?.notAfter === notAfter ? before.loggedAt : Number.NEGATIVE_INFINITY;
  if (expiresSoon(notAfter, now) && Math.abs(now - loggedAt) >= DAY_MS) {
    log('certificate-expires', { name, days: daysUntil(notAfter, now) });
    loggedAt = now;
  }
  seen.set(name, { notAfter, loggedAt });
}

/** Sentences for readiness. */
export const certificateWarnings = (now: number): string[] =>
  [...seen]
    .filter(([, { notAfter }]) => expiresSoon(notAfter, now))
    .map(
      ([name, { notAfter }]) =>
        `The client certificate ${name} expires on ${new Date(notAfter).toISOString().slice(0, 10)}. Upload a new one in the Azure portal, and add its fingerprint to CONNECTOR_CERTIFICATES first.`,
    );

const expiresSoon = (notAfter: number, now: number) => notAfter - now <= WARNED_BEFORE_DAYS * DAY_MS;

const daysUntil = (notAfter: number, now: number) => Math.floor((notAfter - now) / DAY_MS);
