/** What the management API answers is what `/openapi.json` says, for each operation and each kind of object. */
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, it, vi } from 'vitest';
import { probes, refusedCalls } from '../../src/database/schema.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { anAttempt } from '../support/attempt.ts';
import {
  apiDoor,
  type Call,
  described,
  describedShapes,
  expectAsDescribed,
  met,
  NO_DATABASE,
} from '../support/described-api.ts';
import { FIRST, ifMatch } from '../support/policy-door.ts';

const { db, kv, write, ask } = apiDoor();

const oid = `oid:${crypto.randomUUID()}`;
const inPath = (path: string) => `/admin/people/${encodeURIComponent(oid)}${path}`;
const refused = anAttempt({
  ...{ objectId: '', step: 'PostAttributeCollection', outcome: 'block', rule: 'no-mail', supportCode: '7K3QX-9M2TB' },
  ...{
    clientId: 'shop',
    issuer: 'google.com',
    message: 'No.',
    email: 'jane@example.com',
    emailKey: 'email:jane@example.com',
  },
});
const known = {
  ...{ oidKey: oid, keptClaims: { age: 3, displayName: 'Jane Doe' }, email: 'jane@example.com' },
  ...{ emailKey: 'email:jane@example.com', issuer: 'google.com', idpKey: 'idp:google.com:1', signInType: 'federated' },
};
const failed = anAttempt({
  ...{ objectId: '', policyVersion: 1, outcome: 'error', reason: 'not-json' },
  ...{ degraded: 'kv-timeout', failedRules: ['no-mail'] },
});
const started = anAttempt({
  ...{ channel: 'custom-policy', step: 'SignInStarted', correlationId: crypto.randomUUID(), policyId: 'B2C_1A_signin' },
  ...{ shadowVersion: 2, shadowOutcome: 'block', shadowDiffers: true, otherKeys: ['name:jane'], oidKey: oid },
});

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const old = {
    at: new Date(Date.now() - 26 * 3_600_000),
    clientId: 'shop',
    rule: 'no-mail',
    outcome: 'block',
  } as const;
  await write(refused, failed, started, anAttempt(known), anAttempt(known), anAttempt(old));
  const [occurredAt, run] = [new Date(), crypto.randomUUID()];
  const probe = { id: uuidv7(), occurredAt, run, status: 200, durationMs: 3, reason: 'not-json' };
  await db().insert(probes).values(probe);
  const refusals = { occurredAt, route: 'connector', reason: 'wrong-credential' };
  const named = ['', 'Test'].map((name) => ({ id: uuidv7(), name, ...refusals }));
  await db().insert(refusedCalls).values(named);
  await sumDue(db, new Date());
  await kv.put('dead-letter:refused:a', '{"kind":"unknown"}', { metadata: { reason: '22021', diedAt: '2026-11-21' } });
  await kv.put('dead-letter:refused:b', 'not JSON');
  await kv.put('person:oid:broken', 'not JSON');
});

