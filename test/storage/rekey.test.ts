/** The move of records to digests under the newest EMAIL_KEY, in a KV that shows changes up to a minute late. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listPeople } from '../../src/desk/admin/list-people.ts';
import { type Records, readPerson, removePerson, savePerson } from '../../src/desk/admin/person-records.ts';
import { isRekeyDue, rekey } from '../../src/desk/rekey/rekey.ts';
import { confirmKey, readState } from '../../src/desk/rekey/state.ts';
import { locate, lookUpIn } from '../../src/entitlements/look-up.ts';
import { placesOf } from '../../src/entitlements/record-keys.ts';
import { memoryKv } from '../support/memory-kv.ts';

const MINUTE_MS = 60_000;
const TICK_MS = 5 * MINUTE_MS;
const START = Date.parse('2026-11-27T00:00:00Z');
const [NEW, OLD] = ['the newest key of these tests', 'an older key of these tests'];
const KEYS = [NEW, OLD];

const recordOf = (role: string, updatedAt: number) => ({
  ...{ v: 1, roles: [role], groups: [], attributes: {}, applications: {} },
  ...{ updatedAt: new Date(updatedAt).toISOString(), updatedBy: 'a' },
});
const inputOf = (role: string) => ({ roles: [role], groups: [], attributes: {}, applications: {} });
const records = (kv: KVNamespace, gateKey: string | undefined = NEW): Records => ({ kv, emailKeys: KEYS, gateKey });
const author = (now: number) => ({ by: 'a', now, logChange: () => Promise.resolve(true) });

/** The roles that a call gives. A gate of an earlier version has no EMAIL_KEY. */
async function rolesIn(kv: KVNamespace, key: string, emailKeys: readonly string[] = KEYS): Promise<string | undefined> {
  const located = await locate({ keys: [key], emailNotTrusted: false }, emailKeys);
  const values = await kv.get([...located.places.values()].flat());
  return lookUpIn(values, located, 0).found.record?.roles.join(' ');
}

const isDone = async (kv: KVNamespace) => (await readState(kv))?.done === true;

