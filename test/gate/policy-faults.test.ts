/** Calls while the policy or its data in KV is unavailable (design sections 5, 6 and 10). */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listKey, planKey } from '../../src/policy/plan.ts';
import { POINTER_KEY } from '../../src/policy/pointer.ts';
import { newClient, newObjectId, rowsOfOnce } from '../support/call.ts';
import { isolate, publish, putPlan, putVersion, watchedKv } from '../support/policy-call.ts';

const CODE = /\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b/;
const SIGN_UP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';
const START = Date.UTC(2026, 10, 21, 8);

/** A policy that puts its name into the reply. */
const named = (name: string) => ({
  rules: [{ id: name, steps: [SIGN_UP, TOKEN], set: { city: `'${name}'` } }],
});
const secondsLater = (seconds: number) => vi.setSystemTime(START + seconds * 1_000);
const isPointer = (keys: string | string[]) => [keys].flat().includes(POINTER_KEY);
const isPerson = (keys: string | string[]) => [keys].flat().some((key) => key.startsWith('person:'));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(START);
  vi.spyOn(console, 'log').mockReturnValue();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('no policy is known', () => {
  const faults: [string, () => Promise<unknown>, string][] = [
    ['no policy was published', () => env.GATEHOUSE.delete(POINTER_KEY), 'policy-missing'],
    ['the pointer is not JSON', () => env.GATEHOUSE.put(POINTER_KEY, '{'), 'policy-unreadable'],
    ['the pointer has no number', () => env.GATEHOUSE.put(POINTER_KEY, '{"v":1,"number":"1"}'), 'policy-unreadable'],
    ['the plan is missing', () => env.GATEHOUSE.put(POINTER_KEY, '{"v":1,"number":999999}'), 'policy-missing'],
    ['the plan is not JSON', () => publish('{"rules":['), 'policy-unreadable'],
    ['the plan has another format', () => publish('{"format":99}'), 'policy-unreadable'],
    [
      'the plan uses a function that this gate does not have',
      async () => {
        const number = await publish(named('x'));
        const broken = JSON.parse(String(await env.GATEHOUSE.get(planKey(number))));
        broken.rules[0].set = [['city', ['unknown', 1]]];
        await env.GATEHOUSE.put(planKey(number), JSON.stringify(broken));
      },
      'policy-unreadable',
    ],
  ];

  it.each(faults)(
    'when %s, sign-up is blocked with a code, the token has empty roles, and the attempt has the fault',
    async (_, damage, degraded) => {
      await damage();
      const client_id = newClient();
      for (const step of ['PostFederationSignup', SIGN_UP]) {
        const { status, json } = await isolate().call({ step, client_id });
        expect([status, json.action]).toEqual([200, 'ShowBlockPage']);
        expect(json.userMessage).toMatch(CODE);
      }
      const token = await isolate().call({ step: TOKEN, client_id, objectId: newObjectId() });
      expect(token.json).toEqual({ version: '1.0.0', action: 'Continue', extension_Roles: '' });
      const rows = await rowsOfOnce(client_id, 3);
      for (const row of rows)
        expect(row).toMatchObject({ outcome: 'error', reason: 'no-policy', degraded, policyVersion: 0 });
      for (const row of rows) expect(row.supportCode).toMatch(CODE);
    },
  );

  it('when KV hangs or throws, sign-up is blocked before the deadline, not decided by the built-in policy', async () => {
    await publish(named('good'));
    const client_id = newClient();
    for (const answer of [() => new Promise(() => {}), () => Promise.reject(new Error('KV GET failed: 500'))]) {
      const { kv } = watchedKv((keys) => (isPointer(keys) ? answer() : undefined));
      const { json } = await isolate({ GATEHOUSE: kv, KV_TIMEOUT_MS: '50', DECISION_TIMEOUT_MS: '300' }).call({
        step: SIGN_UP,
        client_id,
      });
      expect(json.action).toBe('ShowBlockPage');
    }
    for (const row of await rowsOfOnce(client_id, 2))
      expect(row).toMatchObject({ outcome: 'error', reason: 'no-policy', degraded: 'policy-kv-unavailable' });
  });

  it('when POLICY has an invalid value, the built-in policy does not decide', async () => {
    await env.GATEHOUSE.delete(POINTER_KEY);
    expect((await isolate({ POLICY: 'Stored!' }).call({ step: SIGN_UP })).json.action).toBe('ShowBlockPage');
  });
});

