/**
 * Warns before a certificate expires. An isolate remembers what it accepted, and notes in Workers KV what expires soon,
 * since another isolate answers readiness.
 */
import type { SeenCertificate } from './certificate.ts';

const DAY_MS = 86_400_000;
const WARNED_BEFORE_DAYS = 31;
/** A note is written again every day in which the certificate is used. */
const NOTE_SECONDS = (2 * DAY_MS) / 1_000;
const NOTE_PREFIX = 'certificate-expires:';

interface Accepted extends SeenCertificate {
  readonly notedAt: number;
}

/** By name and end: a name has two certificates while one replaces the other. Times in milliseconds since 1970. */
const seen = new Map<string, Accepted>();

/** Remembers a certificate that was accepted at `now`. True once a day for one that expires soon. */
export function rememberCertificate({ name, notAfter }: SeenCertificate, now: number): boolean {
  const which = `${name} ${notAfter}`;
  const notedAt = seen.get(which)?.notedAt ?? Number.NEGATIVE_INFINITY;
  const isDue = expiresSoon(notAfter, now) && Math.abs(now - notedAt) >= DAY_MS;
  seen.set(which, { name, notAfter, notedAt: isDue ? now : notedAt });
  return isDue;
}

/** Writes the note for readiness. Rejects when KV refuses it. */
export const noteExpiry = (kv: KVNamespace, { name, notAfter }: SeenCertificate): Promise<void> =>
  kv.put(NOTE_PREFIX + name, '', { expirationTtl: NOTE_SECONDS, metadata: { notAfter } });

/** Sentences about the certificates that this isolate accepted. */
export const certificateWarnings = (now: number): string[] =>
  [...seen.values()]
    .filter(({ notAfter }) => expiresSoon(notAfter, now))
    .map(({ name, notAfter }) => warning(name, notAfter));

/** Sentences about the certificates that any isolate noted. Rejects when KV does not answer. */
export async function notedCertificateWarnings(kv: KVNamespace): Promise<string[]> {
  const { keys } = await kv.list<{ notAfter?: number }>({ prefix: NOTE_PREFIX });
  return keys.map(({ name, metadata }) => warning(name.slice(NOTE_PREFIX.length), metadata?.notAfter ?? 0));
}

const warning = (name: string, notAfter: number) =>
  `The client certificate ${name} expires on ${new Date(notAfter).toISOString().slice(0, 10)}. ` +
  'Add the fingerprint of a new one to CONNECTOR_CERTIFICATES, then upload it in the Azure portal.';

const expiresSoon = (notAfter: number, now: number) => notAfter - now <= WARNED_BEFORE_DAYS * DAY_MS;
