/** Replies and attempts when the queue, Neon, KV or our own code fails, or time runs out (design section 10). */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CODE, codeIn, expectAllowed, NO_ROLES, rowsWithCode, STEPS } from '../support/any-reply.ts';
import { b2cRequest, callWith, NEON_AWAY, newClient, newObjectId, rowsOf, rowsOfOnce } from '../support/call.ts';
import worker from '../support/worker.ts';

afterEach(() => vi.restoreAllMocks());

describe('queue failure', () => {
  const throwing = { send: () => Promise.reject(new Error('queue away')) };
  const throwingAtOnce = {
    send: () => {
      throw new Error('queue away');
    },
  };

  it('when the queue refuses, the attempt is written to Neon directly, once', async () => {
    for (const queue of [throwing, throwingAtOnce]) {
      const clientId = newClient();
      const answered = await callWith({ ATTEMPTS: queue }, { step: 'PreTokenIssuance', client_id: clientId });
      expect(answered.json).toEqual(NO_ROLES);
      expect(await rowsOf(clientId)).toMatchObject([{ outcome: 'continue', reply: 'Continue' }]);
    }
  });

  it('when the queue hangs, the person does not wait, and the attempt is written to Neon directly', async () => {
    const clientId = newClient();
    const hanging = { send: () => new Promise(() => undefined) };
    const ctx = createExecutionContext();
    const request = b2cRequest({ step: 'PreTokenIssuance', client_id: clientId }) as Parameters<typeof worker.fetch>[0];
    const response = await worker.fetch(request, { ...env, ATTEMPTS: hanging as unknown as Queue }, ctx);
    expect(await response.json()).toEqual(NO_ROLES);
    expect(await rowsOf(clientId)).toEqual([]);
    await waitOnExecutionContext(ctx);
    expect(await rowsOf(clientId)).toHaveLength(1);
  }, 20_000);

  it('when the queue and Neon fail, one log line describes the lost attempt, without e-mail or claims', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const objectId = newObjectId();
    const body = {
      step: 'PreTokenIssuance',
      objectId,
      email: 'jane@example.com',
      displayName: 'Jane Doe',
      client_id: newClient(),
    };
    expect((await callWith({ ATTEMPTS: throwing, ...NEON_AWAY }, body)).json).toEqual(NO_ROLES);
    const lines = log.mock.calls.map(([line]) => String(line));
    const lost = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'attempt-lost');
    expect(lost).toMatchObject({ step: 'PreTokenIssuance', outcome: 'continue', rule: '', objectId });
    expect(lost.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(lost.at).toMatch(/Z$/);
    for (const personal of ['jane', 'Jane', 'Doe', 'gatehouse:local', 'Test:Test', btoa('Test:Test')])
      expect(lines.join('\n')).not.toContain(personal);
  });
});

