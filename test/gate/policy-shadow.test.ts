/** The shadow policy: it runs after the reply, and its decisions are recorded and reported. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { b2cRequest, newClient, newObjectId, rowsOfOnce } from '../support/call.ts';
import { isolate, publish, putVersion, watchedKv } from '../support/policy-call.ts';
import { type Listed, report } from '../support/reports-call.ts';
import worker from '../support/worker.ts';

const SIGN_UP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';

const real = {
  messages: { no: { en: 'No {supportCode}' } },
  rules: [
    { id: 'real', steps: [SIGN_UP], when: "has(claims.city) && claims.city == 'Blocked'", block: 'no' },
    { id: 'tidy', steps: [SIGN_UP], set: { state: "'real'", country: "'AT'" } },
    { id: 'roles', steps: [TOKEN], set: { extension_Roles: 'person.roles' } },
  ],
};
const draft = {
  messages: { other: { en: 'Really no {supportCode}' } },
  rules: [
    {
      id: 'stricter',
      steps: [SIGN_UP],
      when: "has(claims.city) && claims.city in ['Blocked', 'Refused']",
      invalid: 'other',
    },
    { id: 'tidy', steps: [SIGN_UP], set: { state: "'draft'", country: "'AT'", extension_New: "'x'" } },
    { id: 'roles', steps: [TOKEN], set: { extension_Roles: 'person.roles' } },
  ],
};

afterEach(() => vi.restoreAllMocks());

const withShadow = async (sample = 1, shadow: unknown = draft) =>
  publish(real, { shadow: { number: await putVersion(shadow), sample } });

describe('decision of the shadow policy', () => {
  it('the attempt contains the shadow’s decision with its rule and claim names, without values', async () => {
    await withShadow();
    const client_id = newClient();
    const gate = isolate();
    const at = (body: object) => gate.call({ client_id, ...body });
    expect((await at({ step: SIGN_UP, city: 'Blocked' })).json.action).toBe('ShowBlockPage');
    expect((await at({ step: SIGN_UP, city: 'Refused' })).json).toMatchObject({ action: 'Continue', state: 'real' });
    expect((await at({ step: SIGN_UP })).json).not.toHaveProperty('extension_New');
    expect((await at({ step: TOKEN, objectId: newObjectId() })).json).toMatchObject({ extension_Roles: '' });
    const rows = await rowsOfOnce(client_id, 4);
    const shown = rows.map((row) => [
      row.outcome,
      row.shadowOutcome,
      row.shadowRule,
      row.shadowDiffers,
      row.shadowClaims.join(),
    ]);
    expect(shown).toEqual(
      expect.arrayContaining([
        ['block', 'invalid', 'stricter', true, ''],
        ['continue', 'invalid', 'stricter', true, ''],
        ['continue', 'continue', '', true, 'state,extension_New'],
        ['continue', 'continue', '', false, ''],
      ]),
    );
    expect(JSON.stringify(rows)).not.toContain('draft');
  });

  it('/reports/attempts shows and filters shadow decisions, and /reports/summary counts them', async () => {
    await withShadow();
    const client_id = newClient();
    const gate = isolate();
    for (const city of ['Refused', 'Refused', 'Blocked', 'Graz']) await gate.call({ step: SIGN_UP, client_id, city });
    await gate.call({ step: TOKEN, client_id, objectId: newObjectId() });
    await rowsOfOnce(client_id, 5);
    const listed = async (shadow: string) =>
      (await (await report(`/attempts?clientId=${client_id}&shadow=${shadow}`)).json<Listed>()).attempts;
    expect((await listed('differs')).map((attempt) => attempt.shadow?.outcome).sort()).toEqual([
      'continue',
      'invalid',
      'invalid',
      'invalid',
    ]);
    expect((await listed('same')).map((attempt) => attempt.step)).toEqual([TOKEN]);
    expect((await report('/attempts?shadow=maybe')).status).toBe(400);

    const summary = await (await report(`/summary?clientId=${client_id}`)).json<{
      shadow: object[];
      coverage: string[];
    }>();
    expect(summary.shadow).toEqual([
      {
        version: expect.any(Number),
        compared: 5,
        different: 4,
        differences: [
          { outcome: 'continue', rule: '', shadowOutcome: 'invalid', shadowRule: 'stricter', attempts: 2 },
          expect.objectContaining({ attempts: 1 }),
          expect.objectContaining({ attempts: 1 }),
        ],
      },
    ]);
    expect(summary.coverage.join()).toContain('"shadow" compares');
    const none = await (await report(`/summary?clientId=${newClient()}`)).json<object>();
    expect(none).not.toHaveProperty('shadow');
  });

  it('the shadow runs for the configured share of the calls', async () => {
    await withShadow(0.25);
    const client_id = newClient();
    const gate = isolate();
    const chance = vi.spyOn(Math, 'random');
    for (const value of [0, 0.2499, 0.25, 0.9]) {
      chance.mockReturnValue(value);
      await gate.call({ step: SIGN_UP, client_id });
    }
    chance.mockRestore();
    const rows = await rowsOfOnce(client_id, 4);
    expect(rows.filter(({ shadowVersion }) => shadowVersion > 0)).toHaveLength(2);
  });

  it('the shadow sees entitlements that the active policy does not read', async () => {
    const rules = [{ id: 'members', steps: [SIGN_UP], when: "'member' in person.groups", block: true }];
    await withShadow(1, { rules });
    const [client_id, objectId] = [newClient(), newObjectId()];
    const record = {
      v: 1,
      roles: [],
      groups: ['member'],
      attributes: {},
      applications: {},
      updatedAt: '2026-11-01T00:00:00Z',
      updatedBy: 'x',
    };
    await env.GATEHOUSE.put(`person:oid:${objectId}`, JSON.stringify(record));
    const { kv, asked } = watchedKv();
    await isolate({ GATEHOUSE: kv }).call({ step: SIGN_UP, client_id, objectId });
    expect((await rowsOfOnce(client_id, 1))[0]).toMatchObject({
      outcome: 'continue',
      shadowOutcome: 'block',
      shadowRule: 'members',
    });
    expect(asked.flat().filter((key) => key.startsWith('person:'))).toEqual([`person:oid:${objectId}`]);
  });

  it('the shadow does not run for calls without a decision', async () => {
    await withShadow();
    const client_id = newClient();
    await isolate().call({ step: 'Nonsense', client_id });
    expect((await rowsOfOnce(client_id, 1))[0]).toMatchObject({ outcome: 'error', shadowVersion: 0 });
  });
});

describe('reply with a shadow policy', () => {
  it('the reply is byte-identical with and without a shadow, and is sent before the shadow runs', async () => {
    const body = { step: SIGN_UP, client_id: newClient(), city: 'Refused', givenName: 'Ann' };
    await publish(real);
    const without = (await isolate().call(body)).text;
    await withShadow();
    const gate = isolate();
    await gate.call(body);
    const order: string[] = [];
    const chance = vi.spyOn(Math, 'random').mockImplementation(() => {
      order.push('shadow');
      return 0;
    });
    const ctx = createExecutionContext();
    const response = await worker.fetch(b2cRequest(body) as Parameters<typeof worker.fetch>[0], gate.env, ctx);
    order.push('reply');
    expect(await response.text()).toBe(without);
    await waitOnExecutionContext(ctx);
    expect(order).toEqual(['reply', 'shadow']);
    chance.mockRestore();
  });
});
