/** A saving while KV or Neon fail, at each of its steps; and the cron, which brings to an end what broke off. */
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { unpublishedSince } from '../../src/desk/policies/publish.ts';
import { POINTER_KEY, versionKey } from '../../src/policy/pointer.ts';
import type { Fate } from '../support/memory-kv.ts';
import { aPolicy, FIRST, ifMatch, newPolicy, policyDoor } from '../support/policy-door.ts';

const door = policyDoor();
const { call, put, save } = door;

/** Whoever waits for KV, or waits to write again, need not wait long: the clock jumps. */
const kvFails = (fate: Fate, operation: string, prefix: string) => {
  if (fate !== 'throws') vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const jump = () => vi.isFakeTimers() && vi.advanceTimersByTime(10_000);
  door.memory().fate = (made, key) => {
    if (made !== operation || !key.startsWith(prefix)) return undefined;
    setImmediate(jump);
    return fate;
  };
};
const kvWorks = () => {
  vi.useRealTimers();
  door.memory().fate = () => undefined;
};
afterEach(() => vi.useRealTimers());

describe('a saving whose KV', () => {
  it.each([
    ['throws', 'kv-failed'],
    ['busy', 'kv-busy'],
    ['hangs', 'kv-timeout'],
  ] as const)('(%s) cannot take note of it saves nothing, and says so', async (fate, code) => {
    await save();
    kvFails(fate, 'put', 'policy:publish-due:');
    const { status, headers, json } = await put(newPolicy(), ifMatch(1));
    expect([status, Number(headers.get('Retry-After')) > 0, json.code]).toEqual([503, true, code]);
    expect(json.detail).toContain('Nothing was changed');
    kvWorks();
    expect(await door.versions()).toHaveLength(1);
    expect(await door.changes('policy')).toHaveLength(1);
    expect(door.pointer()).toEqual({ v: 1, number: 1 });
    expect((await put(newPolicy(), ifMatch(1))).status).toBe(200);
  });

  it.each([
    ['throws', versionKey(2)],
    ['hangs', versionKey(2)],
    ['throws', POINTER_KEY],
    ['busy', POINTER_KEY],
    ['hangs', POINTER_KEY],
  ] as const)('(%s) does not take %s is saved, and the cron publishes it', async (fate, key) => {
    await save();
    const document = newPolicy();
    kvFails(fate, 'put', key);
    const saved = await put(document, ifMatch(1));
    expect(saved).toMatchObject({ status: 200, json: { number: 2, changed: true, published: false } });
    expect(saved.json.inForce).toMatch(/^not yet: it is saved/);
    expect(door.pointer()).toEqual({ v: 1, number: 1 });
    expect(door.due()).toHaveLength(1);

    // As long as KV fails, so does the cron, and nothing is forgotten.
    if (fate === 'throws') await door.tick(5);
    expect(door.due().length).toBeGreaterThan(0);
    kvWorks();
    await door.tick(10);
    expect([door.pointer(), door.published(2), door.due()]).toEqual([{ v: 1, number: 2 }, document, []]);
  });

  it('does not take the note away again is published all the same, and the cron takes it away', async () => {
    kvFails('throws', 'delete', 'policy:publish-due:');
    expect((await put(aPolicy(), FIRST)).json).toMatchObject({ published: true });
    expect(door.due()).toHaveLength(1);
    kvWorks();
    await door.tick(5);
    expect([door.due(), door.pointer()]).toEqual([[], { v: 1, number: 1 }]);
  });

  it('had not taken it is published when somebody saves the same again', async () => {
    const document = newPolicy();
    kvFails('throws', 'put', POINTER_KEY);
    await put(document, FIRST);
    kvWorks();
    expect((await put(document, ifMatch(1))).json).toMatchObject({ number: 1, changed: false, published: true });
    expect(door.pointer()).toEqual({ v: 1, number: 1 });
  });

  it('lost the policy is given it again by saving the same, without asking what it holds', async () => {
    const document = newPolicy();
    await save(document);
    await call('PUT', '/policy/shadow', { body: document, headers: FIRST });
    const right = Object.fromEntries(door.memory().values);
    for (const key of Object.keys(right)) await door.memory().kv.put(key, 'nonsense');
    door.memory().made.length = 0;
    expect((await put(document, ifMatch(1))).json).toMatchObject({ changed: false, published: true });
    expect(Object.fromEntries(door.memory().values)).toEqual(right);
    expect(door.memory().made.filter((made) => /^(?:get|list) /.test(made))).toEqual([]);
    kvFails('throws', 'put', POINTER_KEY);
    expect((await put(document, ifMatch(1))).json).toMatchObject({ changed: false, published: false });
    kvFails('throws', 'put', 'policy:publish-due:');
    expect((await put(document, ifMatch(1))).json).toMatchObject({ changed: false, published: false });
  });
});

