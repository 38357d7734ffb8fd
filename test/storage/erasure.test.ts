/** `/admin/people/{key}/data`: a person is erased from Postgres, Workers KV and the dead letters. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { ERASED } from '../../src/attempts/notes.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { rebuildUsers } from '../../src/desk/users/rebuild-users.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import {
  callOf,
  emailOf,
  erasureDoor,
  idpOf,
  type Kind,
  namesOf,
  oidOf,
  type Person,
  pathOf,
  person,
} from '../support/erasure-door.ts';

const { call, database, erase, everything, found, keepLetter, letters, preview, rowsOf, setRecord, someone } =
  erasureDoor();

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
          const hasAccount = calls[victim]?.some(({ oidKey }) => oidKey !== '');
          // Nothing connects an identity that was never seen with its account, and nothing an address of its own.
          const connected = (calls[victim] ?? []).filter(({ idpKey }) => idpKey !== '');
          const isConnected = by === 0 ? hasAccount : connected.length > 0;
          // An address that no one else was seen with is the erased person's, in dead letters too.
          const sharers = others.filter(({ email }) => email === anna.email);
          expect(lettersBefore - letters()).toBe(isConnected && !isAnothers ? 1 + sharers.length : 1);
          if (isConnected) {
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
    await sumDue(database.db, new Date());
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
    expect(await sumDue(database.db, new Date())).toEqual({ days: 3, left: 0 });
    expect(await people()).toEqual([{ people: 1 }]);
    expect(await counts()).toEqual(before);
    expect(await found(namesOf(anna))).toEqual([]);
    expect(await found([correlationOf(anna, 2), correlationOf(anna, 3)])).toEqual([]);
    expect(await found([correlationOf(bob, 3)])).toEqual([correlationOf(bob, 3)]);
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