describe('rekey', () => {
  it('records of an earlier version and under an older EMAIL_KEY end under the newest one, and each is readable at each tick', async () => {
    const { kv, values } = memoryKv();
    const mail = (nth: number) => `email:person${nth}@example.com`;
    const unreadable = 'email:unreadable@example.com';
    const local = 'idp:contoso.onmicrosoft.com:jane%40example.com';
    const keys = [...Array.from({ length: 120 }, (_, nth) => mail(nth)), local];
    for (const [nth, key] of keys.entries()) {
      const [, older = '', plain = ''] = await placesOf(KEYS, key);
      if (nth % 3 === 0) values.set(older, JSON.stringify({ ...recordOf(key.length.toString(), START), key }));
      else values.set(plain, JSON.stringify(recordOf(key.length.toString(), START)));
    }
    values.set(`person:${unreadable}`, 'not json');
    values.set('person:oid:0f8fad5b-d9cb-469f-a165-70867728950e', JSON.stringify(recordOf('x', START)));
    await confirmKey(kv, NEW, START);
    const limits = { operations: 100, listed: 50, runMs: 8_000 };
    let now = START;
    for (; !(await isDone(kv)); now += TICK_MS) {
      expect(await isRekeyDue(kv, KEYS, now)).toBe(true);
      await rekey(kv, KEYS, now, limits);
      for (const key of keys) expect([key, await rolesIn(kv, key)]).toEqual([key, key.length.toString()]);
      expect(now).toBeLessThan(START + 100 * TICK_MS);
    }
    expect([...values.keys()].filter((name) => /@|%40|contoso/.test(name))).toEqual([]);
    for (const key of [...keys, unreadable]) {
      const [newest, ...others] = await placesOf(KEYS, key);
      expect([values.has(newest ?? ''), ...others.map((place) => values.has(place))]).toEqual([true, false, false]);
    }
    expect(await readState(kv)).toMatchObject({ moved: keys.length + 1, stuck: 0, foreign: 0 });
    expect(values.has('person:oid:0f8fad5b-d9cb-469f-a165-70867728950e')).toBe(true);
    const listed = await listPeople(records(kv), 100, undefined);
    expect(listed.ok && listed.value.people.map(({ key }) => key).toSorted()[0]).toMatch(/^email:person\d/);
    expect(await readPerson(records(kv), unreadable)).toMatchObject({ value: { unreadable: 'not json' } });
    expect(await isRekeyDue(kv, KEYS, now)).toBe(false);

    values.set('person:email:by-hand@example.com', JSON.stringify(recordOf('x', now)));
    for (let day = 0; day < 2; day += 0.1) await rekey(kv, KEYS, now + day * 24 * 60 * MINUTE_MS);
    expect([...values.keys()].filter((name) => name.includes('@'))).toEqual([]);
  });

  it('nothing is moved before the gate has the newest EMAIL_KEY, so that a gate of an earlier version reads every record', async () => {
    const { kv, values } = memoryKv();
    const key = 'email:jane@example.com';
    values.set(`person:${key}`, JSON.stringify(recordOf('a', START)));
    for (let tick = 0; tick < 5; tick += 1) await rekey(kv, KEYS, START + tick * TICK_MS);
    expect([...values.keys()]).toEqual([`person:${key}`]);
    // The desk is deployed, the gate is not: what is saved now is for both.
    await savePerson(records(kv, undefined), key, inputOf('b'), author(START));
    expect([await rolesIn(kv, key, []), await rolesIn(kv, key)]).toEqual(['b', 'b']);
    // The first isolate of the new gate is there, others are not yet.
    await confirmKey(kv, NEW, START);
    await rekey(kv, KEYS, START);
    await savePerson(records(kv), key, inputOf('c'), author(START + 1_000));
    expect([await rolesIn(kv, key, []), await rolesIn(kv, key)]).toEqual(['c', 'c']);
    await rekey(kv, KEYS, START + MINUTE_MS);
    expect(await rolesIn(kv, key, [])).toBe('c');
    await rekey(kv, KEYS, START + TICK_MS);
    expect([await rolesIn(kv, key, []), await rolesIn(kv, key)]).toEqual([undefined, 'c']);
  });

  it('a tick stops at its limit of operations, and a tick in which KV fails is repeated without a loss', async () => {
    const memory = memoryKv();
    const { kv, values, made } = memory;
    for (let nth = 0; nth < 200; nth += 1)
      values.set(`person:email:${nth}@example.com`, JSON.stringify(recordOf(`r${nth}`, START)));
    await confirmKey(kv, NEW, START);
    let now = START;
    for (let tick = 0; !(await isDone(kv)); tick += 1, now += TICK_MS) {
      made.length = 0;
      let operation = 0;
      memory.fate = (_, key) => {
        if (key === 'rekey:state') return undefined;
        operation += 1;
        return tick % 3 === 1 && operation === 7 ? 'throws' : undefined;
      };
      await rekey(kv, KEYS, now, { operations: 90, listed: 1_000, runMs: 8_000 }).catch(() => undefined);
      expect(made.length).toBeLessThan(100);
      memory.fate = () => undefined;
      for (const nth of [0, 99, 199]) expect(await rolesIn(kv, `email:${nth}@example.com`)).toBe(`r${nth}`);
      expect(tick).toBeLessThan(60);
    }
    expect([...values.keys()].filter((name) => name.includes('@'))).toEqual([]);
    expect([...values.keys()].filter((name) => name.startsWith('person:'))).toHaveLength(200);
  });

  it('a copy that does not say whose it is, or is under an EMAIL_KEY that is not set, is counted and stays', async () => {
    const { kv, values } = memoryKv();
    const [, older = ''] = await placesOf(KEYS, 'email:jane@example.com');
    const [foreign = ''] = await placesOf(['a key that is not set'], 'email:jane@example.com');
    values.set(older, 'not json');
    values.set(foreign, JSON.stringify({ ...recordOf('a', START), key: 'email:jane@example.com' }));
    await confirmKey(kv, NEW, START);
    await rekey(kv, KEYS, START);
    expect(await readState(kv)).toMatchObject({ done: true, stuck: 1, foreign: 1 });
    expect([values.has(older), values.has(foreign)]).toEqual([true, true]);
  });
});