describe('policy in memory', () => {
  it('a new version decides the next call: every call reads the pointer and the person in one read', async () => {
    await publish(named('one'));
    const { kv, asked } = watchedKv();
    const gate = isolate({ GATEHOUSE: kv });
    const objectId = newObjectId();
    const city = async () => (await gate.call({ step: TOKEN, objectId })).json.city;
    expect(await city()).toBe('one');
    asked.length = 0;
    expect(await city()).toBe('one');
    expect(asked).toEqual([[POINTER_KEY, `person:oid:${objectId}`]]);
    await publish(named('two'));
    expect(await city()).toBe('two');
  });

  it('a plan is read once per version, even for concurrent calls', async () => {
    const number = await publish(named('one'));
    const { kv, asked } = watchedKv();
    const gate = isolate({ GATEHOUSE: kv });
    await Promise.all(Array.from({ length: 20 }, () => gate.call({ step: SIGN_UP })));
    const documents = () => asked.filter((key) => key === planKey(number)).length;
    expect(documents()).toBe(1);
    for (const seconds of [31, 5_000]) {
      secondsLater(seconds);
      await gate.call({ step: SIGN_UP });
    }
    expect(documents()).toBe(1);
  });

  it.each([
    ['the pointer is unreadable', () => env.GATEHOUSE.put(POINTER_KEY, 'by hand'), 'policy-unreadable'],
    ['the plan is unreadable', () => publish('by hand'), 'policy-unreadable'],
    ['the pointer is missing', () => env.GATEHOUSE.delete(POINTER_KEY), 'policy-missing'],
  ])(
    'when %s in KV, the last policy decides, the attempt has the fault, and a repair takes effect',
    async (_, damage, degraded) => {
      const number = await publish(named('good'));
      const client_id = newClient();
      const gate = isolate();
      const call = async (step = SIGN_UP) => (await gate.call({ step, client_id })).json.city;
      expect(await call()).toBe('good');
      await damage();
      expect(await call()).toBe('good');
      secondsLater(10_000);
      expect(await call(TOKEN)).toBe('good');
      const rows = await rowsOfOnce(client_id, 3);
      const broken = rows.filter((row) => row.degraded !== '');
      expect(broken).toHaveLength(2);
      for (const row of broken) expect(row).toMatchObject({ degraded, outcome: 'continue', policyVersion: number });
      await publish(named('repaired'));
      expect(await call()).toBe('repaired');
    },
  );

  it('an unreadable plan is not read again for every call', async () => {
    const watched = watchedKv();
    const broken = await publish('{"rules":[');
    const cold = isolate({ GATEHOUSE: watched.kv });
    const reads = () => watched.asked.filter((key) => key === planKey(broken)).length;
    for (let index = 0; index < 5; index += 1)
      expect((await cold.call({ step: SIGN_UP })).json.action).toBe('ShowBlockPage');
    expect(reads()).toBe(1);
    await putPlan(broken, named('repaired'));
    secondsLater(11);
    expect((await cold.call({ step: SIGN_UP })).json.city).toBe('repaired');
  });

  it.each([
    ['fails', () => Promise.reject(new Error('down'))],
    ['hangs', () => new Promise(() => {})],
  ])('while KV %s, the last policy decides, and the attempts have the fault until KV is back', async (_, answer) => {
    await publish(named('good'));
    let down = false;
    const { kv } = watchedKv((keys) => (down && isPointer(keys) ? answer() : undefined));
    const gate = isolate({ GATEHOUSE: kv, KV_TIMEOUT_MS: '30' });
    const client_id = newClient();
    const city = async () => (await gate.call({ step: SIGN_UP, client_id })).json.city;
    await city();
    down = true;
    expect([await city(), await city()]).toEqual(['good', 'good']);
    down = false;
    expect(await city()).toBe('good');
    const faults = (await rowsOfOnce(client_id, 4)).map(({ degraded }) => degraded).sort();
    expect(faults).toEqual(['', '', 'policy-kv-unavailable', 'policy-kv-unavailable']);
  });

  it('a version that KV returns after the timeout decides the next call', async () => {
    await publish(named('one'));
    let slow = false;
    const { kv } = watchedKv((key, real) =>
      slow ? new Promise((resolve) => setTimeout(resolve, 130)).then(() => real(key)) : undefined,
    );
    const gate = isolate({ GATEHOUSE: kv, KV_TIMEOUT_MS: '100' });
    await gate.call({ step: SIGN_UP });
    await publish(named('two'));
    slow = true;
    expect((await gate.call({ step: SIGN_UP })).json.city).toBe('one');
    slow = false;
    const { kv: away } = watchedKv(() => Promise.reject(new Error('down')));
    Object.assign(gate.env, { GATEHOUSE: away });
    expect((await gate.call({ step: SIGN_UP })).json.city).toBe('two');
  });
});

