/** An erasure that fails, is repeated or is made twice at once, and messages that arrive after it. */
import { sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it, vi } from 'vitest';
import type { Change } from '../../src/attempts/attempt.ts';
import { erasePerson } from '../../src/desk/admin/erasure/erase.ts';
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts';
import { keepAttempts } from '../support/attempt.ts';
import { callOf, emailOf, erasureDoor, idpOf, namesOf, oidOf, type Person, person } from '../support/erasure-door.ts';

const { database, deliver, door, erase, found, letters, someone } = erasureDoor();

describe('an erasure that is repeated', () => {
  it('requests that run out of time end with 202 and find the same keys again, until nothing is left', async () => {
    const anna = await someone();
    const author = { by: 'admin', now: Date.now(), logChange: async () => true };
    const limits = { rowsAtOnce: 1, rowsMs: 0, lettersMs: 5_000 };
    const proofs = [];
    for (let finished = false; !finished; ) {
      const records = { kv: door.env().GATEHOUSE, emailKeys: [], gateKey: undefined };
      const erased = await erasePerson(door.env(), records, [oidOf(anna)], author, false, limits);
      if (!erased.ok) throw new Error(erased.reason);
      proofs.push(erased.value);
      finished = erased.value.finished;
      expect(proofs.length).toBeLessThan(20);
    }
    expect(proofs.map(({ tables }) => tables.attempts.blinded)).toEqual([1, 1, 1, 1, 1, 1, 0]);
    expect(await found(namesOf(anna))).toEqual([]);
  });

  it('after a failure of Postgres at any request, the same request erases the rest', async () => {
    for (let failing = 1; ; failing += 1) {
      const anna = await someone();
      const requests = door.neon((request) => (request === failing ? 'refused' : undefined));
      const first = await erase(oidOf(anna));
      const made = requests();
      vi.restoreAllMocks();
      if (made < failing) {
        expect([first.status, failing > 10]).toEqual([200, true]);
        return;
      }
      // The log of a removed record goes to Postgres when there is no queue.
      expect(first.status).toBe(503);
      expect(['database-unavailable', 'not-logged']).toContain(first.json.code);
      expect((await erase(oidOf(anna))).status).toBe(200);
      expect([failing, await found(namesOf(anna))]).toEqual([failing, []]);
    }
  });

  it('after a lost answer of Postgres at any request, the same request erases the rest', async () => {
    for (const failing of [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]) {
      const anna = await someone();
      door.neon((request) => (request === failing ? 'answer lost' : undefined));
      const { status } = await erase(oidOf(anna));
      vi.restoreAllMocks();
      expect([200, 503]).toContain(status);
      expect((await erase(oidOf(anna))).status).toBe(200);
      expect([failing, await found(namesOf(anna))]).toEqual([failing, []]);
    }
  });

  it('after a failure of Workers KV at any operation, the same request erases the rest', async () => {
    const failures = [
      ['throws', 'get', /^person:oid/],
      ['throws', 'delete', /^person:idp/],
      ['lost', 'delete', /^person:email/],
      ['throws', 'list', /^dead-letter:/],
      ['throws', 'get', /^dead-letter:/],
      ['lost', 'delete', /^dead-letter:/],
    ] as const;
    for (const [fate, operation, at] of failures) {
      const anna = await someone();
      door.memory().fate = (made, key) => (made === operation && at.test(key) ? fate : undefined);
      const { status } = await erase(oidOf(anna));
      door.memory().fate = () => undefined;
      expect([fate, operation, at, status]).toEqual([fate, operation, at, 503]);
      expect((await erase(oidOf(anna))).status).toBe(200);
      expect([fate, operation, at, await found(namesOf(anna))]).toEqual([fate, operation, at, []]);
    }
  });

  it('two requests at once, and one after them, erase everything and change nothing else', async () => {
    const [anna, bob] = [await someone(), await someone()];
    const answers = await Promise.all([erase(oidOf(anna)), erase(idpOf(anna))]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const rows = await database.rows(sql`select t::text from attempts t order by id`);
    const again = await erase(oidOf(anna));
    expect(again).toMatchObject({
      status: 200,
      json: {
        finished: true,
        tables: { attempts: { blinded: 0 }, changes: { blinded: 0 } },
        records: { removed: 0 },
        deadLetters: { removed: 0, unreadable: 0 },
        daysToSumAgain: 0,
      },
    });
    expect(await database.rows(sql`select t::text from attempts t order by id`)).toEqual(rows);
    expect(await found(namesOf(anna))).toEqual([]);
    expect(await found(namesOf(bob))).toEqual(namesOf(bob));
  });
});

const changeOf = (who: Person, at: Date): Change => ({
  kind: 'change',
  v: 1,
  id: uuidv7({ msecs: at.getTime() }),
  changedBy: 'admin',
  subject: emailOf(who),
  before: { roles: ['reader'], attributes: { note: who.email } },
  after: { unreadable: who.email },
});

describe('messages of an erased person', () => {
  it('a message of a call before the erasure is blinded when it is written, and one of a later call is not', async () => {
    const [anna, bob] = [person(), person()];
    await keepAttempts(database.db(), [callOf(anna, 'token')]);
    const late = [callOf(anna, 'token'), callOf(anna, 'address'), callOf(anna, 'sign-up')];
    const others = callOf(bob, 'token');
    expect((await erase(oidOf(anna))).status).toBe(200);
    const later = new Date(Date.now() + 1_000);
    expect(await deliver(...late, changeOf(anna, new Date(Date.now() - HOUR_MS)), others, late[0])).toBe(6);
    expect(await found(namesOf(anna))).toEqual([]);
    expect(await found(namesOf(bob))).toEqual(namesOf(bob));
    expect(await database.rows(sql`select outcome from attempts where object_id = '' order by outcome`)).toEqual([
      { outcome: 'block' },
      { outcome: 'block' },
      { outcome: 'continue' },
      { outcome: 'continue' },
    ]);
    const [blinded] = await database.rows(sql`select before, after from changes where subject like 'erased:%'`);
    expect(blinded).toEqual({ before: { roles: ['reader'] }, after: {} });
    await deliver(callOf(anna, 'token', { at: later }), changeOf(anna, later));
    expect(await found(namesOf(anna))).toEqual(namesOf(anna));
  });

  it('a message of an erased person that Postgres refuses becomes no dead letter', async () => {
    const [anna, bob] = [person(), person()];
    await erase(oidOf(anna));
    const old = { at: new Date(Date.now() - 400 * DAY_MS) };
    const refused = [
      callOf(anna, 'token', { message: 'nul \0' }),
      { ...callOf(anna, 'token'), status: '200' },
      callOf(anna, 'token', old),
      callOf(bob, 'token', old),
    ];
    expect(await deliver(...refused)).toBe(4);
    expect(letters()).toBe(1);
    expect(await found(namesOf(anna))).toEqual([]);
  });

  it('the schedule forgets the digest of a key when no message of before can exist any more', async () => {
    await erase(oidOf(person()));
    const digests = () => database.rows(sql`select digest from erased_keys`);
    await door.tick(120 * 24 * 60);
    expect(await digests()).toHaveLength(1);
    await door.tick(122 * 24 * 60);
    expect(await digests()).toEqual([]);
  });
});
