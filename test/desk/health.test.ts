/** `/health` and `/health/ready`. */
import { createExecutionContext, createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { failedConditionNote } from '../../src/attempts/notes.ts';
import { connect } from '../../src/database/connect.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { managementApi } from '../../src/desk/management-api.ts';
import { clearPublishDue, markPublishDue } from '../../src/desk/policies/publish.ts';
import { rekey } from '../../src/desk/rekey/rekey.ts';
import { POINTER_KEY } from '../../src/policy/pointer.ts';
import { admin } from '../support/admin-call.ts';
import { deadLetterOf, noDeadLetters } from '../support/admin-changes.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { basic, call, NEON_AWAY, newClient, rowsOfOnce } from '../support/call.ts';
import { publish } from '../support/policy-call.ts';
import worker from '../support/worker.ts';

interface Ready {
  status: string;
  kv: { ok: boolean; problem?: string };
  queue: { ok: boolean; outage?: number; refused?: number; problem?: string };
  neon: {
    ok: boolean;
    problem?: string;
    differentSteps?: number;
    unknownSteps?: number;
    failedRules?: Record<string, number>;
    oldestUnsummedSeconds?: number | null;
  };
  policy: { ok: boolean; decides?: boolean; version?: number; fault?: string };
  records: { ok: boolean; rekey?: string; moved?: number; stuck?: number; foreign?: number };
  warnings: string[];
}

async function ask(path: string, bindings: object = {}, pair = 'support:support') {
  const request = new Request(`https://gatehouse.example${path}`, { headers: { Authorization: basic(pair) } });
  const answered = await worker.fetch(
    request as Parameters<typeof worker.fetch>[0],
    { ...env, ...bindings },
    createExecutionContext(),
  );
  return { status: answered.status, headers: answered.headers, json: (await answered.json()) as Ready };
}

const PARTS = ['kv', 'queue', 'neon', 'policy', 'records'] as const;
type Part = (typeof PARTS)[number];

/** Asks again while a part takes longer than its second, as on a busy machine. `failing`: those that a test breaks. */
const askParts = (bindings: object = {}, { pair, failing = [] }: { pair?: string; failing?: Part[] } = {}) =>
  vi.waitUntil(
    async () => {
      const answered = await ask('/health/ready', bindings, pair);
      return PARTS.every((part) => failing.includes(part) || answered.json[part].ok) && answered;
    },
    { timeout: 60_000, interval: 50 },
  );

describe('liveness', () => {
  it('/health is ok without credentials, even if everything behind the gate fails', async () => {
    const answered = await ask('/health', { GATEHOUSE: {}, ATTEMPTS: {}, ...NEON_AWAY }, ':');
    expect(answered).toMatchObject({ status: 200, json: { status: 'ok' } });
    expect(answered.headers.get('Cache-Control')).toBe('no-store');
  });
});

describe('readiness', () => {
  it('/health/ready requires reports credentials, and lists every part', async () => {
    expect((await ask('/health/ready', {}, 'admin:admin')).status).toBe(401);
    const { status, json } = await askParts();
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'ready', kv: { ok: true }, queue: { ok: true }, neon: { ok: true } });
  });

  it('/health/ready shows the policy in force, and is 503 when none decides', async () => {
    await env.GATEHOUSE.delete(POINTER_KEY);
    expect((await askParts()).json.policy).toMatchObject({ ok: true, decides: true, version: 0 });
    const none = await askParts({ POLICY: 'stored' });
    expect([none.status, none.json.policy]).toEqual([
      503,
      expect.objectContaining({ decides: false, fault: 'policy-missing' }),
    ]);
    expect(none.json.warnings.join()).toContain('sign-ups are blocked');

    const version = await publish({ rules: [] });
    const stored = await askParts({ POLICY: 'stored' });
    expect([stored.status, stored.json.policy]).toEqual([
      200,
      expect.objectContaining({ decides: true, version, fault: '' }),
    ]);
    expect((await askParts()).json.warnings.join()).toContain('A policy is saved, but the built-in one decides');

    await publish('broken by hand');
    const broken = await askParts({ POLICY: 'stored' });
    expect([broken.status, broken.json.policy.fault]).toEqual([503, 'policy-unreadable']);
    await env.GATEHOUSE.delete(POINTER_KEY);
  });

  it('/health/ready is not ready while the newest version cannot be read, even if an isolate has an earlier one', async () => {
    const world = { ...env, POLICY: 'stored' };
    const ready = async () => {
      const request = new Request('https://gatehouse.example/health/ready', {
        headers: { Authorization: basic('support:support') },
      });
      const context = createExecutionContext();
      const answered = await worker.fetch(request as Parameters<typeof worker.fetch>[0], world, context);
      return { status: answered.status, json: (await answered.json()) as Ready };
    };
    const version = await publish({ rules: [] });
    expect((await ready()).json).toMatchObject({ status: 'ready', policy: { decides: true, version, fault: '' } });

    await publish('no plan');
    const unreadable = await ready();
    expect(unreadable).toMatchObject({
      status: 503,
      json: { status: 'not-ready', policy: { decides: true, version, fault: 'policy-unreadable' } },
    });
    expect(unreadable.json.warnings.join()).toContain('a new isolate blocks sign-ups');

    await env.GATEHOUSE.put(POINTER_KEY, '{"v":1,"number":999999}');
    expect(await ready()).toMatchObject({ status: 503, json: { policy: { version, fault: 'policy-missing' } } });
    await env.GATEHOUSE.delete(POINTER_KEY);
  });

  it('/health/ready warns of a policy that was saved long ago and may not be in KV', async () => {
    const hourAgo = Date.now() - 3_600_000;
    const due = await markPublishDue(env.GATEHOUSE, hourAgo);
    if (!due.ok) throw new Error('KV took no key');
    const { json } = await askParts();
    expect(json.warnings.join()).toContain(new Date(hourAgo).toISOString());
    await clearPublishDue(env.GATEHOUSE, due.value);
    expect((await askParts()).json.warnings.join()).not.toContain('may not be in Workers KV');
  });

  it('/health/ready shows which part hangs or fails, and that the others work', async () => {
    const hanging = { get: () => new Promise(() => undefined), list: () => new Promise(() => undefined) };
    const noKv = await askParts({ GATEHOUSE: hanging }, { failing: ['kv', 'queue', 'policy', 'records'] });
    expect([noKv.status, noKv.json.kv.ok, noKv.json.queue.ok, noKv.json.neon.ok]).toEqual([503, false, false, true]);
    const noNeon = await askParts(NEON_AWAY, { failing: ['neon'] });
    expect([noNeon.status, noNeon.json.kv.ok, noNeon.json.queue.ok, noNeon.json.neon.ok]).toEqual([
      503,
      true,
      true,
      false,
    ]);
    expect(noNeon.json.neon.problem).toContain('Neon');
  });

  it('/health/ready warns of sample credentials, missing secrets and invalid settings, and reveals no secret', async () => {
    const deployed = {
      LOCAL: '',
      REPORTS_BASIC: 'desk:pass-word-1\nsupport:support',
      CONNECTOR_BASIC: 'Test:Test',
      ADMIN_BASIC: '',
      RETENTION_DAYS: 'many',
      SUPPORT_CODE_KEY: 'short',
    };
    const { json } = await askParts(deployed, { pair: 'desk:pass-word-1' });
    const warnings = json.warnings.join('\n');
    for (const word of [
      'REPORTS_BASIC contains a sample',
      'CONNECTOR_BASIC contains a sample',
      'CONNECTOR_BASIC has no usable',
      'ADMIN_BASIC has no usable',
      'RETENTION_DAYS',
      'SUPPORT_CODE_KEY',
    ]) {
      expect(warnings).toContain(word);
    }
    expect(warnings).not.toContain('pass-word-1');
    expect((await askParts()).json.warnings.join()).toContain('LOCAL is set');
  });

  it('/health/ready names the line of an invalid credential without its text, and timeouts that contradict each other', async () => {
    const deployed = {
      CONNECTOR_BASIC: 'b2c:one\nnocolon\n "b2c:t-w-o"\r\n\nb2c:three\t',
      KV_TIMEOUT_MS: '3000',
      DECISION_TIMEOUT_MS: '2000',
      STALE_ROLES_MAX_SECONDS: '',
      ROLES_CLAIM: 'ObjectID',
    };
    const warnings = (await askParts(deployed)).json.warnings.join('\n');
    expect(warnings).toContain('CONNECTOR_BASIC, line 2, 3, 5');
    for (const name of ['KV_TIMEOUT_MS', 'STALE_ROLES_MAX_SECONDS', 'ROLES_CLAIM']) expect(warnings).toContain(name);
    for (const text of ['nocolon', 't-w-o', 'three']) expect(warnings).not.toContain(text);
  });

  it('/health/ready counts dead letters by kind, including those of an earlier version, and names the command', async () => {
    await noDeadLetters();
    expect((await askParts()).json.queue).toEqual({ ok: true, outage: 0, refused: 0 });
    expect((await askParts()).json.warnings.join()).not.toContain('dead letters');
    for (const kind of ['outage', 'refused'] as const) {
      const letter = await deadLetterOf(`oid:${crypto.randomUUID()}`, kind);
      const { json } = await askParts();
      expect(json.queue).toEqual({ ok: true, outage: 0, refused: 0, [kind]: 1 });
      expect(json.warnings.join()).toContain('npm run dead-letters');
      await env.GATEHOUSE.delete(letter);
    }
  });

  it('/health/ready warns of rules whose condition failed unexpectedly, with name and number of calls', async () => {
    const { db } = connect(env.DATABASE_URL, 10_000);
    const rule = `guards ${crypto.randomUUID()}`;
    const notes = ['email record not used', failedConditionNote(rule, 'claims.city is absent')];
    const at = new Date(Date.now() - 3 * 3_600_000);
    await keepAttempts(db, [anAttempt({ at, notes }), anAttempt({ at, notes }), anAttempt({ at })]);
    // Another file may have summed them already.
    await sumDue(() => connect(env.DATABASE_URL, 10_000).db, new Date());
    const { json } = await askParts();
    expect(json.neon.failedRules).toMatchObject({ [rule]: 2 });
    expect(json.warnings.join()).toContain(`${rule} (2 calls)`);
  });

  it('/health/ready warns of steps that differ between URL and body, and of unknown steps', async () => {
    const clientId = newClient();
    await call({ step: 'PreTokenIssuance', client_id: clientId }, '/PostFederationSignup');
    await call({ step: 'PostNothing', client_id: clientId });
    await rowsOfOnce(clientId, 2);
    const { json } = await askParts();
    expect(json.neon.differentSteps).toBeGreaterThanOrEqual(1);
    expect(json.neon.unknownSteps).toBeGreaterThanOrEqual(1);
    expect(json.warnings.filter((warning) => warning.includes('Azure portal'))).toHaveLength(2);
  });
});

