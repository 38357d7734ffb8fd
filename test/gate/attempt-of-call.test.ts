/** What is recorded of a call, and of a call that is made twice. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { codeIn, rowsWithCode } from '../support/any-reply.ts';
import { b2cRequest, call, newClient, newObjectId, rowsOfOnce } from '../support/call.ts';
import worker from '../support/worker.ts';

describe('attempt of a call', () => {
  it('the attempt is registered before the first await, so that a disconnect of B2C cannot cancel it', async () => {
    const clientId = newClient();
    const registered: Promise<unknown>[] = [];
    const ctx = {
      waitUntil: (work: Promise<unknown>) => void registered.push(work),
      passThroughOnException() {},
      props: {},
    };
    const request = b2cRequest({ step: 'PreTokenIssuance', client_id: clientId }) as Parameters<typeof worker.fetch>[0];
    const reply = worker.fetch(request, env, ctx as unknown as ExecutionContext);
    expect(registered).toHaveLength(1);
    await registered[0];
    expect(await rowsOfOnce(clientId, 1)).toMatchObject([{ reply: 'Continue' }]);
    await reply;
  });

  it('the attempt contains the caller, locale, identities and ray id of the call', async () => {
    const clientId = newClient();
    const identity = {
      signInType: 'emailAddress',
      issuer: 'contoso.onmicrosoft.com',
      issuerAssignedId: 'jane@example.com',
    };
    const body = {
      step: 'PostAttributeCollection',
      client_id: clientId.toUpperCase(),
      ui_locales: 'de-AT, en;fr',
      identities: [identity, { ...identity, issuerAssignedId: '2' }],
    };
    await call(body, '', { 'cf-ray': '8a1b2c3d4e5f-VIE' });
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row).toMatchObject({
      channel: 'user-flow',
      clientId,
      caller: 'Test',
      locale: 'de-AT',
      cfRay: '8a1b2c3d4e5f-VIE',
      ...identity,
      idpKey: 'idp:contoso.onmicrosoft.com:jane%40example.com',
      otherKeys: ['idp:contoso.onmicrosoft.com:2', 'name:jane@example.com', 'name:2'],
      policyVersion: 0,
    });
    expect(row?.isolate).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(row?.sequence).toBeGreaterThan(0);
    expect(row?.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(row?.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('two unreadable calls have different support codes', async () => {
    const [one, two] = [await call('', '/PostFederationSignup'), await call('', '/PostFederationSignup')];
    expect(codeIn(one)).not.toBe(codeIn(two));
  });
});

describe('retry of a call', () => {
  it('both calls get the same reply, support code and fingerprint, and values that are not stored do not change it', async () => {
    const clientId = newClient();
    const body = { step: 'PreTokenIssuance', client_id: clientId, objectId: newObjectId() };
    const [one, two] = await Promise.all([call(body), call(body)]);
    expect(one.text).toBe(two.text);
    const rows = await rowsOfOnce(clientId, 2);
    expect(new Set(rows.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(2);

    await call({ ...body, extension_Born: '2001-02-03' });
    await call({ ...body, extension_Born: '1999-12-31' });
    const [, , three, four] = await rowsOfOnce(clientId, 4);
    expect(three?.fingerprint).toBe(four?.fingerprint);
    expect(three?.fingerprint).not.toBe(rows[0]?.fingerprint);

    const half = `{"client_id":"${clientId}`;
    const [first, second] = [await call(half, '/PostFederationSignup'), await call(half, '/PostFederationSignup')];
    expect(first.text).toBe(second.text);
    expect(await rowsWithCode(codeIn(first), 'PostFederationSignup', 2)).toHaveLength(2);
  });
});