describe('responses of KV out of order', () => {
  /** The test settles the first read of the pointer. KV handles the others. */
  function firstReadPending() {
    let pending: { resolve: (text: string) => void; reject: (error: Error) => void } | undefined;
    const { kv } = watchedKv((keys) => {
      if (!isPointer(keys) || pending !== undefined) return undefined;
      return new Promise((resolve, reject) => {
        pending = { resolve, reject };
      });
    });
    return { kv, pending: () => vi.waitUntil(() => pending) };
  }
  const afterwards = async (gate: ReturnType<typeof isolate>) => {
    const client_id = newClient();
    const { city } = (await gate.call({ step: SIGN_UP, client_id })).json;
    return { city, degraded: (await rowsOfOnce(client_id, 1))[0]?.degraded };
  };

  it('a read that fails after a later one succeeded does not cause a fault', async () => {
    await publish(named('good'));
    const { kv, pending } = firstReadPending();
    const gate = isolate({ GATEHOUSE: kv });
    const first = gate.call({ step: SIGN_UP });
    const read = await pending();
    await gate.call({ step: SIGN_UP });
    read.reject(new Error('KV GET failed: 500'));
    expect((await first).json.city).toBe('good');
    expect(await afterwards(gate)).toEqual({ city: 'good', degraded: '' });
  });

  it('an old response after a newer one does not restore the old version', async () => {
    const old = await publish(named('old'));
    const { kv, pending } = firstReadPending();
    const gate = isolate({ GATEHOUSE: kv });
    const first = gate.call({ step: SIGN_UP });
    const read = await pending();
    await publish(named('new'));
    expect((await gate.call({ step: SIGN_UP })).json.city).toBe('new');
    read.resolve(JSON.stringify({ v: 1, number: old }));
    expect((await first).json.city).toBe('new');
    expect(await afterwards(gate)).toEqual({ city: 'new', degraded: '' });
  });
});

