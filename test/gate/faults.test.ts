/** Replies and attempts after each kind of failure (design section 10). */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { replyTo } from '../../src/gate/user-flow/reply.ts';
import {
  type Answered,
  b2cRequest,
  call,
  callWith,
  NEON_AWAY,
  newClient,
  newObjectId,
  rowsOf,
  rowsOfOnce,
  WRITTEN_WITHIN_MS,
} from '../support/call.ts';
import worker from '../support/worker.ts';

const STEPS = ['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance'] as const;
const NO_ROLES = { version: '1.0.0', action: 'Continue', extension_Roles: '' };
const CODE = /\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b/;

/** Expects a reply that the contract allows at a step without a decision (checklist lines 21 to 30). */
function expectAllowed(answered: Answered, step: string | undefined) {
  const { status, contentType, json } = answered;
  expect(contentType).toBe('application/json');
  expect(json.version).toBe('1.0.0');
  expect(Object.values(json)).not.toContain(null);
  if (json.action === 'Continue') expect(status).toBe(200);
  else if (json.action === 'ShowBlockPage') {
    expect([status, step === 'PreTokenIssuance', json.userMessage !== '']).toEqual([200, false, true]);
  } else {
    expect(json.action).toBe('ValidationError');
    expect([status, json.status, step === undefined || step === 'PostAttributeCollection']).toEqual([400, 400, true]);
  }
  if (step === 'PreTokenIssuance') {
    expect(json).toHaveProperty('extension_Roles');
    expect(json).not.toHaveProperty('email');
  }
}

/** The support code in a reply. */
const codeIn = (answered: Answered) => CODE.exec(String(answered.json.userMessage))?.[0];

afterEach(() => vi.restoreAllMocks());

describe('unusable body', () => {
  const deep = (open: string, close: string) => open.repeat(10_000) + close.repeat(10_000);
  const GZIP = 'H4sIAAAAAAAAA6tWKi5JLVCyUgooSg3Jz07N8ywuLk3MS05VqgUAWOEwPBsAAAA=';
  const gzipped = () => Uint8Array.from(atob(GZIP), (character) => character.charCodeAt(0));
  const bodies: [string, () => unknown, string, Record<string, string>?][] = [
    ['an empty body', () => '', 'not-json'],
    ['half a body', () => '{"step":"PreTokenIssuance","objectId":"', 'not-json'],
    ['text', () => 'hello', 'not-json'],
    ['null', () => 'null', 'not-an-object'],
    ['a list', () => '[]', 'not-an-object'],
    ['a number', () => '1e999', 'not-an-object'],
    ['1 MB', () => JSON.stringify({ email: 'x'.repeat(1_000_000) }), 'too-large'],
    ['1 MB without a length', () => new Blob([JSON.stringify({ email: 'x'.repeat(1_000_000) })]).stream(), 'too-large'],
    ['10,000 nested lists', () => deep('[', ']'), 'not-an-object'],
    ['10,000 nested lists as a claim', () => `{"extension_X":${deep('[', ']')}}`, 'nested-too-deep'],
    ['10,000 nested objects', () => `{"x":${deep('{"x":', '').slice(0, -1)}${'}'.repeat(10_000)}`, 'not-json'],
    ['one byte too many', () => `{"email":"${'x'.repeat(256 * 1024 - 11)}"}`, 'too-large'],
    ['random bytes', () => crypto.getRandomValues(new Uint8Array(500)).fill(0xff, 0, 1), 'not-utf-8'],
    [
      'JSON in UTF-16',
      () => new Uint8Array([0xff, 0xfe, ...[...'{"step":"x"}'].flatMap((c) => [c.charCodeAt(0), 0])]),
      'not-utf-8',
    ],
    ['text of another charset', () => '+AHs-', 'not-utf-8', { 'Content-Type': 'application/json; charset=utf-16' }],
    ['JSON in gzip', gzipped, 'compressed'],
    ['JSON in gzip, as its header says', gzipped, 'compressed', { 'Content-Encoding': 'gzip' }],
    ['what its header calls compressed', () => 'hello', 'compressed', { 'Content-Encoding': 'br' }],
  ];
  for (const [name, body, reason, headers] of bodies) {
    it(`${name} gets the reply for the step in the URL, and its attempt is an error with the reason`, async () => {
      const token = await call(body(), '/PreTokenIssuance', headers);
      expect([token.status, token.json]).toEqual([200, NO_ROLES]);
      const blocked = await call(body(), '/PostFederationSignup', headers);
      expect(blocked).toMatchObject({
        status: 200,
        contentType: 'application/json',
        json: { version: '1.0.0', action: 'ShowBlockPage' },
      });
      expect(codeIn(blocked)).toBeDefined();
      for (const path of ['/PostAttributeCollection', '']) {
        const invalid = await call(body(), path, headers);
        expect(invalid).toMatchObject({
          status: 400,
          contentType: 'application/json',
          json: { version: '1.0.0', status: 400, action: 'ValidationError' },
        });
        expect(codeIn(invalid)).toBeDefined();
      }
      const rows = await rowsWithCode(codeIn(blocked), 'PostFederationSignup', 1, reason);
      expect(rows[0]).toMatchObject({ outcome: 'error', reply: 'ShowBlockPage', status: 200 });
    });
  }

  it('a body of exactly the maximum size or depth is accepted', async () => {
    const largest = `{"email":"${'x'.repeat(256 * 1024 - 12)}"}`;
    expect((await call(largest, '/PostFederationSignup')).json).toEqual({ version: '1.0.0', action: 'Continue' });
    const nested = `{"x":${'['.repeat(30)}${']'.repeat(30)}}`;
    expect((await call(nested, '/PostFederationSignup')).json).toEqual({ version: '1.0.0', action: 'Continue' });
  });

  it('a body that breaks off gets a reply, and its attempt is an error', async () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode('{"step":"PreTokenIss'));
        controller.error(new Error('connection lost'));
      },
    });
    const answered = await callWith({}, broken, '/PostAttributeCollection');
    expect(answered).toMatchObject({ status: 400, json: { action: 'ValidationError' } });
    expect(await rowsWithCode(codeIn(answered), 'PostAttributeCollection', 1, 'cut-off')).toMatchObject([
      { outcome: 'error' },
    ]);
  });
});

