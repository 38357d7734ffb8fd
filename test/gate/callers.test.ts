/** Lines 47 to 53 of the wire contract's checklist: who gets in. */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { authenticate } from '../../src/callers/authenticate.ts';
import { readBasicLines } from '../../src/callers/basic.ts';
import { basic, USER_FLOW } from '../support/call.ts';
import worker from '../support/worker.ts';

const TOKEN_STEP = JSON.stringify({ step: 'PreTokenIssuance' });

/** Not local: only what is configured counts. */
async function knock(authorization: string | undefined, configured: object): Promise<Response> {
  const headers = {
    'Content-Type': 'application/json',
    ...(authorization === undefined ? {} : { Authorization: authorization }),
  };
  const request = new Request(USER_FLOW, { method: 'POST', headers, body: TOKEN_STEP });
  const bindings = { ...env, LOCAL: '', ...configured };
  return worker.fetch(request as Parameters<typeof worker.fetch>[0], bindings, createExecutionContext());
}

afterEach(() => vi.restoreAllMocks());

describe('a connector call', () => {
  it('without or with a wrong credential is 401 without a body, and says nothing of why', async () => {
    const configured = { CONNECTOR_BASIC: 'b2c:s3cret' };
    for (const authorization of [
      undefined,
      '',
      'Basic',
      'Basic ',
      'Basic !!!',
      'Basic YQ',
      basic('b2c'),
      basic('b2c:'),
      basic('b2c:s3cret '),
      basic('b2c:S3cret'),
      basic(':s3cret'),
      'Bearer abc',
      'Negotiate',
      `Digest ${btoa('b2c:s3cret')}`,
    ]) {
      const answered = await knock(authorization, configured);
      expect([authorization, answered.status, await answered.text()]).toEqual([authorization, 401, '']);
      expect(answered.headers.get('WWW-Authenticate')).toContain('Basic');
    }
  });

  it('is let in by each of two live pairs, whose passwords may hold colons and any character', async () => {
    const configured = { CONNECTOR_BASIC: 'b2c:old:with:colons\nb2c:neu-pässwörd-王' };
    expect((await knock(basic('b2c:old:with:colons'), configured)).status).toBe(200);
    expect((await knock(basic('b2c:neu-pässwörd-王'), configured)).status).toBe(200);
    expect((await knock(basic('b2c:old'), configured)).status).toBe(401);
  });

  it('may write the scheme in any case', async () => {
    for (const scheme of ['basic', 'BASIC', 'bAsIc']) {
      expect((await knock(`${scheme} ${btoa('b2c:s3cret')}`, { CONNECTOR_BASIC: 'b2c:s3cret' })).status).toBe(200);
    }
  });

  it('is refused when nothing is configured, whatever it presents', async () => {
    for (const lines of ['', '\n', ':', 'b2c:', ':x', 'no-colon']) {
      for (const pair of [':', 'b2c:', ':x', 'Test:Test', 'no-colon', 'no-colon:']) {
        expect((await knock(basic(pair), { CONNECTOR_BASIC: lines })).status).toBe(401);
      }
    }
  });

  it('is refused the sample credentials outside local development, even when somebody configured them', async () => {
    expect((await knock(basic('Test:Test'), { CONNECTOR_BASIC: 'b2c:s3cret' })).status).toBe(401);
    expect((await knock(basic('Test:Test'), { CONNECTOR_BASIC: 'Test:Test\nb2c:s3cret' })).status).toBe(401);
    expect((await knock(basic('b2c:s3cret'), { CONNECTOR_BASIC: 'Test:Test\nb2c:s3cret' })).status).toBe(200);
    for (const local of ['no', 'YES', 'true', '1', 'yes ']) {
      expect((await knock(basic('Test:Test'), { LOCAL: local })).status).toBe(401);
    }
    expect((await knock(basic('Test:Test'), { LOCAL: 'yes' })).status).toBe(200);
  });

  it('is not let in by the credentials of another kind', async () => {
    const configured = { CONNECTOR_BASIC: 'b2c:1', REPORTS_BASIC: 'support:2', ADMIN_BASIC: 'boss:3' };
    expect((await knock(basic('support:2'), configured)).status).toBe(401);
    expect((await knock(basic('boss:3'), configured)).status).toBe(401);
  });

  it('that is refused leaves one log line: the reason, the configured name, never what was presented', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await knock(basic('b2c:guessed-password'), { CONNECTOR_BASIC: 'b2c:s3cret' });
    expect(log).toHaveBeenCalledTimes(1);
    const line = String(log.mock.calls[0]?.[0]);
    expect(JSON.parse(line)).toMatchObject({ event: 'refused', reason: 'wrong-credential', name: 'b2c' });
    expect(line).not.toContain('guessed');
    expect(line).not.toContain('s3cret');
  });
});

describe('Basic', () => {
  it('lets in exactly the configured pairs: for any user name without a colon and any password', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/[:\r\n]/.test(text) && text.isWellFormed());
    const password = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/[\r\n]/.test(text) && text.isWellFormed());
    const pair = fc.tuple(name, password).map((both) => both.join(':'));
    fc.assert(
      fc.property(pair, pair, (configured, presented) => {
        const ask = (text: string) =>
          authenticate(
            new Request(USER_FLOW, { headers: { Authorization: basic(text) } }),
            readBasicLines(configured).credentials,
          );
        expect(ask(configured)).toMatchObject({ ok: true, name: configured.slice(0, configured.indexOf(':')) });
        expect(ask(presented).ok).toBe(configured === presented);
      }),
    );
  });

  it('never throws, whatever the header holds', () => {
    const { credentials } = readBasicLines('b2c:s3cret');
    const header = fc.string({ unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(fc.constantFrom('', 'Basic ', 'basic', 'Basic YTpi '), header, (scheme, rest) => {
        const request = new Request(USER_FLOW, { headers: { Authorization: scheme + rest } });
        expect(authenticate(request, credentials).ok).toBe(false);
      }),
    );
  });
});
