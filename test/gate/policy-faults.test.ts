/** What happens to calls when the policy, or what it asks of KV, is not to be had: design sections 5, 6 and 10. */
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

/** Each version puts its own name into the reply. */
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

describe('without any policy', () => {
  const faults: [string, () => Promise<unknown>, string][] = [
    ['nothing was ever published', () => env.GATEHOUSE.delete(POINTER_KEY), 'policy-missing'],
    ['the pointer is no JSON', () => env.GATEHOUSE.put(POINTER_KEY, '{'), 'policy-unreadable'],
    ['the pointer names no number', () => env.GATEHOUSE.put(POINTER_KEY, '{"v":1,"number":"1"}'), 'policy-unreadable'],
    ['the plan is not there', () => env.GATEHOUSE.put(POINTER_KEY, '{"v":1,"number":999999}'), 'policy-missing'],
    ['the plan was broken by hand', () => publish('{"rules":['), 'policy-unreadable'],
    ['the plan has another format', () => publish('{"format":99}'), 'policy-unreadable'],
    [
      'the plan asks for a function that this gate does not have',
      async () => {
        const number = await publish(named('x'));
        const broken = JSON.parse(String(await env.GATEHOUSE.get(planKey(number))));
        broken.rules[0].set = [['city', ['unheard', 1]]];
        await env.GATEHOUSE.put(planKey(number), JSON.stringify(broken));
      },
      'policy-unreadable',
    ],
  ];

  it.each(faults)(
    'because %s, sign-up is blocked with a code, the token has empty roles, and the attempt says why',
    async (_, break_, degraded) => {
      await break_();
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

  it('because KV hangs or throws, the same, before time runs out; and the built-in policy never stands in', async () => {
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

  it('because POLICY holds a word that it does not know, nobody is let in by the built-in one', async () => {
    await env.GATEHOUSE.delete(POINTER_KEY);
    expect((await isolate({ POLICY: 'Stored!' }).call({ step: SIGN_UP })).json.action).toBe('ShowBlockPage');
  });
});

describe('the policy in memory', () => {
  it('a new version decides the next call: every call reads the pointer, in the same read as the person', async () => {
    await publish(named('one'));
    const { kv, asked } = watchedKv();
    const there = isolate({ GATEHOUSE: kv });
    const objectId = newObjectId();
    const city = async () => (await there.call({ step: TOKEN, objectId })).json.city;
    expect(await city()).toBe('one');
    asked.length = 0;
    expect(await city()).toBe('one');
    expect(asked).toEqual([[POINTER_KEY, `person:oid:${objectId}`]]);
    await publish(named('two'));
    expect(await city()).toBe('two');
  });

  it('reads and loads a plan only when its number changed, even for many calls at once', async () => {
    const number = await publish(named('one'));
    const { kv, asked } = watchedKv();
    const there = isolate({ GATEHOUSE: kv });
    await Promise.all(Array.from({ length: 20 }, () => there.call({ step: SIGN_UP })));
    const documents = () => asked.filter((key) => key === planKey(number)).length;
    expect(documents()).toBe(1);
    for (const seconds of [31, 5_000]) {
      secondsLater(seconds);
      await there.call({ step: SIGN_UP });
    }
    expect(documents()).toBe(1);
  });

  it.each([
    ['the pointer', () => env.GATEHOUSE.put(POINTER_KEY, 'by hand'), 'policy-unreadable'],
    ['the plan', () => publish('by hand'), 'policy-unreadable'],
    ['nothing left', () => env.GATEHOUSE.delete(POINTER_KEY), 'policy-missing'],
  ])(
    'goes on deciding when somebody broke %s in KV, the attempt says so, and a repair is taken up',
    async (_, break_, degraded) => {
      const number = await publish(named('good'));
      const client_id = newClient();
      const there = isolate();
      const call = async (step = SIGN_UP) => (await there.call({ step, client_id })).json.city;
      expect(await call()).toBe('good');
      await break_();
      expect(await call()).toBe('good');
      secondsLater(10_000);
      expect(await call(TOKEN)).toBe('good');
      const rows = await rowsOfOnce(client_id, 3);
      const broken = rows.filter((row) => row.degraded !== '');
      expect(broken).toHaveLength(2);
      for (const row of broken) expect(row).toMatchObject({ degraded, outcome: 'continue', policyVersion: number });
      await publish(named('mended'));
      expect(await call()).toBe('mended');
    },
  );

  it('a plan broken by hand is not read and refused at every call', async () => {
    const there = watchedKv();
    const broken = await publish('{"rules":[');
    const cold = isolate({ GATEHOUSE: there.kv });
    const reads = () => there.asked.filter((key) => key === planKey(broken)).length;
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
  ])('goes on deciding while KV %s, the attempt says so, and no longer once KV is back', async (_, answer) => {
    await publish(named('good'));
    let down = false;
    const { kv } = watchedKv((keys) => (down && isPointer(keys) ? answer() : undefined));
    const there = isolate({ GATEHOUSE: kv, KV_TIMEOUT_MS: '30' });
    const client_id = newClient();
    const city = async () => (await there.call({ step: SIGN_UP, client_id })).json.city;
    await city();
    down = true;
    expect([await city(), await city()]).toEqual(['good', 'good']);
    down = false;
    expect(await city()).toBe('good');
    const faults = (await rowsOfOnce(client_id, 4)).map(({ degraded }) => degraded).sort();
    expect(faults).toEqual(['', '', 'policy-kv-unavailable', 'policy-kv-unavailable']);
  });

  it('of a version that KV brings too late decides the next call', async () => {
    await publish(named('one'));
    let slow = false;
    const { kv } = watchedKv((key, real) =>
      slow ? new Promise((resolve) => setTimeout(resolve, 130)).then(() => real(key)) : undefined,
    );
    const there = isolate({ GATEHOUSE: kv, KV_TIMEOUT_MS: '100' });
    await there.call({ step: SIGN_UP });
    await publish(named('two'));
    slow = true;
    expect((await there.call({ step: SIGN_UP })).json.city).toBe('one');
    slow = false;
    const { kv: away } = watchedKv(() => Promise.reject(new Error('down')));
    Object.assign(there.env, { GATEHOUSE: away });
    expect((await there.call({ step: SIGN_UP })).json.city).toBe('two');
  });
});

describe('answers of KV that cross', () => {
  /** The first question for the pointer is answered when `answer` is called; the others as KV does. */
  function firstPointerHeld() {
    let held: { resolve: (text: string) => void; reject: (error: Error) => void } | undefined;
    const { kv } = watchedKv((keys) => {
      if (!isPointer(keys) || held !== undefined) return undefined;
      return new Promise((resolve, reject) => {
        held = { resolve, reject };
      });
    });
    return { kv, held: () => vi.waitUntil(() => held) };
  }
  const afterwards = async (there: ReturnType<typeof isolate>) => {
    const client_id = newClient();
    const { city } = (await there.call({ step: SIGN_UP, client_id })).json;
    return { city, degraded: (await rowsOfOnce(client_id, 1))[0]?.degraded };
  };

  it('a question that fails after a later one was answered does not make the policy a doubtful one', async () => {
    await publish(named('good'));
    const { kv, held } = firstPointerHeld();
    const there = isolate({ GATEHOUSE: kv });
    const first = there.call({ step: SIGN_UP });
    const answer = await held();
    await there.call({ step: SIGN_UP });
    answer.reject(new Error('KV GET failed: 500'));
    expect((await first).json.city).toBe('good');
    expect(await afterwards(there)).toEqual({ city: 'good', degraded: '' });
  });

  it('an old answer that comes after a newer one does not bring the old version back', async () => {
    const old = await publish(named('old'));
    const { kv, held } = firstPointerHeld();
    const there = isolate({ GATEHOUSE: kv });
    const first = there.call({ step: SIGN_UP });
    const answer = await held();
    await publish(named('new'));
    expect((await there.call({ step: SIGN_UP })).json.city).toBe('new');
    answer.resolve(JSON.stringify({ v: 1, number: old }));
    expect((await first).json.city).toBe('new');
    expect(await afterwards(there)).toEqual({ city: 'new', degraded: '' });
  });
});

describe('when KV cannot say what we hold about a person', () => {
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

  it('sign-up steps whose rules ask for it are blocked, unless whenUnavailable says continue; the token has no roles', async () => {
    const client_id = newClient();
    await publish({ whenUnavailable: { PostAttributeCollection: 'continue' }, rules });
    const there = isolate({ GATEHOUSE: down() });
    expect((await there.call(body('PostFederationSignup', client_id))).json.action).toBe('ShowBlockPage');
    expect((await there.call(body(SIGN_UP, client_id))).json.action).toBe('Continue');
    expect((await there.call(body(TOKEN, client_id))).json).toMatchObject({ action: 'Continue', extension_Roles: '' });
    const rows = await rowsOfOnce(client_id, 3);
    expect(
      rows.map(({ step, rule, messageKey, outcome, degraded }) => [step, rule, messageKey, outcome, degraded]).sort(),
    ).toEqual([
      [SIGN_UP, '', '', 'continue', 'policy-kv-unavailable kv-unavailable'],
      ['PostFederationSignup', 'whenUnavailable', 'unavailable', 'block', 'policy-kv-unavailable kv-unavailable'],
      [TOKEN, '', '', 'continue', 'policy-kv-unavailable kv-unavailable'],
    ]);
  });

  it('a rule that grants unless something is held gives no roles', async () => {
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

  it('sign-up steps whose rules do not ask for it read the pointer alone', async () => {
    await publish(named('no-person-here'));
    const { kv, asked } = watchedKv();
    const there = isolate({ GATEHOUSE: kv });
    await there.call(body(SIGN_UP, ''));
    asked.length = 0;
    expect((await there.call(body(SIGN_UP, ''))).json.city).toBe('no-person-here');
    expect(asked).toEqual([[POINTER_KEY]]);
  });
});

describe('a large list', () => {
  const words = Array.from({ length: 2_000 }, (_, index) => `word-${index}`);
  const policy = {
    lists: { words },
    rules: [
      { id: 'listed', steps: [SIGN_UP], when: 'has(claims.city) && claims.city in lists.words', block: true },
      { id: 'token', steps: [TOKEN], set: { city: "'token'" } },
    ],
  };

  it('is read when a step whose rules ask for it is called, once for many calls at once', async () => {
    const number = await publish(policy);
    const { kv, asked } = watchedKv();
    const there = isolate({ GATEHOUSE: kv });
    const reads = () => asked.filter((key) => key === listKey(number, 'words')).length;
    expect((await there.call({ step: TOKEN })).json.city).toBe('token');
    expect(reads()).toBe(0);
    const cities = ['word-7', 'Graz', 'word-1999', 'word-2000', 'word-'];
    const replies = await Promise.all(cities.map((city) => there.call({ step: SIGN_UP, city })));
    expect(replies.map(({ json }) => json.action)).toEqual([
      'ShowBlockPage',
      'Continue',
      'ShowBlockPage',
      'Continue',
      'Continue',
    ]);
    expect(reads()).toBe(1);
  });

  it('that KV does not have lets no one sign up past it, leaves the other steps alone, and is taken up when it is there', async () => {
    const number = await publish(policy);
    const key = listKey(number, 'words');
    const list = await env.GATEHOUSE.get(key);
    await env.GATEHOUSE.delete(key);
    const client_id = newClient();
    const there = isolate();
    expect((await there.call({ step: SIGN_UP, city: 'Graz', client_id })).json.action).toBe('ShowBlockPage');
    expect((await there.call({ step: TOKEN })).json.city).toBe('token');
    expect((await rowsOfOnce(client_id, 1))[0]).toMatchObject({ reason: 'no-policy', degraded: 'policy-missing' });
    await env.GATEHOUSE.put(key, String(list));
    expect((await there.call({ step: SIGN_UP, city: 'Graz' })).json.action).toBe('Continue');
  });
});

describe('when time runs out', () => {
  const late = (client_id: string) =>
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(`{"client_id":"${client_id}",`)),
    });

  it('sign-up goes on only where whenUnavailable says so, and then stores no roles that somebody typed', async () => {
    await publish({ whenUnavailable: { PostAttributeCollection: 'continue' }, rules: [] });
    const there = isolate({ DECISION_TIMEOUT_MS: '200', KV_TIMEOUT_MS: '50' });
    await there.call({ step: SIGN_UP });
    expect((await there.call(late('x'), `/${SIGN_UP}`)).json).toEqual({
      version: '1.0.0',
      action: 'Continue',
      extension_Roles: '',
    });
    expect((await there.call(late('x'), '/PostFederationSignup')).json.action).toBe('ShowBlockPage');
    expect((await there.call(late('x'), `/${TOKEN}`)).json).toMatchObject({ action: 'Continue', extension_Roles: '' });
  });
});

describe('a shadow that cannot be had', () => {
  it('changes nothing for the policy that decides', async () => {
    await publish(named('real'), { shadow: { number: 999_999, sample: 1 } });
    expect((await isolate().call({ step: SIGN_UP })).json.city).toBe('real');
    await publish(named('real'), { shadow: { number: await putVersion('{'), sample: 1 } });
    expect((await isolate().call({ step: SIGN_UP })).json.city).toBe('real');
  });

  it('because KV hangs or throws takes no time from the first call, and is no fault of the policy that decides', async () => {
    const shadow = await putVersion(named('shadow'));
    const rules = [{ id: 'known', steps: [SIGN_UP], set: { city: "person.roles.join(' ') + 'known'" } }];
    const client_id = newClient();
    for (const answer of [() => new Promise(() => {}), () => Promise.reject(new Error('KV GET failed: 500'))]) {
      await publish({ rules }, { shadow: { number: shadow, sample: 1 } });
      const { kv } = watchedKv((keys) => (keys === planKey(shadow) ? answer() : undefined));
      const there = isolate({ GATEHOUSE: kv, KV_TIMEOUT_MS: '500', DECISION_TIMEOUT_MS: '1500' });
      const { json } = await there.call({ step: SIGN_UP, client_id, email: 'x@example.com' });
      expect(json).toMatchObject({ action: 'Continue', city: 'known' });
    }
    for (const row of await rowsOfOnce(client_id, 2)) expect(row).toMatchObject({ degraded: '', shadowVersion: 0 });
  });
});

describe('a condition that fails although it never failed when it was saved', () => {
  it('turns the person away where it guards a sign-up, sets no claim, and the attempt names the rule and the cause', async () => {
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
    expect(row).toMatchObject({ outcome: 'block', rule: 'guards' });
    expect(row?.notes).toEqual(['the condition of rule guards failed unforeseen: extension_Absent is absent']);
  });
});
