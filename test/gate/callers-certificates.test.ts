/** Client certificates as credentials of a connector: lines 54 and 55 of the wire contract's checklist. */
import { describe, expect, it } from 'vitest';
import { certificate, FINGERPRINT, RIGHT, resultOf, statusOf } from '../support/connector-call.ts';

describe('a client certificate', () => {
  it('an allowed certificate is accepted at the door, with a fingerprint in either spelling', async () => {
    expect((await statusOf({ cf: certificate() })).status).toBe(200);
    expect(resultOf({ cf: certificate() }, 'user-flow')).toBe('certificate cert-a');
    const other = certificate({ certFingerprintSHA256: 'CD'.repeat(32) });
    expect(resultOf({ cf: other }, 'user-flow')).toBe('certificate cert-b');
  });

  it.each([
    ['certificate-unknown', { certFingerprintSHA256: 'ef'.repeat(32) }],
    ['certificate-unknown', { certFingerprintSHA256: '' }],
    ['certificate-unknown', { certFingerprintSHA256: undefined }],
    ['certificate-unverified', { certVerified: 'FAILED:self signed certificate' }],
    ['certificate-unverified', { certVerified: 'NONE' }],
    ['certificate-unverified', { certVerified: 'success' }],
    ['certificate-unverified', { certVerified: undefined }],
    ['certificate-revoked', { certRevoked: '1' }],
    ['certificate-revoked', { certRevoked: undefined }],
    ['certificate-expired', { certNotAfter: 'Nov 26 23:59:59 2026 GMT' }],
    [
      'certificate-expired',
      { certNotAfter: 'Nov 26 23:59:59 2026 GMT', certVerified: 'FAILED:certificate has expired' },
    ],
    ['certificate-expired', { certNotAfter: 'soon' }],
    ['certificate-expired', { certNotAfter: '' }],
    ['certificate-not-yet-valid', { certNotBefore: 'Nov 28 00:00:00 2026 GMT' }],
    ['certificate-not-yet-valid', { certNotBefore: undefined }],
    ['no-credential', { certPresented: '0' }],
    ['no-credential', { certPresented: undefined }],
  ])('a certificate is refused as %s with %j (contract 54, 55)', (reason, other) => {
    expect(resultOf({ cf: certificate(other) })).toBe(reason);
  });

  it('another certificate beside right Basic is refused', () => {
    const other = certificate({ certFingerprintSHA256: 'ef'.repeat(32) });
    expect(resultOf({ cf: other, headers: { Authorization: RIGHT } })).toBe('certificate-unknown');
  });

  it('without an allowed certificate a presented one neither helps nor hinders', () => {
    const none = { CONNECTOR_CERTIFICATES: '' };
    expect(resultOf({ cf: certificate() }, 'user-flow', none)).toBe('no-credential');
    expect(resultOf({ cf: certificate(), headers: { Authorization: RIGHT } }, 'user-flow', none)).toBe('basic b2c');
  });

  it('a header that imitates a certificate authenticates no one', () => {
    const headers = {
      'X-ARR-ClientCert': 'MIIB',
      'Cf-Client-Cert-Sha256': FINGERPRINT,
      'X-Client-Cert-Verified': 'SUCCESS',
    };
    expect(resultOf({ headers })).toBe('no-credential');
  });
});
