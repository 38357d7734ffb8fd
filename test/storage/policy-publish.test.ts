/** Saves while KV or Neon fails at each step, and the cron, which completes them. */
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { unpublishedSince } from '../../src/desk/policies/publish.ts';
import { POINTER_KEY, versionKey } from '../../src/policy/pointer.ts';
import type { Fate } from '../support/memory-kv.ts';
import { aPolicy, FIRST, ifMatch, newPolicy, policyDoor } from '../support/policy-door.ts';

const door = policyDoor();
const { call, put, save } = door;

/** Fake timers skip timeouts of KV and the wait before a retry. */
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

describe('saving: KV failures', () => {
  it.each([
    ['throws', 'kv-failed'],
    ['busy', 'kv-busy'],
    ['hangs', 'kv-timeout'],
  ] as const)('when KV (%s) does not accept the publish-due key, nothing is saved: %s', async (fate, code) => {
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
  ] as const)('when KV (%s) does not accept %s, the version is saved and the cron publishes it', async (fate, key) => {
    await save();
    const document = newPolicy();
    kvFails(fate, 'put', key);
    const saved = await put(document, ifMatch(1));
    expect(saved).toMatchObject({ status: 200, json: { number: 2, changed: true, published: false } });
    expect(saved.json.inForce).toMatch(/^not yet: it is saved/);
    expect(door.pointer()).toEqual({ v: 1, number: 1 });
    expect(door.due()).toHaveLength(1);

    // While KV fails, the cron fails too, and the key stays.
    if (fate === 'throws') await door.tick(5);
    expect(door.due().length).toBeGreaterThan(0);
    kvWorks();
    await door.tick(10);
    expect([door.pointer(), door.published(2), door.due()]).toEqual([{ v: 1, number: 2 }, document, []]);
  });

  it('when KV does not delete the publish-due key, the version is published and the cron deletes the key', async () => {
    kvFails('throws', 'delete', 'policy:publish-due:');
    expect((await put(aPolicy(), FIRST)).json).toMatchObject({ published: true });
    expect(door.due()).toHaveLength(1);
    kvWorks();
    await door.tick(5);
    expect([door.due(), door.pointer()]).toEqual([[], { v: 1, number: 1 }]);
  });

  it('saving the same policy again publishes a version that KV did not accept before', async () => {
    const document = newPolicy();
    kvFails('throws', 'put', POINTER_KEY);
    await put(document, FIRST);
    kvWorks();
    expect((await put(document, ifMatch(1))).json).toMatchObject({ number: 1, changed: false, published: true });
    expect(door.pointer()).toEqual({ v: 1, number: 1 });
  });

  it('saving the same policy again restores lost values in KV without reading KV', async () => {
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

describe('saving: Neon failures', () => {
  it.each(['refused', 'bad gateway'] as const)('every call is a 503 when Neon is down: %s', async (fate) => {
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
    'when Neon fails during the write (%s), the outcome is uncertain, and a retry leaves one version',
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

  it('when Neon fails after publishing, the save is not confirmed and the cron publishes it again', async () => {
    await save();
    door.neon((request) => (request === 3 ? 'refused' : undefined));
    expect((await put(newPolicy(), ifMatch(1))).json).toMatchObject({ number: 2, published: false });
    expect(door.due()).toHaveLength(1);
    await door.tick(5);
    expect([door.pointer(), door.due()]).toEqual([{ v: 1, number: 2 }, []]);
  });

  it('when the database is not migrated, every call is a 503 with its own code', async () => {
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

  it('without DATABASE_URL, a save is a 503', async () => {
    const settings = { DATABASE_URL: '' };
    const { status, json } = await call('PUT', '/policy', { body: aPolicy(), headers: FIRST, settings });
    expect([status, json.code]).toEqual([503, 'database-unavailable']);
  });
});

it('unpublishedSince: a save counts as overdue only after the cron had time to publish it', async () => {
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
  it('the cron publishes a version whose Worker crashed after the write to Neon', async () => {
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

  it('the cron keeps the key of a save that has just begun', async () => {
    await save();
    const key = 'policy:publish-due:other';
    await door.memory().kv.put(key, '', { metadata: { at: Date.now() } });
    await door.tick(1);
    expect(door.due()).toEqual([key]);
    await door.tick(5);
    expect(door.due()).toEqual([]);
  });

  it('the cron deletes keys without metadata, and does not write the pointer before the first save', async () => {
    const byHand = JSON.stringify({ v: 1, number: 7 });
    await door.memory().kv.put('policy:publish-due:by-hand', 'x');
    await door.memory().kv.put(POINTER_KEY, byHand);
    await door.tick(5);
    expect([door.due(), door.memory().values.get(POINTER_KEY)]).toEqual([[], byHand]);
  });

  it.each([
    ['an older number', POINTER_KEY, '{"v":1,"number":1}'],
    ['an unknown number', POINTER_KEY, '{"v":1,"number":99}'],
    ['no shadow', POINTER_KEY, '{"v":1,"number":2}'],
    ['another share', POINTER_KEY, '{"v":1,"number":2,"shadow":{"number":3,"sample":1}}'],
    ['nonsense', POINTER_KEY, 'nonsense'],
    ['another document', versionKey(2), '{"rules":[]}'],
    ['another shadow', versionKey(3), '{"rules":[]}'],
  ])('the cron overwrites values that were written by hand, when Neon is awake: %s', async (_, key, value) => {
    await save();
    await save();
    await call('PUT', '/policy/shadow?sample=0.5', { body: newPolicy(), headers: FIRST });
    const right = new Map(door.memory().values);
    await door.memory().kv.put(key, value);
    // The first tick aggregates, so Neon is awake.
    await door.tick(0);
    expect(Object.fromEntries(door.memory().values)).toMatchObject(Object.fromEntries(right));
    expect(door.due()).toEqual([]);
  });

  it('the cron restores missing values', async () => {
    await save();
    for (const key of [POINTER_KEY, versionKey(1)]) door.memory().values.delete(key);
    await door.tick(0);
    expect([door.pointer(), door.published(1)]).toEqual([{ v: 1, number: 1 }, expect.anything()]);
  });

  it('the cron does not query Neon and does not write KV when there is nothing to do', async () => {
    await save();
    await door.tick(0);
    const requests = door.neon(() => undefined);
    door.memory().made.length = 0;
    await door.tick(5);
    expect(requests()).toBe(0);
    expect(door.memory().made.filter((made) => /^(?:put|delete) /.test(made))).toEqual([]);

    await door.memory().kv.put('policy:publish-due:other', '');
    await door.tick(10);
    expect(requests()).toBeGreaterThan(0);
    door.memory().made.length = 0;
    // Neon is awake for the aggregates: the cron compares KV with it, and both agree.
    door.memory().values.delete('sums:done');
    await door.tick(15);
    expect(door.memory().made).toContain(`get ${POINTER_KEY}`);
    expect(door.memory().made.filter((made) => made.startsWith('put policy:'))).toEqual([]);
  });
});