describe('a saving whose Neon', () => {
  it.each(['refused', 'bad gateway'] as const)('(%s) is away from the beginning saves nothing', async (fate) => {
    await save();
    door.neon(() => fate);
    for (const [method, path, body] of [
      ['PUT', '/policy', newPolicy()],
      ['PUT', '/policy/shadow', newPolicy()],
      ['DELETE', '/policy/shadow', undefined],
      ['POST', '/policy/rollback', { to: 1 }],
      ['GET', '/policy', undefined],
      ['GET', '/policy/shadow', undefined],
      ['GET', '/policy/versions', undefined],
      ['GET', '/policy/versions/1', undefined],
    ] as const) {
      const { status, headers, json } = await call(method, path, { body, headers: ifMatch(1) });
      expect([method, path, status, json.code]).toEqual([method, path, 503, 'database-unavailable']);
      expect([headers.get('Retry-After'), json.detail]).toEqual(['5', expect.stringContaining('Nothing was changed')]);
    }
    const unsure = await put(newPolicy(), {});
    expect([unsure.status, unsure.json.code, 'current' in unsure.json]).toEqual([428, 'precondition-missing', false]);
    expect(door.due()).toEqual([]);
  });

  it.each(['refused', 'answer lost', 'bad gateway'] as const)(
    '(%s) breaks off while it writes does not pretend to know: made again, the call saves once',
    async (fate) => {
      await save();
      const document = newPolicy();
      door.neon((request) => (request === 2 ? fate : undefined));
      const { status, json } = await put(document, ifMatch(1));
      expect([status, json.code]).toEqual([503, 'save-uncertain']);
      expect(json.detail).toContain('version 2');
      expect(door.due()).toHaveLength(1);
      const again = await put(document, ifMatch(1));
      expect(again).toMatchObject({ status: 200, json: { number: 2, published: true } });
      expect(again.json.changed).toBe(fate !== 'answer lost');
      expect(door.pointer()).toEqual({ v: 1, number: 2 });
      expect((await door.changes('policy')).map(({ after }) => after)).toMatchObject([{ version: 1 }, { version: 2 }]);
      await door.tick(5);
      expect([door.pointer(), door.due()]).toEqual([{ v: 1, number: 2 }, []]);
    },
  );

  it('has taken it, but does not say whether it is still the newest, is published by the cron once more', async () => {
    await save();
    door.neon((request) => (request === 3 ? 'refused' : undefined));
    expect((await put(newPolicy(), ifMatch(1))).json).toMatchObject({ number: 2, published: false });
    expect(door.due()).toHaveLength(1);
    await door.tick(5);
    expect([door.pointer(), door.due()]).toEqual([{ v: 1, number: 2 }, []]);
  });

  it('was never migrated is told what to run', async () => {
    await door.database.db().execute(sql`alter table policy_versions rename to policy_versions_away`);
    try {
      for (const method of ['GET', 'PUT']) {
        const { status, json } = await call(method, '/policy', {
          headers: FIRST,
          ...(method === 'PUT' ? { body: aPolicy() } : {}),
        });
        expect([status, json.code]).toEqual([503, 'database-not-migrated']);
      }
    } finally {
      await door.database.db().execute(sql`alter table policy_versions_away rename to policy_versions`);
    }
  });

  it('is not configured is told that nothing was saved', async () => {
    const settings = { DATABASE_URL: '' };
    const { status, json } = await call('PUT', '/policy', { body: aPolicy(), headers: FIRST, settings });
    expect([status, json.code]).toEqual([503, 'database-unavailable']);
  });
});

