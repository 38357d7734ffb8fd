/** Attempts of calls under a stored policy. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { MAX_MESSAGE_BYTES } from '../../src/attempts/text-limits.ts';
import { idpKey } from '../../src/sign-in/event.ts';
import { newClient, newObjectId } from '../support/call.ts';
import { isolate, publish, putVersion } from '../support/policy-call.ts';

const CODE = /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/;
const SIGN_UP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';

/** An isolate that returns each attempt sent to the queue. */
function watched(bindings: object = {}) {
  const sent: Attempt[] = [];
  const ATTEMPTS = { ...env.ATTEMPTS, send: async (message: Attempt) => void sent.push(message) };
  const gate = isolate({ ATTEMPTS, ...bindings });
  return {
    async call(body: unknown, path = '') {
      const { json } = await gate.call(body, path);
      return { json, attempt: sent.at(-1) };
    },
  };
}

/** A body that never ends. */
const endless = () => new ReadableStream({ pull: () => new Promise(() => undefined) });

describe('message of an attempt', () => {
  it('the stored message omits values of claims that are not stored', async () => {
    await publish({
      messages: { no: { en: '{displayName}: {extension_InvitationCode} and {extension_Pin}. {supportCode}' } },
      rules: [{ id: 'no', steps: [SIGN_UP], when: 'has(claims.city)', invalid: 'no' }],
    });
    const body = {
      step: SIGN_UP,
      city: 'x',
      displayName: 'Ann',
      extension_InvitationCode: 'SPRING-24',
      extension_Pin: 1234,
    };
    const { json, attempt } = await watched().call(body);
    expect(json.userMessage).toBe(`Ann: SPRING-24 and 1234. ${attempt?.supportCode}`);
    expect(attempt?.message).toBe(`Ann: … and …. ${attempt?.supportCode}`);
    expect(JSON.stringify(attempt)).not.toMatch(/SPRING-24|1234/);
  });

  it('the message is stored as shown when the call has no such claim, or no rule decided', async () => {
    const messages = { unavailable: { en: 'Later, {extension_Pin}{supportCode}' } };
    await publish({
      messages,
      rules: [{ id: 'no', steps: [SIGN_UP], when: "'x' in person.roles", block: true }],
    });
    const gate = watched({ DECISION_TIMEOUT_MS: '100' });
    const { json } = await gate.call({ step: SIGN_UP, city: 'x' });
    expect(json.action).toBe('Continue');
    const late = await gate.call(endless(), `/${SIGN_UP}`);
    expect(late.attempt?.message).toBe(late.json.userMessage);
  });
});

describe('attempt of a reply over the size limit', () => {
  it('the reply omits the last claims, and the notes of the attempt name them', async () => {
    await publish({
      rules: Array.from({ length: 9 }, (_, at) => ({
        id: `r${at}`,
        steps: [SIGN_UP],
        when: 'has(claims.city)',
        set: { [`extension_X${at}`]: 'claims.city' },
      })),
    });
    const { json, attempt } = await watched().call({ step: SIGN_UP, city: 'x'.repeat(9_000) });
    expect(Object.keys(json)).toEqual(['version', 'action', 'extension_X0', 'extension_X1', 'extension_X2']);
    expect(attempt?.notes).toEqual([
      `claims left out of the reply, which is limited to 32 KiB: ${[3, 4, 5, 6, 7, 8].map((at) => `extension_X${at}`).join(', ')}`,
    ]);
  });
});

describe('attempt of an unreadable call', () => {
  it('the attempt contains the version of the message and whenUnavailable, and a code at every step', async () => {
    const messages = { 'unreadable-body': { en: 'Ours {supportCode}' } };
    const number = await publish({ messages, whenUnavailable: { PostAttributeCollection: 'continue' }, rules: [] });
    const gate = watched({ DECISION_TIMEOUT_MS: '100', KV_TIMEOUT_MS: '50' });
    await gate.call({ step: SIGN_UP });
    for (const step of ['PostFederationSignup', SIGN_UP, TOKEN]) {
      const { attempt } = await gate.call(endless(), `/${step}`);
      expect(attempt).toMatchObject({ outcome: 'error', reason: 'deadline', policyVersion: number });
      expect(attempt?.supportCode).toMatch(CODE);
    }
    const { attempt } = await gate.call('{', `/${SIGN_UP}`);
    expect(attempt).toMatchObject({ reason: 'not-json', policyVersion: number });
    expect(attempt?.message).toBe(`Ours ${attempt?.supportCode}`);
  });
});

describe('application that the policy does not list', () => {
  it('the attempt has a note at the token step, which cannot refuse', async () => {
    const ours = newClient();
    await publish({ applications: { [ours]: 'Shop', onlyThese: true }, rules: [] });
    const gate = watched();
    const at = (client_id: string) => gate.call({ step: TOKEN, client_id, objectId: newObjectId() });
    expect((await at(newClient())).attempt?.notes.join()).toContain('onlyThese');
    expect((await at(ours)).attempt?.notes).toEqual([]);
  });
});

