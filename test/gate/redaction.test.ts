/** The data of a call that is stored, and the data that is never stored (design section 7). */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../src/attempts/text-limits.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import type { Answered, Reached } from '../../src/gate/answer.ts';
import { attemptOf } from '../../src/gate/compose-attempt.ts';
import { recorded } from '../../src/gate/user-flow/recorded.ts';
import { readEvent } from '../../src/gate/user-flow/request.ts';
import { configOf, readConfig } from '../../src/platform/config.ts';
import { withTimeout } from '../../src/platform/timeout.ts';
import { NOTHING_HELD } from '../../src/policy/policy.ts';
import { callWith, newClient, rowsOfOnce, USER_FLOW } from '../support/call.ts';

describe('stored claim values', () => {
  it('a value is stored only when KEEP_CLAIMS lists the claim, truncated to 500 characters', async () => {
    const clientId = newClient();
    const body = {
      step: 'PostAttributeCollection',
      client_id: clientId,
      displayName: 'x'.repeat(600),
      city: 'Reykjavík',
      extension_Age: 42,
    };
    await callWith({ KEEP_CLAIMS: 'displayName, extension_Age' }, body);
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row?.keptClaims).toEqual({ displayName: 'x'.repeat(500), extension_Age: 42 });
    expect(row?.claimNames).toContain('city');
  });

  it('headers, the query string and unlisted claims never reach the attempt', async () => {
    const clientId = newClient();
    const secret = `s3cret-${crypto.randomUUID()}`;
    const body = {
      step: 'PostAttributeCollection',
      client_id: clientId,
      password: secret,
      extension_Note: secret,
      nested: { secret },
    };
    await callWith({}, body, `/PostAttributeCollection?code=${secret}`, { 'X-Secret': secret, 'X-Request-Id': secret });
    const [row] = await rowsOfOnce(clientId, 1);
    expect(JSON.stringify(row)).not.toContain(secret);
  });

  it('a request cannot set the time of its attempt', async () => {
    const clientId = newClient();
    const before = Date.now();
    const longAgo = '2001-01-01T00:00:00.000Z';
    const body = {
      step: 'PreTokenIssuance',
      client_id: clientId,
      occurredAt: longAgo,
      time: longAgo,
      id: '00000000-0000-7000-8000-000000000000',
    };
    await callWith({}, body, `?now=${longAgo}&occurredAt=${longAgo}`, { Date: new Date(0).toUTCString() });
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row?.occurredAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(row?.occurredAt.getTime()).toBeLessThanOrEqual(Date.now());
  });
});

describe('attempt of every body', () => {
  const config = readConfig({
    LOCAL: 'yes',
    SUPPORT_CODE_KEY: 'a key',
    KEEP_CLAIMS: Array.from({ length: 300 }, (_, index) => `k${index}`).join(),
  });
  const nasty = fc.string({
    unit: fc.constantFrom('\u0001', '\0', '"', 'ü', '🦊', '\ud800', 'a'),
    maxLength: 3_000,
    size: 'max',
  });
  const anyName = fc.oneof(
    nasty,
    fc.constantFrom('email', 'objectId', 'client_id', 'step', 'ui_locales', '__proto__'),
    fc.integer({ min: 0, max: 300 }).map((index) => `k${index}`),
  );
  const identity = fc.record({ signInType: nasty, issuer: nasty, issuerAssignedId: nasty });
  const anyBody = fc.tuple(
    fc.array(fc.tuple(anyName, fc.oneof(nasty, fc.double(), fc.boolean(), fc.constant(null), fc.constant([]))), {
      maxLength: 400,
      size: 'max',
    }),
    fc.array(identity, { maxLength: 12 }),
  );

  it('the database accepts the attempt, and the message is within its limit', async () => {
    await fc.assert(
      fc.asyncProperty(anyBody, async ([members, identities]) => {
        const body: Record<string, unknown> = JSON.parse(
          JSON.stringify({ ...Object.fromEntries(members), identities }),
        );
        const event = await readEvent(body, 'PreTokenIssuance');
        const reached: Reached = {
          request: new Request(USER_FLOW, { headers: { 'cf-ray': 'x'.repeat(1_000) } }),
          urlStep: 'PreTokenIssuance',
          caller: 'n'.repeat(1_000),
          callerKind: 'basic',
          startedAt: Date.now(),
          decisionTimeoutMs: 1_000,
          withTimeout,
          event,
          person: { ...NOTHING_HELD, roles: Array(100).fill('r'.repeat(19)) },
          droppedNames: 1,
        };
        const answered: Answered = {
          reached,
          reason: '',
          decision: { kind: 'continue', claims: {} },
          reply: { status: 200, action: 'Continue', userMessage: '', body: '' },
          supportCode: '',
          durationMs: 1e9,
        };
        const attempt = await attemptOf(config, answered, recorded(reached), uuidv7(), {
          isolate: uuidv7(),
          sequence: 2 ** 31 - 1,
        });
        const text = JSON.stringify(attempt);
        expect(await writeMessages(configOf(env), [JSON.parse(text)], 10_000)).toEqual({ refused: [] });
        expect(new TextEncoder().encode(text).byteLength).toBeLessThan(MAX_MESSAGE_BYTES);
        expect(text).not.toContain('\\u0000');
      }),
      { numRuns: 100 },
    );
  });
});