it('a saving that stays unpublished can be told from one that is under way', async () => {
  kvFails('throws', 'put', POINTER_KEY);
  await put(aPolicy(), FIRST);
  const since = (minutes: number) => unpublishedSince(door.memory().kv, Date.now() + minutes * 60_000);
  expect([await since(0), await since(10)]).toEqual([undefined, undefined]);
  expect(Math.abs(Number(await since(15)) - Date.now())).toBeLessThan(60_000);
  kvWorks();
  await door.tick(15);
  expect(await since(30)).toBeUndefined();
});

describe('the cron', () => {
  it('brings a saving to its end whose Worker died right after Neon had it', async () => {
    await save();
    const document = newPolicy();
    let died = () => {};
    const death = new Promise<void>((resolve) => {
      died = resolve;
    });
    door.memory().fate = (operation, key) => {
      if (operation !== 'put' || key !== versionKey(2)) return undefined;
      died();
      return 'hangs';
    };
    void put(document, ifMatch(1));
    await death;
    kvWorks();
    expect([door.pointer(), door.due().length]).toEqual([{ v: 1, number: 1 }, 1]);
    await door.tick(5);
    expect([door.pointer(), door.published(2), door.due()]).toEqual([{ v: 1, number: 2 }, document, []]);
  });

  it('does not forget a saving that has only begun', async () => {
    await save();
    const key = 'policy:publish-due:somebody';
    await door.memory().kv.put(key, '', { metadata: { at: Date.now() } });
    await door.tick(1);
    expect(door.due()).toEqual([key]);
    await door.tick(5);
    expect(door.due()).toEqual([]);
  });

  it('takes away keys that somebody wrote by hand, and leaves KV alone when nothing was ever saved', async () => {
    const byHand = JSON.stringify({ v: 1, number: 7 });
    await door.memory().kv.put('policy:publish-due:by-hand', 'x');
    await door.memory().kv.put(POINTER_KEY, byHand);
    await door.tick(5);
    expect([door.due(), door.memory().values.get(POINTER_KEY)]).toEqual([[], byHand]);
  });

  it.each([
    ['an older number', POINTER_KEY, '{"v":1,"number":1}'],
    ['a number that there is not', POINTER_KEY, '{"v":1,"number":99}'],
    ['no shadow', POINTER_KEY, '{"v":1,"number":2}'],
    ['another share', POINTER_KEY, '{"v":1,"number":2,"shadow":{"number":3,"sample":1}}'],
    ['nonsense', POINTER_KEY, 'nonsense'],
    ['another document', versionKey(2), '{"rules":[]}'],
    ['another shadow', versionKey(3), '{"rules":[]}'],
  ])('mends what somebody wrote by hand, when Neon is awake anyway: %s', async (_, key, value) => {
    await save();
    await save();
    await call('PUT', '/policy/shadow?sample=0.5', { body: newPolicy(), headers: FIRST });
    const right = new Map(door.memory().values);
    await door.memory().kv.put(key, value);
    // The first tick ever sums, so that Neon is awake.
    await door.tick(0);
    expect(Object.fromEntries(door.memory().values)).toMatchObject(Object.fromEntries(right));
    expect(door.due()).toEqual([]);
  });

  it('mends what is missing', async () => {
    await save();
    for (const key of [POINTER_KEY, versionKey(1)]) door.memory().values.delete(key);
    await door.tick(0);
    expect([door.pointer(), door.published(1)]).toEqual([{ v: 1, number: 1 }, expect.anything()]);
  });

  it('leaves Neon asleep, and KV unwritten, when there is nothing to do', async () => {
    await save();
    await door.tick(0);
    const requests = door.neon(() => undefined);
    door.memory().made.length = 0;
    await door.tick(5);
    expect(requests()).toBe(0);
    expect(door.memory().made.filter((made) => /^(?:put|delete) /.test(made))).toEqual([]);

    await door.memory().kv.put('policy:publish-due:somebody', '');
    await door.tick(10);
    expect(requests()).toBeGreaterThan(0);
    door.memory().made.length = 0;
    // Awake for something else: looked at, and found right.
    door.memory().values.delete('sums:done');
    await door.tick(15);
    expect(door.memory().made).toContain(`get ${POINTER_KEY}`);
    expect(door.memory().made.filter((made) => made.startsWith('put policy:'))).toEqual([]);
  });
});
