/** What readiness and the log warn of: credentials that expire, are shared or cannot be used. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { noteExpiry } from '../../src/callers/certificate-expiry.ts';
import { basic } from '../support/call.ts';
import { certificate, FINGERPRINT, SETTINGS, statusOf } from '../support/connector-call.ts';
import worker from '../support/worker.ts';

afterEach(() => vi.restoreAllMocks());

describe('readiness', () => {
  async function warningsWith(settings: object) {
    const context = createExecutionContext();
    const request = new Request('https://gatehouse.example/health/ready', {
      headers: { Authorization: basic('support:a-password-of-support') },
    });
    const bindings = { ...env, ...SETTINGS, REPORTS_BASIC: 'support:a-password-of-support', ...settings };
    const answered = await worker.fetch(request as Parameters<typeof worker.fetch>[0], bindings, context);
    await waitOnExecutionContext(context);
    return ((await answered.json()) as { warnings: string[] }).warnings.join('\n');
  }
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toUTCString().replace(/^\w+, /, '');

  it('a certificate that was seen warns from 31 days before it expires, in readiness and once a day in the log', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const settings = { CONNECTOR_CERTIFICATES: `soon:${FINGERPRINT}\nlater:${'cd'.repeat(32)}` };
    const soon = certificate({ certNotAfter: inDays(30) });
    const later = certificate({ certNotAfter: inDays(32), certFingerprintSHA256: 'cd'.repeat(32) });
    for (const cf of [soon, later, soon]) expect((await statusOf({ cf }, settings)).status).toBe(200);
    const logged = log.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('certificate-expires'));
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([{ event: 'certificate-expires', name: 'soon' }]);
    expect([...(await env.GATEHOUSE.list({ prefix: 'certificate-expires:' })).keys].map(({ name }) => name)).toEqual([
      'certificate-expires:soon',
    ]);
    const warnings = await warningsWith(settings);
    expect(warnings).toContain('The client certificate soon expires on ');
    expect(warnings).not.toContain('certificate later');
  });

  it('two certificates of one name that take turns are logged once each', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const other = 'ab'.repeat(32);
    const settings = { CONNECTOR_CERTIFICATES: `turns:${FINGERPRINT}\nturns:${other}` };
    const first = certificate({ certNotAfter: inDays(10) });
    const second = certificate({ certNotAfter: inDays(20), certFingerprintSHA256: other });
    for (const cf of [first, second, first, second]) expect((await statusOf({ cf }, settings)).status).toBe(200);
    const logged = log.mock.calls.filter(([line]) => String(line).includes('"name":"turns"'));
    expect(logged).toHaveLength(2);
    await env.GATEHOUSE.delete('certificate-expires:turns');
  });

  it('a certificate that another isolate saw warns too', async () => {
    const notAfter = Date.parse('2026-12-24T00:00:00Z');
    await noteExpiry(env.GATEHOUSE, { name: 'seen-elsewhere', notAfter });
    expect(await warningsWith({})).toContain('The client certificate seen-elsewhere expires on 2026-12-24.');
    await env.GATEHOUSE.delete('certificate-expires:seen-elsewhere');
  });

  it('a key of a connector that opens a staff door too is a problem', async () => {
    const shared = 'one-secret-for-two-doors';
    const same = 'Two of connector, reports and admin have the same credentials.';
    expect(await warningsWith({ CONNECTOR_KEYS: `gateway:${shared}`, ADMIN_BASIC: `boss:${shared}` })).toContain(same);
    expect(await warningsWith({ CONNECTOR_TOKENS: `policy:${shared}`, ADMIN_BASIC: `boss:${shared}` })).toContain(same);
    expect(await warningsWith({ ADMIN_BASIC: 'boss:another-secret-for-admins' })).not.toContain(same);
  });

  it('an unusable issuer or a single certificate is a warning', async () => {
    const warnings = await warningsWith({ CONNECTOR_ISSUERS: '[{}]', CONNECTOR_CERTIFICATES: `a:${FINGERPRINT}` });
    expect(warnings).toContain('CONNECTOR_ISSUERS, entry 1');
    expect(warnings).toContain('CONNECTOR_CERTIFICATES has one certificate');
  });
});
