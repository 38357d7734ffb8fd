/** `/admin/people/{key}/data`: a person is erased from Postgres, Workers KV and the dead letters. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it, vi } from 'vitest';
import type { Attempt, Change } from '../../src/attempts/attempt.ts';
import { ERASED } from '../../src/attempts/notes.ts';
import { erasePerson } from '../../src/desk/admin/erasure/erase.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { consume } from '../../src/desk/consume/consume.ts';
import { rebuildUsers } from '../../src/desk/users/rebuild-users.ts';
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { policyDoor } from '../support/policy-door.ts';

const door = policyDoor();
const { call, database } = door;

interface Person {
  readonly objectId: string;
  readonly id: string;
  readonly email: string;
}
const person = (more: Partial<Person> = {}): Person => {
  const id = crypto.randomUUID();
  return { objectId: crypto.randomUUID(), id: `g-${id}`, email: `${id}@example.com`, ...more };
};
const oidOf = ({ objectId }: Person) => `oid:${objectId}`;
const idpOf = ({ id }: Person) => `idp:google.com:${id}`;
const emailOf = ({ email }: Person) => `email:${email}`;

type Kind = 'token' | 'sign-up' | 'address';
/** A call: at the token step with everything, at a sign-up with the identity and the address, or the address alone. */
function callOf(who: Person, kind: Kind, changed: Partial<Attempt> & { at?: Date } = {}): Attempt {
  const isToken = kind === 'token';
  const hasIdentity = kind !== 'address';
  return anAttempt({
    at: new Date(Date.now() - 3 * HOUR_MS),
    step: isToken ? 'PreTokenIssuance' : 'PostFederationSignup',
    outcome: isToken ? 'continue' : 'block',
    rule: isToken ? '' : 'no-code',
    objectId: isToken ? who.objectId : '',
    oidKey: isToken ? oidOf(who) : '',
    email: who.email,
    emailKey: emailOf(who),
    issuer: hasIdentity ? 'google.com' : '',
    issuerAssignedId: hasIdentity ? who.id : '',
    idpKey: hasIdentity ? idpOf(who) : '',
    otherKeys: isToken ? [`idp:facebook.com:${who.id}`, `name:${who.email}`] : [],
    keptClaims: hasIdentity ? { displayName: `Name of ${who.id}` } : {},
    message: `Dear ${who.email}`,
    roles: ['editor'],
    supportCode: 'ABCDE-12345',
    correlationId: hasIdentity ? `c-${who.id}` : '',
    notes: [`the condition of rule r1 failed unforeseen: ${who.email}`, `about ${who.email}`],
    ...changed,
  });
}

/** Every value of every table and of KV, as one text. */
async function everything(): Promise<string> {
  const tables = await database.rows<{ name: string }>(sql`
    select c.relname as name from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`);
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows = await database.rows<{ text: string }>(
      sql`select t::text as text from ${sql.identifier(name)} as t order by 1`,
    );
    texts.push(name, ...rows.map(({ text }) => text));
  }
  return [...texts, ...[...door.memory().values].flat()].join('\n');
}

/** All that names a person. */
const namesOf = (who: Person) => [who.objectId, who.id, who.email];
const found = async (names: readonly string[]) => {
  const text = await everything();
  return names.filter((name) => text.includes(name));
};

/** `t::text` of these rows. */
const rowsOf = async (...some: Attempt[]) =>
  some.length === 0
    ? []
    : database.rows(sql`select t::text from attempts t where id in ${some.map(({ id }) => id)} order by id`);

const pathOf = (key: string) => `/people/${encodeURIComponent(key)}/data`;
const erase = (key: string, query = '') => call('DELETE', pathOf(key) + query);
const preview = (key: string) => call('GET', pathOf(key));

const setRecord = (key: string) =>
  call('PUT', '/people', { body: { key, roles: ['editor'], attributes: { note: `of ${key}` } } });
const keepLetter = (message: unknown) =>
  door
    .memory()
    .kv.put(`dead-letter:refused:${uuidv7()}`, typeof message === 'string' ? message : JSON.stringify(message));
const letters = () => [...door.memory().values.keys()].filter((key) => key.startsWith('dead-letter:')).length;