describe('exception or timeout during a call', () => {
  /** A KV binding that throws on every property access. */
  const poisoned = new Proxy(
    {},
    {
      get: () => {
        throw new Error('unexpected: jane@example.com');
      },
    },
  );
  /** A body whose e-mail is normalised, which the test makes throw. */
  const breaking = (step: string, clientId: string) => ({
    step,
    client_id: clientId,
    email: `${clientId}@example.com`,
  });

  it('after an exception, the token has empty roles, sign-up is blocked with a code, and the attempt is an error', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    for (const step of STEPS) {
      const clientId = newClient();
      const normalize = vi.spyOn(String.prototype, 'normalize').mockImplementationOnce(() => {
        throw new TypeError('unexpected: jane@example.com');
      });
      const answered = await callWith({}, breaking(step, clientId), `/${step}`);
      normalize.mockRestore();
      if (step === 'PreTokenIssuance') expect(answered.json).toEqual(NO_ROLES);
      else expect(answered).toMatchObject({ status: 200, json: { action: 'ShowBlockPage' } });
      expectAllowed(answered, step);
      if (codeIn(answered) !== undefined)
        expect((await rowsWithCode(codeIn(answered), step))[0]).toMatchObject({
          outcome: 'error',
          reason: 'exception',
        });
    }
    const lines = log.mock.calls.map(([line]) => String(line)).join('\n');
    expect(lines).toContain('"event":"call-failed"');
    expect(lines).not.toContain('jane@example.com');
  });

  it('when signing fails, the call still gets a reply and an attempt', async () => {
    vi.spyOn(crypto.subtle, 'sign').mockRejectedValue(new Error('no crypto today'));
    const clientId = newClient();
    const fresh = { SUPPORT_CODE_KEY: crypto.randomUUID() };
    expect((await callWith(fresh, breaking('PreTokenIssuance', clientId))).json).toEqual(NO_ROLES);
    const blocked = await callWith(fresh, '{', '/PostFederationSignup');
    expect(blocked.json.action).toBe('ShowBlockPage');
    vi.restoreAllMocks();
    expect(await rowsOfOnce(clientId, 1)).toMatchObject([{ outcome: 'continue', fingerprint: '' }]);
    expect(await rowsWithCode(codeIn(blocked), 'PostFederationSignup')).toMatchObject([{ outcome: 'error' }]);
  });

  it('a failure before the call starts gets a block page, and the log contains its support code', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    vi.spyOn(Headers.prototype, 'get').mockImplementation(() => {
      throw new Error('unexpected');
    });
    const ctx = createExecutionContext();
    const request = b2cRequest({}, '/PostFederationSignup') as Parameters<typeof worker.fetch>[0];
    const response = await worker.fetch(request, env, ctx);
    vi.restoreAllMocks();
    const json = (await response.json()) as Record<string, unknown>;
    expect([response.status, json.action]).toEqual([200, 'ShowBlockPage']);
    const code = CODE.exec(String(json.userMessage))?.[0];
    expect(log.mock.calls.flat().join()).toContain(code);
  });

  it('a decision that arrives during the reply to a timeout does not remove the roles claim', async () => {
    const real = crypto.subtle.sign.bind(crypto.subtle);
    vi.spyOn(crypto.subtle, 'sign').mockImplementation(async (...args) => {
      await new Promise((resolve) => setTimeout(resolve, 80));
      return real(...args);
    });
    const late = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 70));
        controller.enqueue(new TextEncoder().encode('{"step":"PreTokenIssuance"}'));
        controller.close();
      },
    });
    const answered = await callWith({ DECISION_TIMEOUT_MS: '50' }, late);
    expect(answered.json.action === 'Continue' && !('extension_Roles' in answered.json)).toBe(false);
  });

  it('a KV binding that throws on every access counts as an outage of KV', async () => {
    const clientId = newClient();
    const call = { ...breaking('PreTokenIssuance', clientId), objectId: newObjectId() };
    const answered = await callWith({ GATEHOUSE: poisoned }, call);
    expect(answered.json).toEqual(NO_ROLES);
    expect(await rowsOfOnce(clientId, 1)).toMatchObject([{ degraded: 'kv-unavailable' }]);
  });

  it('a body that never ends gets a reply at the deadline, and its attempt has the reason deadline', async () => {
    for (const step of STEPS) {
      const endless = new ReadableStream({ pull: () => new Promise(() => undefined) });
      const ctx = createExecutionContext();
      const request = b2cRequest(endless, `/${step}`) as Parameters<typeof worker.fetch>[0];
      const response = await worker.fetch(request, { ...env, DECISION_TIMEOUT_MS: '50' }, ctx);
      const json = (await response.json()) as Record<string, unknown>;
      await waitOnExecutionContext(ctx);
      if (step === 'PreTokenIssuance') expect(json).toEqual(NO_ROLES);
      else {
        expect(json.action).toBe('ShowBlockPage');
        const code = CODE.exec(String(json.userMessage))?.[0];
        expect(await rowsWithCode(code, step, 1, 'deadline')).toMatchObject([{ outcome: 'error' }]);
      }
    }
  });
});