describe('entitlements unavailable in KV', () => {
  const rules = [
    { id: 'not-members', steps: ['PostFederationSignup', SIGN_UP], when: "'member' in person.groups", block: true },
    { id: 'token', steps: [TOKEN], set: { extension_Roles: 'person.roles' } },
  ];
  const down = () => watchedKv((keys) => (isPerson(keys) ? Promise.reject(new Error('down')) : undefined)).kv;
  const body = (step: string, client_id: string) => ({
    step,
    client_id,
    email: 'x@example.com',
    objectId: newObjectId(),
  });

  it('sign-up steps whose rules read entitlements follow whenUnavailable, and the token has no roles', async () => {
    const client_id = newClient();
    await publish({ whenUnavailable: { PostAttributeCollection: 'continue' }, rules });
    const gate = isolate({ GATEHOUSE: down() });
    expect((await gate.call(body('PostFederationSignup', client_id))).json.action).toBe('ShowBlockPage');
    expect((await gate.call(body(SIGN_UP, client_id))).json.action).toBe('Continue');
    expect((await gate.call(body(TOKEN, client_id))).json).toMatchObject({ action: 'Continue', extension_Roles: '' });
    const rows = await rowsOfOnce(client_id, 3);
    expect(
      rows.map(({ step, rule, messageKey, outcome, degraded }) => [step, rule, messageKey, outcome, degraded]).sort(),
    ).toEqual([
      [SIGN_UP, '', '', 'continue', 'policy-kv-unavailable kv-unavailable'],
      ['PostFederationSignup', 'whenUnavailable', 'unavailable', 'block', 'policy-kv-unavailable kv-unavailable'],
      [TOKEN, '', '', 'continue', 'policy-kv-unavailable kv-unavailable'],
    ]);
  });

  it('a rule that grants roles unless the person has an entitlement gives no roles', async () => {
    const granting = {
      id: 'all-but',
      steps: [TOKEN],
      when: "!('banned' in person.groups)",
      set: { extension_Roles: "'user'" },
    };
    await publish({ rules: [granting] });
    expect((await isolate().call(body(TOKEN, ''))).json.extension_Roles).toBe('user');
    expect((await isolate({ GATEHOUSE: down() }).call(body(TOKEN, ''))).json.extension_Roles).toBe('');
  });

  it('sign-up steps whose rules do not read entitlements read the pointer only', async () => {
    await publish(named('no-person-here'));
    const { kv, asked } = watchedKv();
    const gate = isolate({ GATEHOUSE: kv });
    await gate.call(body(SIGN_UP, ''));
    asked.length = 0;
    expect((await gate.call(body(SIGN_UP, ''))).json.city).toBe('no-person-here');
    expect(asked).toEqual([[POINTER_KEY]]);
  });
});

describe('large list of a policy', () => {
  const words = Array.from({ length: 2_000 }, (_, index) => `word-${index}`);
  const policy = {
    lists: { words },
    rules: [
      { id: 'listed', steps: [SIGN_UP], when: 'has(claims.city) && claims.city in lists.words', block: true },
      { id: 'token', steps: [TOKEN], set: { city: "'token'" } },
    ],
  };

  it('the list is read when a step needs it, once for concurrent calls', async () => {
    const number = await publish(policy);
    const { kv, asked } = watchedKv();
    const gate = isolate({ GATEHOUSE: kv });
    const reads = () => asked.filter((key) => key === listKey(number, 'words')).length;
    expect((await gate.call({ step: TOKEN })).json.city).toBe('token');
    expect(reads()).toBe(0);
    const cities = ['word-7', 'Graz', 'word-1999', 'word-2000', 'word-'];
    const replies = await Promise.all(cities.map((city) => gate.call({ step: SIGN_UP, city })));
    expect(replies.map(({ json }) => json.action)).toEqual([
      'ShowBlockPage',
      'Continue',
      'ShowBlockPage',
      'Continue',
      'Continue',
    ]);
    expect(reads()).toBe(1);
  });

  it('a list missing in KV blocks its step, does not affect other steps, and is used as soon as it exists', async () => {
    const number = await publish(policy);
    const key = listKey(number, 'words');
    const list = await env.GATEHOUSE.get(key);
    await env.GATEHOUSE.delete(key);
    const client_id = newClient();
    const gate = isolate();
    expect((await gate.call({ step: SIGN_UP, city: 'Graz', client_id })).json.action).toBe('ShowBlockPage');
    expect((await gate.call({ step: TOKEN })).json.city).toBe('token');
    expect((await rowsOfOnce(client_id, 1))[0]).toMatchObject({ reason: 'no-policy', degraded: 'policy-missing' });
    await env.GATEHOUSE.put(key, String(list));
    expect((await gate.call({ step: SIGN_UP, city: 'Graz' })).json.action).toBe('Continue');
  });
});