describe('roles of an attempt', () => {
  it('the attempt contains the roles in the token, for any separator, and a note on invalid names', async () => {
    const sentFor = async (value: string) => {
      await publish({ rules: [{ id: 'roles', steps: [TOKEN], set: { extension_Roles: value } }] });
      const { attempt } = await watched().call({ step: TOKEN, objectId: newObjectId() });
      return [attempt?.roles, attempt?.notes];
    };
    for (const joined of ["'editor approver'", "'editor,approver'", "'editor; approver'", "['editor', 'approver']"])
      expect(await sentFor(joined)).toEqual([['editor', 'approver'], []]);
    expect(await sentFor("'editor Prüfer'")).toEqual([['editor'], [expect.stringContaining('roles claim: 1')]]);
    expect(await sentFor("''")).toEqual([[], []]);
  });
});

describe('size of an attempt with a shadow decision', () => {
  it('the message is within its limit for the largest body and policies', async () => {
    const named = (letter: string) => `${letter}${'x'.repeat(96)}`;
    const claims = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [named('a') + (100 + index), "'x'"]));
    const shadow = await putVersion({ rules: [{ id: 'many', steps: [SIGN_UP], set: claims }] });
    const asks = { id: 'asks', steps: [SIGN_UP], when: "'x' in person.roles", block: true };
    await publish({ rules: [asks] }, { shadow: { number: shadow, sample: 1 } });
    // JSON encodes this character in six bytes.
    const odd = (length: number) => '\u0001'.repeat(length);
    const identities = Array.from({ length: 10 }, (_, index) => ({
      signInType: odd(128),
      issuer: odd(100),
      issuerAssignedId: odd(29) + index,
    }));
    const roles = Array.from({ length: 30 }, (_, index) => 'r'.repeat(62) + (10 + index));
    const record = { v: 1, roles, groups: [], attributes: {}, applications: {}, updatedBy: 'x' };
    const key = await idpKey(odd(100), `${odd(29)}0`);
    await env.GATEHOUSE.put(`person:${key}`, JSON.stringify({ ...record, updatedAt: '2026-11-01T00:00:00Z' }));
    const body = {
      step: SIGN_UP,
      client_id: odd(128),
      ui_locales: odd(128),
      email: odd(390),
      objectId: odd(256),
      identities,
      ...Object.fromEntries(Array.from({ length: 52 }, (_, index) => [odd(97) + (100 + index), 'x'])),
    };
    const { attempt } = await watched().call(body);
    expect(attempt).toMatchObject({ shadowVersion: shadow, shadowDiffers: true });
    expect(new TextEncoder().encode(JSON.stringify(attempt)).byteLength).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
    expect(attempt?.notes.join()).toContain('names of claims cut');
  });
});

describe('reason of a decision (K4, K11)', () => {
  const born = 'extension_Born';
  const minors = {
    id: 'minors',
    steps: [SIGN_UP],
    when: `has(claims.${born}) && age(claims.${born}) < 16`,
    onError: 'skip',
    block: true,
  };

  it('an attempt names each rule whose condition or set failed, with the cause and without a value', async () => {
    const half = { id: 'half', steps: [SIGN_UP], set: { city: 'string(int(claims.postalCode))', surname: "'x'" } };
    await publish({ rules: [minors, { ...half, when: 'has(claims.postalCode)' }] });
    const { json, attempt } = await watched().call({ step: SIGN_UP, [born]: '01/02/1990', postalCode: 'SW1A 1AA' });
    expect(json).toEqual({ version: '1.0.0', action: 'Continue' });
    expect(attempt).toMatchObject({ outcome: 'continue', failedRules: ['minors', 'half'] });
    expect(attempt?.notes).toEqual([
      expect.stringMatching(/^the condition of rule minors failed: not a date/),
      expect.stringMatching(/^the set of rule half failed: not a whole number/),
    ]);
    expect(JSON.stringify(attempt)).not.toMatch(/01.02.1990|SW1A/);
  });

  it('a rule that blocks because it failed is in failedRules, and one that read the call is not', async () => {
    await publish({ rules: [{ ...minors, onError: 'apply' }] });
    const failed = await watched().call({ step: SIGN_UP, [born]: '01/02/1990' });
    expect(failed.attempt).toMatchObject({ outcome: 'block', rule: 'minors', failedRules: ['minors'] });
    const child = await watched().call({ step: SIGN_UP, [born]: '2020-01-01' });
    expect(child.attempt).toMatchObject({ outcome: 'block', rule: 'minors', failedRules: [], notes: [] });
  });

  it('an attempt names the claims that were sent back, and stores none of their values', async () => {
    await publish({ rules: [{ id: 'promotion', steps: [SIGN_UP], set: { extension_PromoCode: "'24534'" } }] });
    const { json, attempt } = await watched().call({ step: SIGN_UP, city: 'x' });
    expect(json).toMatchObject({ extension_PromoCode: '24534' });
    expect(attempt?.sentClaims).toContain('extension_PromoCode');
    expect(JSON.stringify(attempt)).not.toContain('24534');
    const { attempt: token } = await watched().call({ step: TOKEN, objectId: newObjectId() });
    expect(token?.sentClaims).toEqual(['extension_Roles']);
  });
});
