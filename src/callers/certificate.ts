/**
 * A client certificate, as Cloudflare's mTLS passes it on. Cloudflare verifies the chain and whether it is revoked; the
 * period and the fingerprint are checked here (contract 54, 55).
 */
import type { AllowedCertificate, Authentication, RefusalReason } from './credential.ts';
import { linesOf } from './secret-lines.ts';

export interface CertificateLines {
  readonly certificates: readonly AllowedCertificate[];
  /** Numbers of lines that are no `name:fingerprint`. */
  readonly faulty: readonly number[];
}

/** Reads `name:fingerprint` lines. A fingerprint may be written with colons, as openssl does. */
export function readCertificateLines(text: string): CertificateLines {
  const certificates: AllowedCertificate[] = [];
  const faulty: number[] = [];
  linesOf(text).forEach((line, index) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    const fingerprint = line
      .slice(colon + 1)
      .replaceAll(/[:\s]/g, '')
      .toLowerCase();
    if (line.trim() === '') return;
    if (name === '' || !/^[0-9a-f]{64}$/.test(fingerprint)) faulty.push(index + 1);
    else certificates.push({ name, fingerprint });
  });
  return { certificates, faulty };
}

/** What was seen of an allowed certificate: when it ends, in milliseconds since 1970. */
export interface SeenCertificate {
  readonly name: string;
  readonly notAfter: number;
}

/** Checks the certificate of a request at `now`. Undefined when it presents none. `seen` gets one that is allowed. */
export function verifyCertificate(
  request: Request,
  allowed: readonly AllowedCertificate[],
  now: number,
  seen?: (certificate: SeenCertificate) => void,
): Authentication | undefined {
  const presented = (request.cf as IncomingRequestCfProperties | undefined)?.tlsClientAuth;
  if (presented === undefined || presented === null || presented.certPresented !== '1') return undefined;
  const fingerprint = String(presented.certFingerprintSHA256).toLowerCase();
  const name = allowed.find((one) => one.fingerprint === fingerprint)?.name;
  const notBefore = Date.parse(presented.certNotBefore);
  const notAfter = Date.parse(presented.certNotAfter);
  const refuse = (reason: RefusalReason): Authentication => ({
    ok: false,
    reason,
    kind: 'certificate',
    ...(name === undefined ? {} : { name }),
  });
  // Cloudflare's word for an expired certificate is a failed verification: the more exact reason is first.
  if (name !== undefined && notAfter < now) return refuse('certificate-expired');
  if (presented.certVerified !== 'SUCCESS') return refuse('certificate-unverified');
  if (presented.certRevoked !== '0') return refuse('certificate-revoked');
  if (name === undefined) return refuse('certificate-unknown');
  if (!(notBefore <= now)) return refuse('certificate-not-yet-valid');
  if (!(now <= notAfter)) return refuse('certificate-expired');
  seen?.({ name, notAfter });
  return { ok: true, name, kind: 'certificate' };
}
