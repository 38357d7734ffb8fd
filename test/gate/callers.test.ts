/** Authentication of callers: lines 47 to 53 and 58 of the wire contract's checklist. */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { authenticateStaff } from '../../src/callers/authenticate.ts';
import { readBasicLines } from '../../src/callers/basic.ts';
import { basic, USER_FLOW } from '../support/call.ts';
import worker from '../support/worker.ts';

const TOKEN_STEP = JSON.stringify({ step: 'PreTokenIssuance' });

/** Calls a Gatehouse without LOCAL, where only configured credentials are valid. */
async function callAs(authorization: string | undefined, configured: object): Promise<Response> {
  const headers = {
    'Content-Type': 'application/json',
    ...(authorization === undefined ? {} : { Authorization: authorization }),
  };
  const request = new Request(USER_FLOW, { method: 'POST', headers, body: TOKEN_STEP });
  const bindings = { ...env, LOCAL: '', ...configured };
  return worker.fetch(request as Parameters<typeof worker.fetch>[0], bindings, createExecutionContext());
}

afterEach(() => vi.restoreAllMocks());

describe('authentication of a connector call', () => {
  it('a call with a missing, wrong or malformed credential gets 401 without a body (contract 47, 50)', async () => {
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
      const answered = await callAs(authorization, configured);
      expect([authorization, answered.status, await answered.text()]).toEqual([authorization, 401, '']);
      expect(answered.headers.get('WWW-Authenticate')).toContain('Basic');
    }
  });

  it('each of two configured pairs is accepted, and passwords may contain colons and any character (contract 48, 53)', async () => {
    const configured = { CONNECTOR_BASIC: 'b2c:old:with:colons\nb2c:neu-pässwörd-王' };
    expect((await callAs(basic('b2c:old:with:colons'), configured)).status).toBe(200);
    expect((await callAs(basic('b2c:neu-pässwörd-王'), configured)).status).toBe(200);
    expect((await callAs(basic('b2c:old'), configured)).status).toBe(401);
  });

  it('the scheme is case-insensitive (contract 49)', async () => {
    for (const scheme of ['basic', 'BASIC', 'bAsIc']) {
      expect((await callAs(`${scheme} ${btoa('b2c:s3cret')}`, { CONNECTOR_BASIC: 'b2c:s3cret' })).status).toBe(200);
    }
  });

  it('every credential is refused when no usable pair is configured (contract 51)', async () => {
    for (const lines of ['', '\n', ':', 'b2c:', ':x', 'no-colon']) {
      for (const pair of [':', 'b2c:', ':x', 'Test:Test', 'no-colon', 'no-colon:']) {
        expect((await callAs(basic(pair), { CONNECTOR_BASIC: lines })).status).toBe(401);
      }
    }
  });

  it('the sample credentials are refused outside local development, even when they are configured', async () => {
    expect((await callAs(basic('Test:Test'), { CONNECTOR_BASIC: 'b2c:s3cret' })).status).toBe(401);
    expect((await callAs(basic('Test:Test'), { CONNECTOR_BASIC: 'Test:Test\nb2c:s3cret' })).status).toBe(401);
    expect((await callAs(basic('b2c:s3cret'), { CONNECTOR_BASIC: 'Test:Test\nb2c:s3cret' })).status).toBe(200);
    for (const local of ['no', 'YES', 'true', '1', 'yes ']) {
      expect((await callAs(basic('Test:Test'), { LOCAL: local })).status).toBe(401);
    }
    expect((await callAs(basic('Test:Test'), { LOCAL: 'yes' })).status).toBe(200);
  });

  it('every configured line is compared in constant time, wherever a wrong one differs (contract 52)', async () => {
    const configured = { CONNECTOR_BASIC: 'b2c:s3cret-of-24-characters\nnext:another-of-24-characters' };
    const compared = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    const counts = new Set<number>();
    for (const pair of [
      'x:s3cret-of-24-characters',
      'b2c:x3cret-of-24-characters',
      'b2c:s3cret-of-24-characterx',
      'b2c:',
    ]) {
      compared.mockClear();
      expect((await callAs(basic(pair), configured)).status).toBe(401);
      counts.add(compared.mock.calls.length);
    }
    expect([...counts]).toEqual([4]);
  });

  it('a right credential is accepted and a wrong one refused from any address (contract 58)', async () => {
    const call = async (pair: string, headers: Record<string, string>) => {
      const request = new Request(USER_FLOW, {
        method: 'POST',
        headers: { Authorization: basic(pair), ...headers },
        body: TOKEN_STEP,
      });
      const bindings = { ...env, LOCAL: '', CONNECTOR_BASIC: 'b2c:s3cret' };
      return (await worker.fetch(request as Parameters<typeof worker.fetch>[0], bindings, createExecutionContext()))
        .status;
    };
    for (const address of ['203.0.113.7', '2001:db8::1', 'not an address', ''])
      for (const name of ['CF-Connecting-IP', 'X-Forwarded-For', 'X-Real-IP']) {
        expect(await call('b2c:s3cret', { [name]: address }), `${name} ${address}`).toBe(200);
        expect(await call('b2c:wrong', { [name]: address }), `${name} ${address}`).toBe(401);
      }
  });

  it('credentials for reports or administration are refused', async () => {
    const configured = { CONNECTOR_BASIC: 'b2c:1', REPORTS_BASIC: 'support:2', ADMIN_BASIC: 'boss:3' };
    expect((await callAs(basic('support:2'), configured)).status).toBe(401);
    expect((await callAs(basic('boss:3'), configured)).status).toBe(401);
  });

  it('a refusal logs one line with the reason and the configured name, never the presented credential', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    // A name of its own: refusals of one kind share a line within ten seconds.
    await callAs(basic('b2c-logged:guessed-password'), { CONNECTOR_BASIC: 'b2c-logged:s3cret' });
    expect(log).toHaveBeenCalledTimes(1);
    const line = String(log.mock.calls[0]?.[0]);
    expect(JSON.parse(line)).toMatchObject({ event: 'refused', reason: 'wrong-credential', name: 'b2c-logged' });
    expect(line).not.toContain('guessed');
    expect(line).not.toContain('s3cret');
  });
});

describe('HTTP Basic', () => {
  it('exactly the configured pair is accepted, for every user name without a colon and every password', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/[:\r\n]/.test(text) && text.isWellFormed());
    const password = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/[\r\n]/.test(text) && text.isWellFormed());
    const pair = fc.tuple(name, password).map((both) => both.join(':'));
    fc.assert(
      fc.property(pair, pair, (configured, presented) => {
        const check = (text: string) =>
          authenticateStaff(
            new Request(USER_FLOW, { headers: { Authorization: basic(text) } }),
            readBasicLines(configured).credentials,
          );
        expect(check(configured)).toMatchObject({ ok: true, name: configured.slice(0, configured.indexOf(':')) });
        expect(check(presented).ok).toBe(configured === presented);
      }),
    );
  });

  it('no header makes the authentication throw', () => {
    const { credentials } = readBasicLines('b2c:s3cret');
    const header = fc.string({ unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(fc.constantFrom('', 'Basic ', 'basic', 'Basic YTpi '), header, (scheme, rest) => {
        const request = new Request(USER_FLOW, { headers: { Authorization: scheme + rest } });
        expect(authenticateStaff(request, credentials).ok).toBe(false);
      }),
    );
  });
});
