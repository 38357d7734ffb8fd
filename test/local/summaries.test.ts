/**
 * Each attempt is in the sums exactly once. PGlite has one connection, so transactions that are still open are played by
 * setting `written_in` by hand; `npm run test:postgres` has real ones. Design section 8.
 */
import { type SQL, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { hourSql, isPersonSql } from '../../src/summaries/hours.ts';
import { rebuild } from '../../src/summaries/rebuild.ts';
import { sum } from '../../src/summaries/sum.ts';
import { anAttempt, keepAttempts } from '../attempt.ts';
import { empty, ownDatabase } from './own-database.ts';

const { db, rows } = ownDatabase();
const HOUR = '2026-11-21T10:00:00.000Z';
const NOTHING = { summed: 0, stopped: false, waiting: false };

const keepAll = (...some: Attempt[]) => keepAttempts(db(), some);
const attemptsAt = (count: number, at = new Date(HOUR)) => Array.from({ length: count }, () => anAttempt({ at }));
/** Ends `count` transactions that wrote nothing. */
const pass = async (count: number) => {
  for (let i = 0; i < count; i++) await db().execute(sql`select pg_current_xact_id()`);
};
const total = async () => Number((await rows(sql`select coalesce(sum(attempts), 0) as n from hourly_counts`))[0]?.n);

/** The sums, and what they must be: the same counted plainly from the attempts. Each a text, for comparison. */
async function sumsAndCounts(since: SQL = sql`true`) {
  const listed = (query: SQL) => sql`(select coalesce(json_agg(t order by t::text), '[]')::text from (${query}) t)`;
  const dimensions = sql`channel, step, outcome, rule, client_id, issuer`;
  const [found] = await rows<
    Record<'counts' | 'durations' | 'people' | 'plain' | 'plainDurations' | 'plainPeople', string>
  >(sql`
    select
      ${listed(sql`select hour, ${dimensions}, attempts from hourly_counts where attempts <> 0`)} as counts,
      ${listed(sql`select hour, ${dimensions}, sum(attempts)::bigint as attempts from hourly_durations group by hour, ${dimensions}`)} as durations,
      ${listed(sql`select hour, client_id, object_id from hourly_people`)} as people,
      ${listed(sql`select ${hourSql} as hour, ${dimensions}, count(*) as attempts from attempts where ${since} group by 1, ${dimensions}`)} as plain,
      ${listed(sql`select distinct ${hourSql} as hour, client_id, object_id from attempts where ${since} and ${isPersonSql}`)} as "plainPeople"`);
  if (found === undefined) throw new Error('No row.');
  const { counts, durations, people, plain, plainPeople } = found;
  return { sums: { counts, durations, people }, counts: { counts: plain, durations: plain, people: plainPeople } };
}

async function expectExact(since?: SQL) {
  const { sums, counts } = await sumsAndCounts(since);
  expect(sums).toEqual(counts);
}

describe('a sum', () => {
  it('adds attempts to their UTC hour, their dimensions and their duration bucket', async () => {
    const same = { clientId: 'shop', issuer: 'google.com', outcome: 'block', rule: 'no-throwaway-mail' } as const;
    await keepAll(
      anAttempt({ ...same, at: new Date('2026-11-21T10:00:00.000Z'), durationMs: 0 }),
      anAttempt({ ...same, at: new Date('2026-11-21T10:59:59.999Z'), durationMs: 1 }),
      anAttempt({ ...same, at: new Date('2026-11-21T11:00:00.000Z'), durationMs: 600_000 }),
      anAttempt({ ...same, at: new Date('2026-11-21T10:30:00.000Z'), durationMs: 1, clientId: 'portal' }),
    );
    expect(await sum(db())).toEqual({ ...NOTHING, summed: 4 });
    const counts = sql`select extract(hour from hour at time zone 'UTC')::int as hour, client_id, issuer, rule, attempts::int
      from hourly_counts order by 1, 2`;
    const [issuer, rule] = [same.issuer, same.rule];
    expect(await rows(counts)).toEqual([
      { hour: 10, client_id: 'portal', issuer, rule, attempts: 1 },
      { hour: 10, client_id: 'shop', issuer, rule, attempts: 2 },
      { hour: 11, client_id: 'shop', issuer, rule, attempts: 1 },
    ]);
    const buckets = sql`select bucket::int, sum(attempts)::int as attempts from hourly_durations group by 1 order by 1`;
    expect(await rows(buckets)).toEqual([
      { bucket: 0, attempts: 3 },
      { bucket: 140, attempts: 1 },
    ]);
  });

  it('counts a person once an hour and application, and only at the token step and by objectId', async () => {
    const at = new Date(HOUR);
    const somebody = anAttempt({ at, clientId: 'shop' });
    const again = { objectId: somebody.objectId, clientId: 'shop' };
    await keepAll(
      somebody,
      anAttempt({ at, ...again }),
      anAttempt({ at, ...again, clientId: 'portal' }),
      anAttempt({ at, step: 'PostAttributeCollection' }),
      anAttempt({ at, objectId: '' }),
    );
    await sum(db());
    await keepAll(anAttempt({ at, ...again }), anAttempt({ at: new Date('2026-11-21T11:00:00Z'), ...again }));
    await sum(db());
    const people = await rows(sql`select client_id, object_id from hourly_people order by hour, client_id`);
    expect(people.map(({ client_id }) => client_id)).toEqual(['portal', 'shop', 'shop']);
    expect(new Set(people.map(({ object_id }) => object_id))).toEqual(new Set([somebody.objectId]));
  });

  it('adds each attempt once, however often and however many at a time', async () => {
    await keepAll(...attemptsAt(20));
    const several = await Promise.all([sum(db()), sum(db()), sum(db())]);
    expect(several.map(({ summed }) => summed).toSorted()).toEqual([0, 0, 20]);
    expect(await sum(db())).toEqual(NOTHING);
    await keepAll(...attemptsAt(5));
    expect((await sum(db())).summed).toBe(5);
    await expectExact();
  });

  it('leaves the attempts of a transaction that is not below every open one, says that they wait, and adds them later', async () => {
    await keepAll(...attemptsAt(3));
    await db().execute(sql`update attempts set written_in = (pg_current_xact_id()::text::bigint + 5)::text::xid8
      where id in (select id from attempts limit 2)`);
    expect(await sum(db())).toEqual({ ...NOTHING, summed: 1, waiting: true });
    await pass(10);
    expect(await sum(db())).toEqual({ ...NOTHING, summed: 2 });
    await expectExact();
  });

  it('begins where progress stands: what lies below was summed before', async () => {
    await keepAll(...attemptsAt(4));
    await db().execute(sql`update attempts set written_in = '3'`);
    await db().execute(sql`update summing_progress set summed_before = '4'`);
    expect(await sum(db())).toEqual(NOTHING);
    expect(await total()).toBe(0);
  });

  it('never moves progress back', async () => {
    const progress = async () =>
      BigInt(String((await rows(sql`select summed_before::text as p from summing_progress`))[0]?.p));
    let before = 0n;
    for (let i = 0; i < 5; i++) {
      await keepAll(...attemptsAt(1));
      await sum(db());
      const after = await progress();
      expect(after).toBeGreaterThan(before);
      before = after;
    }
  });
});

describe('data from another Postgres', () => {
  /** Progress and attempts name transactions that this one will see in years. */
  async function restore() {
    await keepAll(...attemptsAt(6));
    await db().execute(sql`update attempts set written_in = '900000000000'`);
    await db().execute(sql`update summing_progress set summed_before = '800000000000'`);
    await keepAll(...attemptsAt(2));
  }

  it('stops the sums, which add nothing', async () => {
    await restore();
    expect(await sum(db())).toMatchObject({ summed: 0, stopped: true });
    expect(await total()).toBe(0);
  });

  it('is counted by a rebuild, after which sums go on', async () => {
    await restore();
    expect(await rebuild(db)).toEqual({ attempts: 8, months: 1 });
    await expectExact();
    await keepAll(...attemptsAt(3));
    expect(await sum(db())).toEqual({ ...NOTHING, summed: 3 });
    await expectExact();
  });

  it('also stops them when the row of progress did not come along, and a rebuild makes it', async () => {
    await keepAll(...attemptsAt(2));
    await db().execute(sql`delete from summing_progress`);
    expect(await sum(db())).toMatchObject({ summed: 0, stopped: true });
    await rebuild(db);
    expect(await sum(db())).toEqual(NOTHING);
    await expectExact();
  });
});

describe('a rebuild', () => {
  it('mends sums that are wrong', async () => {
    await keepAll(...attemptsAt(4), ...attemptsAt(2, new Date('2026-10-05T04:00:00Z')));
    await sum(db());
    await db().execute(sql`update hourly_counts set attempts = attempts + 7`);
    await db().execute(sql`delete from hourly_durations`);
    await db().execute(sql`insert into hourly_people values (${HOUR}, 'shop', 'a stranger')`);
    expect(await rebuild(db)).toEqual({ attempts: 6, months: 2 });
    await expectExact();
  });

  it('leaves the sums of months that have no attempts any more', async () => {
    const june = new Date('2026-06-05T04:00:00Z');
    await keepAll(...attemptsAt(4), ...attemptsAt(2, june));
    await sum(db());
    await db().execute(sql`drop table attempts_2026_06`);
    expect(await rebuild(db)).toEqual({ attempts: 4, months: 1 });
    expect(await total()).toBe(6);
    const durations = await rows(sql`select sum(attempts)::int as n from hourly_durations where hour < '2026-07-01'`);
    expect(durations).toEqual([{ n: 2 }]);
  });

  it('counts attempts whose transaction has not been here yet, and no sum counts them again', async () => {
    await keepAll(...attemptsAt(3));
    await db().execute(sql`update attempts set written_in = (pg_current_xact_id()::text::bigint + 5)::text::xid8`);
    expect((await rebuild(db)).attempts).toBe(3);
    await pass(10);
    expect(await sum(db())).toEqual(NOTHING);
    await expectExact();
  });

  it('changes nothing when it fails halfway', async () => {
    await keepAll(...attemptsAt(3));
    await sum(db());
    await keepAll(...attemptsAt(2));
    await db().execute(sql`alter table hourly_people add constraint no_more check (false) not valid`);
    try {
      await expect(rebuild(db)).rejects.toMatchObject({ code: '23514' });
      expect(await total()).toBe(3);
    } finally {
      await db().execute(sql`alter table hourly_people drop constraint no_more`);
    }
    expect((await sum(db())).summed).toBe(2);
    await expectExact();
  });

  it('of nothing is nothing', async () => {
    expect(await rebuild(db)).toEqual({ attempts: 0, months: 0 });
    expect(await sum(db())).toEqual(NOTHING);
  });
});

it('sums are plain counts after any sequence of inserts, open transactions, sums and rebuilds', async () => {
  const attempt = fc.record({
    at: fc.constantFrom('2026-11-21T10:00:00Z', '2026-11-21T10:59:59Z', '2026-11-30T23:59:59Z', '2026-12-01T00:00:00Z'),
    step: fc.constantFrom('PostFederationSignup', 'PreTokenIssuance', ''),
    outcome: fc.constantFrom('continue', 'block', 'error'),
    clientId: fc.constantFrom('', 'shop'),
    objectId: fc.constantFrom('', 'one', 'two'),
    durationMs: fc.integer({ min: 0, max: 600_000 }),
  });
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.record({ insert: fc.array(attempt, { minLength: 1, maxLength: 8 }), open: fc.nat(4) }) },
    { weight: 3, arbitrary: fc.constant('sum' as const) },
    { weight: 1, arbitrary: fc.constant('rebuild' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 12 }), async (actions) => {
      await empty(db());
      for (const done of actions) {
        if (done === 'sum') await sum(db());
        else if (done === 'rebuild') await rebuild(db);
        else {
          const some = done.insert.map(({ at, ...changed }) => anAttempt({ ...changed, at: new Date(at) }));
          await keepAll(...some);
          // As if their transaction had begun later than it did: no sum may take them before that number has passed.
          const ids = sql.join(
            some.map(({ id }) => sql`${id}::uuid`),
            sql`, `,
          );
          await db().execute(sql`update attempts set written_in = (pg_current_xact_id()::text::bigint + ${done.open}::int)::text::xid8
            where id in (${ids})`);
        }
      }
      await pass(5);
      expect(await sum(db())).toMatchObject({ stopped: false, waiting: false });
      await expectExact();
    }),
    { numRuns: 25 },
  );
});