describe('timeout of a call', () => {
  const slow = (client_id: string) =>
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(`{"client_id":"${client_id}",`)),
    });

  it('sign-up continues only when whenUnavailable allows it, and then typed roles are not stored', async () => {
    await publish({ whenUnavailable: { PostAttributeCollection: 'continue' }, rules: [] });
    const gate = isolate({ DECISION_TIMEOUT_MS: '200', KV_TIMEOUT_MS: '50' });
    await gate.call({ step: SIGN_UP });
    expect((await gate.call(slow('x'), `/${SIGN_UP}`)).json).toEqual({
      version: '1.0.0',
      action: 'Continue',
      extension_Roles: '',
    });
    expect((await gate.call(slow('x'), '/PostFederationSignup')).json.action).toBe('ShowBlockPage');
    expect((await gate.call(slow('x'), `/${TOKEN}`)).json).toMatchObject({ action: 'Continue', extension_Roles: '' });
  });
});

describe('shadow policy unavailable', () => {
  it('a missing or unreadable shadow does not affect the active policy', async () => {
    await publish(named('real'), { shadow: { number: 999_999, sample: 1 } });
    expect((await isolate().call({ step: SIGN_UP })).json.city).toBe('real');
    await publish(named('real'), { shadow: { number: await putVersion('{'), sample: 1 } });
    expect((await isolate().call({ step: SIGN_UP })).json.city).toBe('real');
  });

  it('a shadow that KV does not return does not delay the first call, and causes no fault', async () => {
    const shadow = await putVersion(named('shadow'));
    const rules = [{ id: 'known', steps: [SIGN_UP], set: { city: "person.roles.join(' ') + 'known'" } }];
    const client_id = newClient();
    for (const answer of [() => new Promise(() => {}), () => Promise.reject(new Error('KV GET failed: 500'))]) {
      await publish({ rules }, { shadow: { number: shadow, sample: 1 } });
      const { kv } = watchedKv((keys) => (keys === planKey(shadow) ? answer() : undefined));
      const gate = isolate({ GATEHOUSE: kv, KV_TIMEOUT_MS: '500', DECISION_TIMEOUT_MS: '1500' });
      const { json } = await gate.call({ step: SIGN_UP, client_id, email: 'x@example.com' });
      expect(json).toMatchObject({ action: 'Continue', city: 'known' });
    }
    for (const row of await rowsOfOnce(client_id, 2)) expect(row).toMatchObject({ degraded: '', shadowVersion: 0 });
  });
});

describe('condition that fails unforeseen', () => {
  it('a block rule applies, a set rule does not, and the attempt has a note with rule and cause', async () => {
    const client_id = newClient();
    const number = await publish({
      rules: [
        { id: 'sets', steps: [SIGN_UP], when: 'true', set: { city: "'set'" } },
        { id: 'guards', steps: [SIGN_UP], when: 'true', block: true },
      ],
    });
    const plan = JSON.parse(String(await env.GATEHOUSE.get(planKey(number))));
    for (const rule of plan.rules) rule.when = ['matches', ['claims', 'extension_Absent'], '^x$'];
    await env.GATEHOUSE.put(planKey(number), JSON.stringify(plan));
    expect((await isolate().call({ step: SIGN_UP, client_id })).json.action).toBe('ShowBlockPage');
    const [row] = await rowsOfOnce(client_id, 1);
    expect(row).toMatchObject({ outcome: 'block', rule: 'guards', failedRules: ['sets', 'guards'] });
    expect(row?.notes).toEqual([
      'the condition of rule sets failed: extension_Absent is absent',
      'the condition of rule guards failed unforeseen: extension_Absent is absent',
    ]);
  });
});