/** Delivers messages to the consumer. Returns how many it acknowledged. */
async function deliver(...bodies: unknown[]): Promise<number> {
  let acked = 0;
  const messages = bodies.map((body, index) => ({
    ...{ id: `m${index}`, timestamp: new Date(), body, attempts: 1 },
    ack: () => (acked += 1),
    retry: () => undefined,
  }));
  const batch = { queue: 'gatehouse-attempts', messages, ackAll() {}, retryAll() {}, metadata: {} };
  await consume(batch as unknown as MessageBatch, door.env());
  return acked;
}

describe('erasing a person', () => {
  it('no table, value in KV or dead letter names the person afterwards, and the rows keep what is counted', async () => {
    const anna = person();
    const calls = (['token', 'sign-up', 'address'] as const).map((kind) => callOf(anna, kind));
    await keepAttempts(database.db(), calls);
    for (const key of [oidOf(anna), idpOf(anna), emailOf(anna)]) await setRecord(key);
    await keepLetter(callOf(anna, 'token'));
    await keepLetter({ ...callOf(anna, 'token'), v: 0 });
    await keepLetter(`no JSON about ${anna.email}.`);
    await keepLetter('no JSON about others');
    const { status, json } = await erase(oidOf(anna).toUpperCase());
    expect([status, json]).toMatchObject([
      200,
      {
        finished: true,
        keys: { oid: 1, idp: 2, email: 1, name: 1 },
        notFollowed: {},
        tables: { attempts: { blinded: 3 }, changes: { blinded: 3 } },
        records: { removed: 3 },
        deadLetters: { removed: 3, unreadable: 1 },
        daysToSumAgain: 1,
      },
    ]);
    expect(await found([...namesOf(anna), 'ABCDE-12345', 'Name of', 'about '])).toEqual(['about ']);
    expect(JSON.stringify(json)).not.toContain(anna.id);
    const rows = await database.rows(
      sql`select step, outcome, rule, issuer, notes, roles from attempts order by step, issuer`,
    );
    const notes = [ERASED, 'the condition of rule r1 failed unforeseen: '];
    expect(rows).toEqual(
      calls.toReversed().map(({ step, outcome, rule, issuer }) => ({ step, outcome, rule, issuer, notes, roles: [] })),
    );
  });

  it('the other people keep every attempt, record and dead letter unchanged when one is erased', async () => {
    const kinds = fc.array(fc.constantFrom<Kind>('token', 'sign-up', 'address'), { minLength: 1, maxLength: 5 });
    const history = fc.record({ kinds, sharesAddress: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(history, { minLength: 2, maxLength: 4 }),
        fc.nat(),
        fc.nat(1),
        async (histories, pick, by) => {
          const address = `${crypto.randomUUID()}@family.example`;
          const people = histories.map(({ sharesAddress }) => person(sharesAddress ? { email: address } : {}));
          const calls = people.map((who, index) => (histories[index]?.kinds ?? []).map((kind) => callOf(who, kind)));
          await keepAttempts(database.db(), calls.flat());
          for (const who of people) {
            await setRecord(oidOf(who));
            await keepLetter(callOf(who, 'token'));
          }
          const victim = pick % people.length;
          const [anna] = people.slice(victim);
          if (anna === undefined) throw new Error('There is a victim.');
          const others = people.filter((_, index) => index !== victim);
          const othersCalls = calls.filter((_, index) => index !== victim).flat();
          const isShared = others.some(({ email }) => email === anna.email);
          // A call that has only an address belongs to another person if one was seen with it, else to the erased one.
          const isAnothers = othersCalls.some(({ email, idpKey }) => email === anna.email && idpKey !== '');
          const kept = othersCalls.filter(({ email, idpKey }) => idpKey !== '' || email !== anna.email || isAnothers);
          const before = await rowsOf(...kept);
          const lettersBefore = letters();
          const { status } = await erase(by === 0 ? oidOf(anna) : idpOf(anna));
          expect(status).toBe(200);
          expect(await rowsOf(...kept)).toEqual(before);
          for (const who of others) expect((await call('GET', `/people/${oidOf(who)}`)).status).toBe(200);
          expect(lettersBefore - letters()).toBe(1);
          const hasAccount = calls[victim]?.some(({ oidKey }) => oidKey !== '');
          // Nothing connects an identity that was never seen with its account, and nothing an address of its own.
          const connected = (calls[victim] ?? []).filter(({ idpKey }) => idpKey !== '');
          if (by === 0 ? hasAccount : connected.length > 0) {
            expect(await found([anna.id])).toEqual([]);
            if (hasAccount) expect(await found([anna.objectId])).toEqual([]);
            if (!isShared) expect(await found([anna.email])).toEqual([]);
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});

const NOW = () => new Date();
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

const correlationOf = ({ id }: Person, days: number) => `${id.slice(2)}-${days}`;
/** A sign-in through a custom policy: a start that names no one, and its completion. */
function signInOf(who: Person, days: number): Attempt[] {
  const at = (minutes: number) => new Date(Date.now() - days * DAY_MS + minutes * 60_000);
  const call = { channel: 'custom-policy', outcome: 'continue', correlationId: correlationOf(who, days) } as const;
  return [
    anAttempt({ ...call, at: at(0), step: 'SignInStarted', objectId: '', oidKey: '', email: '', emailKey: '' }),
    anAttempt({ ...call, at: at(1), step: 'SignInCompleted', objectId: who.objectId, oidKey: oidOf(who) }),
  ];
}

describe('aggregates of an erased person', () => {
  it('the number of distinct people falls when the days are summed again, and the other counts stay', async () => {
    const [anna, bob] = [person(), person()];
    const at = (days: number) => ({ at: new Date(Date.now() - days * DAY_MS) });
    await keepAttempts(database.db(), [
      ...[2, 3, 4].flatMap((days) => [callOf(anna, 'token', at(days)), callOf(anna, 'sign-up', at(days))]),
      callOf(bob, 'token', at(3)),
      ...signInOf(anna, 2),
      ...signInOf(anna, 3),
      ...signInOf(bob, 3),
    ]);
    await sumDue(database.db, NOW());
    const people = () =>
      database.rows<{ people: number }>(sql`
      select count(distinct person)::int as people from visits`);
    const counts = () =>
      database.rows(sql`
      select t::text from (select * from daily_counts order by 1, 2, 3, 4, 5, 6, 7, 8, 9) as t
      union all select t::text from (select * from daily_facets order by 1, 2, 3, 4, 5, 6) as t`);
    const before = await counts();
    expect(before.filter(({ t }) => String(t).startsWith('(sign-in,')).length).toBeGreaterThan(1);
    expect(await people()).toEqual([{ people: 3 }]);
    await erase(oidOf(anna));
    expect(await sumDue(database.db, NOW())).toEqual({ days: 3, left: 0 });
    expect(await people()).toEqual([{ people: 1 }]);
    expect(await counts()).toEqual(before);
    expect(await found(namesOf(anna))).toEqual([]);
    expect(await found([correlationOf(anna, 2), correlationOf(anna, 3)])).toEqual([]);
    expect(await found([correlationOf(bob, 3)])).toEqual([correlationOf(bob, 3)]);
  });
});

/** A person with calls that only a followed key finds, records under every key, and a dead letter. */
async function someone(): Promise<Person> {
  const anna = person();
  const kinds = ['token', 'token', 'sign-up', 'sign-up', 'address', 'address'] as const;
  await keepAttempts(
    database.db(),
    kinds.map((kind) => callOf(anna, kind)),
  );
  for (const key of [oidOf(anna), idpOf(anna), emailOf(anna)]) await setRecord(key);
  await keepLetter(callOf(anna, 'sign-up'));
  return anna;
}

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

describe('the preview and the proof of an erasure', () => {
  it('the preview counts what the erasure then erases, names the keys and changes nothing', async () => {
    const anna = await someone();
    await rebuildUsers(database.db);
    const before = await everything();
    const { status, json } = await preview(oidOf(anna));
    expect([status, json]).toEqual([
      200,
      {
        keys: [oidOf(anna), idpOf(anna), `idp:facebook.com:${anna.id}`, emailOf(anna), `name:${anna.email}`],
        notFollowed: [],
        accounts: 1,
        tables: {
          attempts: { found: 6, days: expect.anything() },
          changes: { found: 3 },
          users: { found: 1 },
          accounts: { found: 2 },
        },
        records: { found: 3 },
        deadLetters: { found: 1, unreadable: 0 },
      },
    ]);
    expect(await everything()).toBe(before);
    const inBody = await call('POST', '/people/data/preview', { body: { key: oidOf(anna) } });
    expect(inBody.json).toEqual(json);
    const erased = await call('POST', '/people/data/erase', { body: { key: oidOf(anna) } });
    expect(erased).toMatchObject({
      status: 200,
      json: {
        tables: {
          attempts: { blinded: 6 },
          changes: { blinded: 3 },
          users: { removed: 1 },
          accounts: { removed: 2 },
        },
        records: { removed: 3 },
        deadLetters: { removed: 1 },
      },
    });
  });

  it('the audit log has the proof under the name of the credential, and says what remains and until when', async () => {
    const anna = await someone();
    const { json: proof } = await erase(oidOf(anna));
    const { json } = await call('GET', '/changes?subject=erasure');
    expect(json.changes).toEqual([
      { id: proof.id, occurredAt: proof.erasedAt, changedBy: 'admin', subject: 'erasure', before: null, after: proof },
    ]);
    expect(proof.remains).toContainEqual({
      where: expect.stringContaining('Neon'),
      what: expect.anything(),
      until: new Date(Date.parse(String(proof.erasedAt)) + 30 * DAY_MS).toISOString(),
    });
    const roles = await call('GET', '/changes');
    expect(JSON.stringify(roles.json)).toContain('"subject":"erased:');
  });

  it('an address that several accounts have used is erased only with shared=yes, and then for all of them', async () => {
    const anna = person();
    const bob = person({ email: anna.email });
    const [ofAnna, ofBob] = [callOf(anna, 'token'), callOf(bob, 'token')];
    const other = callOf(bob, 'token', { email: '', emailKey: '', otherKeys: [], message: '', notes: [] });
    await keepAttempts(database.db(), [ofAnna, ofBob, other]);
    const before = await everything();
    for (const key of [emailOf(anna), `name:${anna.email}`]) {
      expect((await preview(key)).json).toMatchObject({ accounts: 2, notFollowed: [] });
      expect(await erase(key)).toMatchObject({ status: 409, json: { code: 'shared-address' } });
    }
    expect(await everything()).toBe(before);
    const kept = await rowsOf(other);
    expect((await erase(emailOf(anna), '?shared=yes')).status).toBe(200);
    expect(await found([...namesOf(anna)])).toEqual([]);
    expect(await rowsOf(other)).toEqual(kept);
  });

  it('an address that an account and an identity without one have used is erased only with shared=yes', async () => {
    const anna = person();
    const typed = callOf({ ...person(), email: anna.email }, 'sign-up');
    await keepAttempts(database.db(), [callOf(anna, 'token'), callOf(anna, 'sign-up'), typed]);
    const before = await everything();
    expect((await preview(emailOf(anna))).json).toMatchObject({ accounts: 2 });
    expect(await erase(emailOf(anna))).toMatchObject({ status: 409, json: { code: 'shared-address' } });
    expect(await everything()).toBe(before);
  });

  it('an address that another person typed is named in the preview and not followed', async () => {
    const [anna, mallory] = [person(), person()];
    const typed = callOf({ ...mallory, email: anna.email }, 'sign-up');
    await keepAttempts(database.db(), [callOf(anna, 'token'), callOf(anna, 'address'), typed]);
    const before = await rowsOf(typed);
    expect((await preview(oidOf(anna))).json).toMatchObject({ notFollowed: [emailOf(anna)] });
    expect((await erase(oidOf(anna))).json).toMatchObject({ notFollowed: { email: 1 } });
    expect(await rowsOf(typed)).toEqual(before);
    expect(await found([anna.objectId, anna.id])).toEqual([]);
  });

  it('a key that no call can have is refused unless something is stored under it', async () => {
    const slip = 'oid:anna@example.com';
    expect(await erase(slip)).toMatchObject({ status: 400, json: { errors: [{ path: 'key' }] } });
    expect((await erase('name:')).status).toBe(400);
    expect((await erase('anna')).status).toBe(400);
    await keepAttempts(database.db(), [anAttempt({ objectId: 'anna@example.com' })]);
    expect(await erase(slip)).toMatchObject({ status: 200, json: { tables: { attempts: { blinded: 1 } } } });
  });

  it('a page of another site cannot erase a person', async () => {
    const anna = await someone();
    const before = await everything();
    const headers = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
    const answers = [
      await call('DELETE', pathOf(oidOf(anna)), { headers }),
      await call('POST', '/people/data/erase', { headers, body: { key: oidOf(anna) } }),
      await call('DELETE', pathOf(oidOf(anna)), { headers: { Authorization: `Basic ${btoa('support:support')}` } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 401]);
    expect(await everything()).toBe(before);
  });
});