describe('the cron', () => {
  it('the cron writes a snapshot, and /reports/summary returns it, marked stale, when Neon is away', async () => {
    await env.GATEHOUSE.delete('sums:done');
    await worker.scheduled(createScheduledController({ cron: '*/5 * * * *', scheduledTime: new Date() }), env);
    const stale = await ask('/reports/summary', NEON_AWAY);
    expect(stale).toMatchObject({ status: 200, json: { stale: true } });
    const narrowed = await ask('/reports/summary?step=PreTokenIssuance', NEON_AWAY);
    expect([narrowed.status, narrowed.headers.get('Retry-After')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  });

  it('the cron never throws when Neon or KV is away', async () => {
    const controller = () => createScheduledController({ cron: '*/5 * * * *', scheduledTime: new Date() });
    await worker.scheduled(controller(), { ...env, ...NEON_AWAY });
    const throwing = {
      get: () => Promise.reject(new Error('KV is away')),
      list: () => Promise.reject(new Error('KV is away')),
      put: () => Promise.reject(new Error('KV is away')),
    };
    await worker.scheduled(controller(), { ...env, GATEHOUSE: throwing as unknown as KVNamespace });
  });
});

describe('records of people in /health/ready', () => {
  const keys = ['the newest key of these tests, long enough', 'an older key of these tests, long enough'];
  const onDesk = (settings: object) => ({
    fetch: (request: Request) => managementApi.fetch(request, { ...env, ...settings }, createExecutionContext()),
  });
  const records = async (desk: object, gate: object = desk) => {
    const { json } = await askParts({ ...gate, DESK: onDesk(desk) });
    return { ...json.records, warnings: json.warnings.join() };
  };

  it('a move waits until the gate has the newest EMAIL_KEY, and a warning names what keeps it from moving', async () => {
    await env.GATEHOUSE.delete('rekey:state');
    const both = { EMAIL_KEY: keys.join('\n') };
    const waiting = await records(both, { EMAIL_KEY: keys[1] });
    expect(waiting).toMatchObject({ ok: true, rekey: 'waiting' });
    expect(waiting.warnings).toContain('The gate does not have the first line of the desk’s EMAIL_KEY');
    const moving = await records(both);
    expect(moving).toMatchObject({ rekey: 'copy', moved: 0 });
    expect(moving.warnings).toContain('Keep the other lines until records.rekey is "done"');
    expect(moving.warnings).not.toContain('The gate does not have');
    for (const minutes of [0, 5, 10]) await rekey(env.GATEHOUSE, keys, Date.now() + minutes * 60_000);
    const done = await records(both);
    expect(done).toMatchObject({ rekey: 'done' });
    // Other files leave records under keys of their own, which another warning counts.
    expect(done.warnings).not.toContain('Keep the other lines');
    expect(done.warnings).not.toContain('The gate does not have');
    await env.GATEHOUSE.delete('rekey:state');
  });

  it('a warning says that e-mail records count for no call, and one names an EMAIL_KEY that is missing, short or a sample', async () => {
    expect(
      (await admin('PUT', '/people', { key: `email:${crypto.randomUUID()}@a.example`, roles: ['a'] })).status,
    ).toBe(200);
    const warned = async (settings: object) => (await records(settings)).warnings;
    expect(await warned({})).toContain('none of them counts');
    expect(await warned({ EMAIL_TRUSTED_ISSUERS: 'google.com' })).not.toContain('none of them counts');
    const deployed = { LOCAL: '', REPORTS_BASIC: 'desk:pass-word-1' };
    const { json } = await askParts(deployed, { pair: 'desk:pass-word-1' });
    expect(json.warnings.join()).toContain('EMAIL_KEY is missing');
  });
});

it('/health/ready warns of e-mail records while it is unconfirmed that people cannot type their address', async () => {
  const key = `person:email:${crypto.randomUUID()}@example.com`;
  await env.GATEHOUSE.put(key, '{}');
  const warned = async (bindings: object) =>
    (await askParts(bindings)).json.warnings.join().includes('EMAIL_COLLECTED_ON_PAGE');
  expect(await warned({ EMAIL_TRUSTED_ISSUERS: 'google.com' })).toBe(true);
  expect(await warned({ EMAIL_TRUSTED_ISSUERS: 'google.com', EMAIL_COLLECTED_ON_PAGE: 'no' })).toBe(false);
  expect(await warned({})).toBe(false);
  await env.GATEHOUSE.delete(key);
});

it('/health/ready warns when KEEP_CLAIMS lists a claim whose value is never stored', async () => {
  const warningsWith = async (bindings: object) => (await askParts(bindings)).json.warnings.join(' ');
  const kept = { KEEP_CLAIMS: 'country, extension_InviteCode, city' };
  expect(await warningsWith(kept)).toContain('never stored: extension_InviteCode. Remove');
  expect(await warningsWith({ ...kept, NEVER_STORE: 'city' })).toContain('never stored: extension_InviteCode, city. ');
  expect(await warningsWith({})).not.toContain('KEEP_CLAIMS');
});
