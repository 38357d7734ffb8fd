/** `POST /admin/policy/try`: the reply that B2C would get, and the reason. Nothing is recorded. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { admin } from '../support/admin-call.ts';
import { basic, newClient, newObjectId, rowsOf, rowsOfOnce } from '../support/call.ts';
import { isolate, publish, watchedKv } from '../support/policy-call.ts';
import worker from '../support/worker.ts';

const SIGN_UP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';

async function tryIt(body: unknown, bindings: object = {}, pair = 'admin:admin') {
  const request = new Request('https://gatehouse.example/admin/policy/try', {
    method: 'POST',
    headers: { Authorization: basic(pair), 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const ctx = createExecutionContext();
  const world = { ...env, POLICY: 'stored', ...bindings };
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], world, ctx);
  const json = await response.json<Record<string, unknown>>();
  await waitOnExecutionContext(ctx);
  return { status: response.status, json };
}

const draft = {
  lists: { blocked: ['bad.example'] },
  messages: { no: { en: 'No {supportCode}', de: 'Nein {supportCode}' } },
  rules: [
    { id: 'mail', steps: [SIGN_UP], when: 'has(claims.email) && domain(claims.email) in lists.blocked', block: 'no' },
    { id: 'adult', steps: [SIGN_UP], when: 'age(string(claims.extension_Born)) < 18', onError: 'skip', invalid: 'no' },
    { id: 'tidy', steps: [SIGN_UP], set: { givenName: 'titleCase(claims.givenName)' } },
    { id: 'roles', steps: [TOKEN], set: { extension_Roles: "person.roles.join(' ')" } },
  ],
};

beforeEach(() => publish({ rules: [{ id: 'stored', steps: [SIGN_UP], set: { city: "'stored'" } }] }));

describe('/admin/policy/try', () => {
  it('a draft is tried with its exact reply, and the condition and the set claims of each rule', async () => {
    const { status, json } = await tryIt({
      policy: draft,
      call: { step: SIGN_UP, email: 'a@good.example', givenName: 'ANN' },
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      policyVersion: 'draft',
      step: SIGN_UP,
      reply: { status: 200, body: { version: '1.0.0', action: 'Continue', givenName: 'Ann' } },
      decision: { outcome: 'continue' },
      supportCode: '',
    });
    expect(json.trace).toEqual([
      { rule: 'mail', reached: true, applied: false, when: { value: false } },
      { rule: 'adult', reached: true, applied: false, when: { error: expect.any(String) } },
      { rule: 'tidy', reached: true, applied: true, set: { givenName: { value: 'Ann' } } },
    ]);
  });

  it('a blocking rule ends the trace, and its message has the language of the page and the support code', async () => {
    const call = { step: SIGN_UP, email: 'a@bad.example', ui_locales: 'de-AT' };
    const { json } = await tryIt({ policy: draft, call });
    expect(json.reply).toEqual({
      status: 200,
      body: { version: '1.0.0', action: 'ShowBlockPage', userMessage: `Nein ${json.supportCode}` },
    });
    expect(json.decision).toMatchObject({ outcome: 'block', rule: 'mail', messageKey: 'no', messageLanguage: 'de' });
    expect(json.trace).toEqual([
      { rule: 'mail', reached: true, applied: true, when: { value: true } },
      { rule: 'adult', reached: false },
      { rule: 'tidy', reached: false },
    ]);
    await publish(draft);
    const real = await isolate().call(JSON.stringify(call));
    expect(real.json).toEqual((json.reply as { body: object }).body);
  });

  it('without a draft, the policy in force is tried, and a note says when that is the built-in one', async () => {
    const stored = await tryIt({ call: { step: SIGN_UP } });
    expect(stored.json.reply).toMatchObject({ body: { city: 'stored' } });
    const builtIn = await tryIt({ call: { step: TOKEN } }, { POLICY: 'built-in' });
    expect(builtIn.json).toMatchObject({ policyVersion: 0, reply: { body: { extension_Roles: '' } } });
    expect(JSON.stringify(builtIn.json.notes)).toContain('built-in');
  });

  it('the entitlements of the request replace those of the person in KV', async () => {
    const objectId = newObjectId();
    const record = {
      v: 1,
      roles: ['held'],
      groups: [],
      attributes: {},
      applications: {},
      updatedAt: '2026-11-01T00:00:00Z',
      updatedBy: 'x',
    };
    await env.GATEHOUSE.put(`person:oid:${objectId}`, JSON.stringify(record));
    const call = { step: TOKEN, objectId, client_id: 'Shop' };
    const held = await tryIt({ policy: draft, call });
    expect(held.json).toMatchObject({
      reply: { body: { extension_Roles: 'held' } },
      entitlements: { roles: ['held'] },
    });
    const given = { roles: ['a'], applications: { SHOP: { roles: ['b'] } } };
    expect((await tryIt({ policy: draft, call, entitlements: given })).json).toMatchObject({
      reply: { body: { extension_Roles: 'a b' } },
    });
  });

  it('a trial says that a record of the e-mail exists and is not used, which a call does not look for', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    const notes = async () => (await tryIt({ policy: draft, call: { step: TOKEN, email } })).json.notes;
    expect(await notes()).not.toContain('email record not used');
    expect((await admin('PUT', '/people', { key: `email:${email}`, roles: ['held'] })).status).toBe(200);
    expect(await notes()).toEqual(
      expect.arrayContaining(['no entitlements found for this person', 'email record not used']),
    );
  });

  it('the request can give the step, and the time for age and request.time', async () => {
    const call = { extension_Born: '2008-11-22' };
    const at = async (now: string) => (await tryIt({ policy: draft, step: SIGN_UP, call, now })).json.decision;
    expect(await at('2026-11-21T23:59:59Z')).toMatchObject({ outcome: 'invalid', rule: 'adult' });
    expect(await at('2026-11-22T00:00:00Z')).toMatchObject({ outcome: 'continue' });
  });

  it('the request can name an exchange in any case, of the draft or of the policy in force', async () => {
    const exchanges = { GetProfile: { kind: 'orchestration', outputs: { balance: 'string', groups: 'list' } } };
    const set = { balance: 'person.attributes.balance', groups: 'person.groups' };
    const document = { exchanges, rules: [{ id: 'profile', steps: ['GetProfile'], set }] };
    const entitlements = { groups: ['Blue'], attributes: { balance: '760.50' } };
    const trial = { call: { objectId: newObjectId() }, step: 'getprofile', entitlements };
    const reply = { status: 200, body: { balance: '760.50', groups: ['Blue'] } };
    const drafted = await tryIt({ ...trial, policy: document });
    expect(drafted.json).toMatchObject({ step: 'GetProfile', reply });
    await publish(document);
    expect((await tryIt(trial)).json).toMatchObject({ step: 'GetProfile', reply, trace: [{ rule: 'profile' }] });
    expect((await tryIt({ ...trial, step: 'SetProfile' })).json.detail).toMatch(
      /^step: not a step\. Write .*GetProfile/,
    );
  });

  it('a trial at another time does not affect the cache that calls of B2C use when KV fails', async () => {
    await publish({ rules: [{ id: 'roles', steps: [TOKEN], set: { extension_Roles: 'person.roles' } }] });
    const objectId = newObjectId();
    const held = { v: 1, roles: ['editor'], groups: [], attributes: {}, applications: {}, updatedBy: 'x' };
    await env.GATEHOUSE.put(`person:oid:${objectId}`, JSON.stringify({ ...held, updatedAt: '2026-11-01T00:00:00Z' }));
    const call = { step: TOKEN, objectId };
    expect((await isolate().call(call)).json.extension_Roles).toBe('editor');
    expect((await tryIt({ call, now: '2020-01-01T00:00:00Z' })).status).toBe(200);
    const { kv } = watchedKv((keys) => (Array.isArray(keys) ? Promise.reject(new Error('down')) : undefined));
    expect((await isolate({ GATEHOUSE: kv }).call(call)).json.extension_Roles).toBe('editor');
  });

  it('a note names onlyThese when the policy does not name the application', async () => {
    const policy = { applications: { shop: 'Shop', onlyThese: true }, rules: draft.rules.slice(3) };
    const notes = async (client_id: string) =>
      String((await tryIt({ policy, call: { step: TOKEN, client_id } })).json.notes);
    expect(await notes('other')).toContain('onlyThese');
    expect(await notes('SHOP')).not.toContain('onlyThese');
  });

  it('a trial is not recorded', async () => {
    const client_id = newClient();
    await tryIt({ policy: draft, call: { step: SIGN_UP, client_id, email: 'a@bad.example' } });
    await isolate().call({ step: SIGN_UP, client_id });
    // The queue keeps its order: a recorded trial would be a row before this call.
    await rowsOfOnce(client_id, 1);
    expect((await rowsOf(client_id)).map(({ outcome }) => outcome)).toEqual(['continue']);
  });
});

describe('/admin/policy/try: refusals', () => {
  it.each([
    [{}, 'call'],
    [{ call: [] }, 'call'],
    [{ call: {}, polizy: {} }, 'unknown: polizy'],
    [{ call: {}, step: 'Sometimes' }, 'step'],
    [{ call: {}, now: 'yesterday' }, 'now'],
    [{ call: {}, entitlements: { roles: ['a b'] } }, 'entitlements.roles'],
    [{ call: {}, policy: null }, 'policy'],
    [
      { call: {}, policy: { rules: [{ id: 'x', steps: [SIGN_UP], when: 'domian(1)', block: true }] } },
      'policy.rules[0].when',
    ],
    ['{', 'JSON'],
  ])('%j is refused with the name of the invalid member', async (body, named) => {
    const { status, json } = await tryIt(body);
    expect([status, json.detail]).toEqual([400, expect.stringContaining(named)]);
  });

  it('a trial needs an admin credential', async () => {
    expect((await tryIt({ call: {} }, {}, 'support:support')).status).toBe(401);
  });

  it('a trial without a draft is a 503 when no policy is in force', async () => {
    await publish('broken');
    const { status, json } = await tryIt({ call: { step: SIGN_UP } });
    expect([status, json.code]).toEqual([503, 'nothing-decides']);
  });
});