/** Every value of a key, with the time from which it is there. */
interface Version {
  readonly at: number;
  readonly text: string | null;
}

/** Workers KV: each read shows a state of the last minute, whichever it likes, key by key. */
class LateKv {
  readonly versions = new Map<string, Version[]>();
  now = START;
  readonly #pick: () => number;
  constructor(pick: () => number) {
    this.#pick = pick;
  }

  set(key: string, text: string | null): void {
    const before = this.versions.get(key) ?? [{ at: 0, text: null }];
    this.versions.set(key, [...before, { at: this.now, text }]);
  }

  /** The values that a read may show now. */
  #shown(key: string): (string | null)[] {
    const all = this.versions.get(key) ?? [{ at: 0, text: null }];
    const settled = all.findLastIndex(({ at }) => at <= this.now - MINUTE_MS);
    return all.slice(Math.max(0, settled)).map(({ text }) => text);
  }

  #read(key: string): string | null {
    const shown = this.#shown(key);
    // The state of the move is read once a tick.
    return shown.at(key === 'rekey:state' ? -1 : this.#pick() % shown.length) ?? null;
  }

  readonly kv = {
    get: async (keys: string | string[]) =>
      typeof keys === 'string' ? this.#read(keys) : new Map(keys.map((key) => [key, this.#read(key)])),
    put: async (key: string, text: string) => this.set(key, text),
    delete: async (key: string) => this.set(key, null),
    list: async ({ prefix = '' }) => {
      const names = [...this.versions.keys()].filter((key) => key.startsWith(prefix) && this.#read(key) !== null);
      return { keys: names.sort().map((name) => ({ name })), list_complete: true };
    },
  } as unknown as KVNamespace;
}

it('however late KV shows changes, a call never loses a role or gains a removed one by the move, and nothing is left under a plain key', async () => {
  const key = 'email:jane@example.com';
  const action = fc.record({
    afterMs: fc.integer({ min: 1, max: 7 * MINUTE_MS }),
    what: fc.constantFrom('save', 'remove', 'call', 'call', 'call'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('plain', 'older'),
      fc.array(action, { minLength: 1, maxLength: 25 }),
      fc.infiniteStream(fc.nat()),
      async (from, actions, stream) => {
        const late = new LateKv(() => stream.next().value ?? 0);
        const { kv } = late;
        const [, older = '', plain = ''] = await placesOf(KEYS, key);
        late.now = START - 2 * MINUTE_MS;
        const first = recordOf('first', late.now);
        late.set(from === 'plain' ? plain : older, JSON.stringify(from === 'plain' ? first : { ...first, key }));
        late.now = START;
        await confirmKey(kv, NEW, START);
        /** What administrators made it, oldest first. */
        const states: { at: number; role: string | undefined }[] = [{ at: START - 2 * MINUTE_MS, role: 'first' }];
        let nextTick = START + 1;
        const tickUntil = async (until: number) => {
          for (; nextTick <= until; nextTick += TICK_MS) {
            late.now = nextTick;
            await rekey(kv, KEYS, late.now);
          }
          late.now = until;
        };
        for (const { afterMs, what } of actions) {
          await tickUntil(late.now + afterMs);
          if (what === 'save') {
            const role = `role${states.length}`;
            expect((await savePerson(records(kv), key, inputOf(role), author(late.now))).ok).toBe(true);
            states.push({ at: late.now, role });
          } else if (what === 'remove') {
            const removed = await removePerson(records(kv), key, author(late.now));
            if (removed.ok && removed.value) states.push({ at: late.now, role: undefined });
          } else {
            const settled = states.findLastIndex(({ at }) => at <= late.now - MINUTE_MS);
            const allowed = states.slice(Math.max(0, settled)).map(({ role }) => role);
            expect(allowed).toContain(await rolesIn(kv, key));
          }
        }
        await tickUntil(late.now + 24 * 60 * MINUTE_MS);
        expect(await isDone(kv)).toBe(true);
        expect(await rolesIn(kv, key)).toBe(states.at(-1)?.role);
        expect([older, plain].map((place) => late.versions.get(place)?.at(-1)?.text ?? null)).toEqual([null, null]);
      },
    ),
    { numRuns: 500 },
  );
});