describe('every body at every path', () => {
  const oddName = fc.constantFrom(
    'step',
    'client_id',
    'clientId',
    'email',
    'identities',
    'ui_locales',
    'objectId',
    'displayName',
    'surname',
    'extension_Roles',
    'extension_d683a96de17e4f92bb31a015d243ca03_X',
    '__proto__',
    'action',
    'version',
    'status',
  );
  const stepValue = fc.constantFrom(...STEPS, 'PreTokenApplicationClaims', 'Unknown', '');
  const member = fc.tuple(fc.oneof(oddName, fc.string()), fc.oneof(stepValue, fc.jsonValue({ depthSize: 'small' })));
  const anyObject = fc
    .array(member, { maxLength: 12 })
    .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`);
  const anyBody = fc.oneof(
    { weight: 5, arbitrary: anyObject },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.json() },
  );
  const anyPath = fc.constantFrom('', ...STEPS.map((step) => `/${step}`), '/nonsense', '/preTokenIssuance?code=secret');

  it('a call gets a reply that the contract allows at its step, and one attempt with that reply', async () => {
    const clientId = newClient();
    const replies: string[] = [];
    await fc.assert(
      fc.asyncProperty(anyBody, anyPath, async (body, path) => {
        // JSON.parse uses the last value of a repeated name.
        const marked =
          body.trimEnd().endsWith('}') && !/^\s*\{\s*\}\s*$/.test(body)
            ? body.replace(/\}\s*$/, `,"client_id":"${clientId}"}`)
            : body;
        const answered = await call(marked, path);
        const urlStep = STEPS.find((step) => `/${step}`.toLowerCase() === path.split('?')[0]?.toLowerCase());
        expectAllowed(answered, stepIn(marked) ?? urlStep);
        if (isMarked(marked, clientId)) replies.push(`${answered.status} ${answered.json.action}`);
      }),
      { numRuns: 300 },
    );
    const rows = await rowsOfOnce(clientId, replies.length);
    expect(rows.map(({ status, reply }) => `${status} ${reply}`).toSorted()).toEqual(replies.toSorted());
  });

  function stepIn(body: string): string | undefined {
    const step = objectIn(body)?.step;
    if (typeof step !== 'string') return undefined;
    return (
      STEPS.find((known) => known === step) ?? (step === 'PreTokenApplicationClaims' ? 'PreTokenIssuance' : undefined)
    );
  }
  function isMarked(body: string, clientId: string): boolean {
    return objectIn(body)?.client_id === clientId;
  }
  function objectIn(body: string): Record<string, unknown> | undefined {
    try {
      const parsed: unknown = JSON.parse(body);
      return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
    } catch {
      return undefined;
    }
  }
});

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

describe('replyTo', () => {
  const claims = fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('version', 'action', 'email')),
    fc.oneof(fc.string(), fc.integer(), fc.boolean()),
  );
  const refusal = fc.record({
    kind: fc.constantFrom('block' as const, 'invalid' as const),
    rule: fc.string(),
    messageKey: fc.string(),
    message: fc.string({ minLength: 1 }),
    language: fc.constant('en'),
    claims,
  });
  const decision = fc.oneof(fc.record({ kind: fc.constant('continue' as const), claims }), refusal);

  it('every decision becomes a reply that the contract allows at the step', () => {
    fc.assert(
      fc.property(decision, fc.constantFrom(...STEPS, undefined), (decided, step) => {
        const { status, body } = replyTo(decided, step);
        const json = JSON.parse(body) as Record<string, unknown>;
        expect(json.version).toBe('1.0.0');
        if (step === 'PreTokenIssuance') expect([status, json.action]).toEqual([200, 'Continue']);
        if (step === 'PostFederationSignup') expect(json.action).not.toBe('ValidationError');
        if (json.action === 'ValidationError') expect([status, json.status]).toEqual([400, 400]);
        else expect([status, ['Continue', 'ShowBlockPage'].includes(String(json.action))]).toEqual([200, true]);
      }),
    );
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

/** Attempts with a support code at a step, and with `reason` if given. */
async function rowsWithCode(code: string | undefined, step: string, count = 1, reason?: string) {
  const { connect } = await import('../../src/database/connect.ts');
  const { attempts } = await import('../../src/database/schema.ts');
  const { and, eq } = await import('drizzle-orm');
  const read = () =>
    connect(env.DATABASE_URL, WRITTEN_WITHIN_MS)
      .db.select()
      .from(attempts)
      .where(and(eq(attempts.supportCode, code ?? ''), eq(attempts.step, step)));
  return vi.waitUntil(
    async () => {
      const rows = (await read()).filter((row) => reason === undefined || row.reason === reason);
      return rows.length >= count ? rows : false;
    },
    { timeout: WRITTEN_WITHIN_MS, interval: 50 },
  );
}