const rule = (id: string) => ({ id, steps: ['PostAttributeCollection'], block: true });
const policy = (...ids: string[]) => ({ rules: ids.map(rule), lists: { vip: ['jane@example.com'] } });
const changed = {
  rules: [
    {
      ...{ ...rule('a'), description: 'Changed.', advice: { en: 'Wait.' } },
      ...{ when: 'claims.email in lists.vip', onError: 'apply' },
    },
    rule('b'),
    { id: 'c', steps: ['PreTokenIssuance'], when: 'claims.extension_age > 3', set: { extension_loyalty: '"gold"' } },
  ],
  lists: { vip: ['jane@example.com'] },
  applications: { onlyThese: true, shop: 'Shop' },
  whenUnavailable: { PostFederationSignup: 'continue' },
};
/** Calls in their order, with the status and code of their answers. */
const CALLS: readonly (readonly [address: string, call: Call, status: number, code?: string])[] = [
  ['GET /health/ready', {}, 503],
  ['GET /health/ready', { settings: NO_DATABASE }, 503],
  ['GET /reports/summary', { path: '/reports/summary?include=durations,facets,minutes,people' }, 200],
  ['GET /reports/summary', { path: '/reports/summary?interval=day&rule=no-mail&clientId=shop&include=facets' }, 200],
  ['GET /reports/summary', { path: '/reports/summary?from=-99d' }, 400, 'invalid-request'],
  ['GET /reports/summary.csv', {}, 200],
  ['GET /reports/callers', {}, 200],
  ['GET /reports/attempts', { path: '/reports/attempts?limit=1' }, 200],
  ['GET /reports/attempts', {}, 200],
  ['POST /reports/attempts/search', { body: { email: 'jane@example.com' } }, 200],
  ['GET /reports/attempts.csv', {}, 200],
  ['GET /reports/attempts/:attempt', { path: `/reports/attempts/${started.id}` }, 200],
  ['GET /reports/attempts/:attempt', { path: '/reports/attempts/7K3QX-9M2TB' }, 200],
  ['GET /reports/attempts/:attempt', { path: '/reports/attempts/7K3QX-9M2TC' }, 404, 'no-such-attempt'],
  ['POST /reports/people/search', { body: { text: 'jane@example.com' } }, 200],
  ['POST /reports/people/search', { body: { text: started.id } }, 200],
  ['POST /reports/people/search', { body: { text: failed.id } }, 200],
  ['POST /reports/people/search', { body: { text: 'unknown@example.com' } }, 200],
  ['GET /reports/completeness', {}, 200],
  ['GET /reports/completeness', { path: '/reports/completeness?from=-99d' }, 400, 'invalid-request'],
  ['GET /reports/users', {}, 200],
  ['POST /reports/users/search', { body: { name: 'jane' } }, 200],
  ['GET /reports/users.csv', {}, 200],
  ['GET /reports/probes', {}, 200],
  ['GET /reports/rules/:id', { path: '/reports/rules/a' }, 404, 'no-policy'],
  ['GET /reports/roles/:key', { path: `/reports/roles/${encodeURIComponent(oid)}` }, 200],
  ['GET /reports/people/:key', { path: `/reports/people/${encodeURIComponent(oid)}?limit=1` }, 200],
  ['GET /admin/people/:key', { path: inPath('') }, 404, 'no-such-person'],
  [
    'PUT /admin/people/:key',
    {
      path: inPath(''),
      body: { roles: ['editor'], attributes: { age: 3 }, applications: { shop: { roles: ['buyer'] } } },
    },
    200,
  ],
  ['PUT /admin/people', { body: { key: 'email:jane@example.com', applications: { Shop: { roles: ['a'] } } } }, 200],
  ['GET /admin/people/:key', { path: inPath('') }, 200],
  ['POST /admin/people/search', { body: { key: oid } }, 200],
  ['GET /admin/people', { path: '/admin/people?limit=1' }, 200],
  ['GET /admin/people', {}, 200],
  ['GET /admin/people/:key/data', { path: inPath('/data') }, 200],
  ['POST /admin/people/data/preview', { body: { key: oid } }, 200],
  ['GET /reports/roles/:key', { path: `/reports/roles/${encodeURIComponent(oid)}` }, 200],
  ['POST /reports/roles/search', { body: { text: 'unknown@example.com' } }, 200],
  ['POST /reports/roles/search', { body: { text: failed.id } }, 404, 'no-person-named'],
  ['POST /reports/changes/search', { body: { text: failed.id } }, 404, 'no-person-named'],
  ['GET /reports/changes/:key', { path: `/reports/changes/${encodeURIComponent(oid)}` }, 200],
  ['POST /reports/changes/search', { body: { text: 'jane@example.com' } }, 200],
  ['DELETE /admin/people/:key', { path: inPath('') }, 200],
  ['DELETE /admin/people/:key', { path: inPath('') }, 404, 'no-such-person'],
  ['POST /admin/people/remove', { body: { key: oid } }, 404, 'no-such-person'],
  ['POST /admin/people/remove', { body: { key: 'email:jane@example.com' } }, 200],
  ['DELETE /admin/people/:key/data', { path: inPath('/data') }, 200],
  ['POST /admin/people/data/erase', { body: { key: oid } }, 200],
  ['GET /admin/policy', {}, 404, 'no-policy'],
  ['GET /admin/policy/shadow', {}, 404, 'no-shadow'],
  ['PUT /admin/policy/shadow', { body: policy('a'), headers: FIRST }, 409, 'no-policy-to-shadow'],
  ['PUT /admin/policy', { body: policy('a') }, 428, 'precondition-missing'],
  ['PUT /admin/policy', { body: { rules: [{}] }, headers: FIRST }, 400, 'invalid-policy'],
  ['PUT /admin/policy', { body: policy('a'), headers: ifMatch(1) }, 412, 'version-missing'],
  ['PUT /admin/policy', { body: policy('a'), headers: FIRST }, 200],
  ['PUT /admin/policy', { path: '/admin/policy?note=x', body: changed, headers: ifMatch(1) }, 200],
  ['PUT /admin/policy', { body: policy('c', 'b', 'd'), headers: ifMatch(1) }, 412, 'version-changed'],
  ['POST /admin/policy/rollback', { body: { to: 9 }, headers: ifMatch(2) }, 404, 'no-such-version'],
  ['POST /admin/policy/rollback', { body: { to: 1 }, headers: ifMatch(2) }, 200],
  ['GET /admin/policy', {}, 200],
  ['PUT /admin/policy/shadow', { path: '/admin/policy/shadow?sample=0.5', body: policy('d'), headers: FIRST }, 200],
  ['GET /admin/policy/shadow', {}, 200],
  [
    'POST /admin/policy/lists/:name',
    { path: '/admin/policy/lists/vip', body: { add: ['a', 'jane@example.com'] } },
    200,
  ],
  ['POST /admin/policy/lists/:name', { path: '/admin/policy/lists/vi', body: { add: ['a'] } }, 404, 'no-such-list'],
  ['POST /admin/policy/shadow/lists/:name', { path: '/admin/policy/shadow/lists/vip', body: { add: ['a'] } }, 200],
  ['DELETE /admin/policy/shadow', { headers: ifMatch(6) }, 200],
  ['GET /reports/rules', {}, 200],
  ['GET /reports/rules/:id', { path: '/reports/rules/a' }, 200],
  ['GET /reports/rules/:id', { path: '/reports/rules/onlyThese' }, 200],
  ['GET /reports/rules/:id', { path: '/reports/rules/x' }, 404, 'no-such-rule'],
  ['GET /reports/rules', { path: '/reports/rules?version=7' }, 404, 'version-without-document'],
  ['GET /reports/rules', { path: '/reports/rules?version=0' }, 200],
  ['GET /reports/rules', { path: '/reports/rules?version=2' }, 200],
  ['GET /reports/rules', { path: '/reports/rules?version=99' }, 404, 'no-such-version'],
  ['GET /reports/policy/versions', { path: '/reports/policy/versions?limit=1' }, 200],
  ['GET /reports/policy/versions', {}, 200],
  ['GET /reports/policy/differences', {}, 200],
  ['GET /reports/policy/differences', { path: '/reports/policy/differences?from=1&to=2' }, 200],
  ['GET /reports/policy/differences', { path: '/reports/policy/differences?from=7' }, 404, 'version-without-document'],
  ['GET /admin/policy/versions', { path: '/admin/policy/versions?limit=1' }, 200],
  ['GET /admin/policy/versions', {}, 200],
  ['GET /admin/policy/versions/:number', { path: '/admin/policy/versions/7' }, 200],
  ['GET /admin/policy/versions/:number', { path: '/admin/policy/versions/70' }, 404, 'no-such-version'],
  ['POST /admin/policy/try', { body: { call: { step: 'PostAttributeCollection', email: 'a@example.com' } } }, 200],
  ['POST /admin/policy/try', { body: { call: { step: 'PreTokenIssuance' }, policy: policy('a') } }, 200],
  [
    'POST /admin/policy/try',
    {
      body: {
        call: { step: 'PostAttributeCollection', email: 'jane@example.com' },
        policy: { ...changed, applications: {} },
      },
    },
    200,
  ],
  [
    'POST /admin/policy/try',
    { body: { call: { step: 'PreTokenIssuance' }, policy: { ...changed, applications: {} } } },
    200,
  ],
  ['GET /admin/changes', {}, 200],
  ['POST /admin/changes/search', { body: { subject: 'policy', limit: 1 } }, 200],
  ['GET /admin/dead-letters', { path: '/admin/dead-letters?limit=1' }, 200],
  ['GET /admin/dead-letters', {}, 200],
  ['GET /admin/dead-letters/:id', { path: '/admin/dead-letters/a' }, 200],
  ['GET /admin/dead-letters/:id', { path: '/admin/dead-letters/x' }, 404, 'no-such-dead-letter'],
  ['DELETE /admin/dead-letters/:id', { path: '/admin/dead-letters/b' }, 200],
  ['POST /admin/dead-letters/replay', {}, 200],
  ['GET /health/ready', {}, 200],
];

/** Only a list that takes more than a second to count has it. */
const NOT_MET = ['leftOut'];

it('every answer is as described: each operation answers 200, and each kind of object in an answer occurs', async () => {
  const answered = new Set<string>();
  for (const [address, call, status, code] of CALLS) {
    const asked = await ask(address, call);
    expect([address, call, asked.status, asked.code], JSON.stringify(asked.json.errors)).toEqual([
      address,
      call,
      status,
      code,
    ]);
    expectAsDescribed(asked);
    if (status === 200) answered.add(address);
  }
  expect(describedShapes().filter((shape) => !met.has(shape))).toEqual(NOT_MET);
  expect([...described.keys()].filter((address) => !answered.has(address))).toEqual([]);
});
