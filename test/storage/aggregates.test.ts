/** Aggregates with one connection. `test/postgres` has the tests with many connections. */
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { overUntil } from '../../src/desk/aggregates/hours.ts';
import { markAll } from '../../src/desk/aggregates/rebuild.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { ownDatabase } from '../support/own-database.ts';

const { db, rows } = ownDatabase();
const at = (time: string) => new Date(`2026-11-${time}:00Z`);
const NOW = at('23T09:30');
const sum = (now = NOW) => sumDue(db, now);
const keep = (...some: (Partial<Attempt> & { at?: Date })[]) => keepAttempts(db(), some.map(anAttempt));
const total = async () =>
  (await rows<{ n: number }>(sql`select coalesce(sum(attempts), 0)::int as n from daily_counts where dims = 7`))[0]?.n;
const until = async () =>
  (await rows<{ until: string }>(sql`select until::text from summed_until`))[0]?.until.slice(0, 16);
const inSets = (table: 'daily_counts' | 'hourly_totals', ...sets: number[]) =>
  rows(sql`select dims, client_id, issuer, rule, attempts::int from ${sql.raw(table)}
    where dims in (${sql.join(sets, sql`, `)}) order by 1, 2, 3, 4, 5`);
const row = (dims: number, client_id: string, issuer: string, rule: string, attempts: number) => ({
  dims,
  client_id,
  issuer,
  rule,
  attempts,
});

describe('aggregates: sums', () => {
  it('a sum counts every attempt once in each set of client, issuer and rule, by day and by hour', async () => {
    const block = { outcome: 'block', rule: 'closed', clientId: 'shop', issuer: 'google.com' };
    await keep(
      { ...block, at: at('21T10:00') },
      { ...block, at: at('21T10:59'), clientId: 'portal' },
      { ...block, at: at('21T23:59') },
      { ...block, at: at('22T00:00') },
    );
    expect(await sum()).toEqual({ days: 2, left: 0 });
    const [issuer, rule] = ['google.com', 'closed'];
    const days = (dims: number, ...names: [string, string]) =>
      [row(dims, 'portal', ...names, 1), row(dims, 'shop', ...names, 1), row(dims, 'shop', ...names, 2)] as const;
    expect(await inSets('daily_counts', 7, 6, 5, 4)).toEqual([
      ...days(4, '', ''),
      ...days(5, '', rule),
      ...days(6, issuer, ''),
      ...days(7, issuer, rule),
    ]);
    expect(await inSets('daily_counts', 0, 1, 2, 3)).toEqual([
      row(0, '', '', '', 1),
      row(0, '', '', '', 3),
      row(1, '', '', rule, 1),
      row(1, '', '', rule, 3),
      row(2, '', issuer, '', 1),
      row(2, '', issuer, '', 3),
      row(3, '', issuer, rule, 1),
      row(3, '', issuer, rule, 3),
    ]);
    expect(await inSets('hourly_totals', 0, 4)).toEqual([
      row(0, '', '', '', 1),
      row(0, '', '', '', 1),
      row(0, '', '', '', 2),
      row(4, 'portal', '', '', 1),
      row(4, 'shop', '', '', 1),
      row(4, 'shop', '', '', 1),
      row(4, 'shop', '', '', 1),
    ]);
    expect(await inSets('hourly_totals', 6)).toEqual([
      row(6, 'portal', issuer, '', 1),
      row(6, 'shop', issuer, '', 1),
      row(6, 'shop', issuer, '', 1),
      row(6, 'shop', issuer, '', 1),
    ]);
    expect(await inSets('hourly_totals', 3, 5, 7)).toEqual([]);
  });

  it('a sum counts durations by bucket, and facets one at a time', async () => {
    const notes = ['email record not used', 'the condition of rule adults only failed unforeseen: no such key'];
    await keep(
      { at: at('21T10:00'), durationMs: 0, reason: 'not-json', caller: '' },
      {
        at: at('21T11:00'),
        durationMs: 600_000,
        degraded: 'kv-unavailable',
        policyVersion: 4,
        notes,
        failedRules: ['adults only', 'x'],
        caller: '',
      },
      { at: at('21T12:00'), durationMs: 1, shadowVersion: 3, shadowDiffers: true, shadowRule: 'other', caller: '' },
      { at: at('21T13:00'), caller: 'b2c', callerKind: 'api-key', locale: '' },
      { at: at('21T13:00'), caller: 'b2c', locale: '' },
    );
    await sum();
    const buckets = sql`select bucket, attempts::int from daily_durations where dims = 0 order by 1`;
    expect(await rows(buckets)).toEqual([
      { bucket: 0, attempts: 2 },
      { bucket: 12, attempts: 2 },
      { bucket: 140, attempts: 1 },
    ]);
    expect(await rows(sql`select facet, value, attempts::int from daily_facets order by 1, 2`)).toEqual([
      { facet: 'caller', value: 'b2c', attempts: 2 },
      { facet: 'credential', value: 'api-key:b2c', attempts: 1 },
      { facet: 'credential', value: 'basic:b2c', attempts: 1 },
      { facet: 'degraded', value: 'kv-unavailable', attempts: 1 },
      { facet: 'failed-rule', value: 'adults only', attempts: 1 },
      { facet: 'failed-rule', value: 'x', attempts: 1 },
      { facet: 'language', value: 'en-US', attempts: 3 },
      { facet: 'policy-version', value: '4', attempts: 1 },
      { facet: 'reason', value: 'not-json', attempts: 1 },
      { facet: 'shadow', value: 'differs', attempts: 1 },
      { facet: 'unforeseen-rule', value: 'adults only', attempts: 1 },
    ]);
    expect(await rows(sql`select version, differs, shadow_rule, attempts::int from daily_shadow`)).toEqual([
      { version: 3, differs: true, shadow_rule: 'other', attempts: 1 },
    ]);
  });

  it('the rows of a day are stored by set, client, issuer and rule, so that a filter reads few pages', async () => {
    const some = Array.from({ length: 60 }, (_, index) => ({
      at: at(`21T${10 + (index % 7)}:00`),
      clientId: `client-${index % 5}`,
      issuer: `issuer-${index % 3}`,
      rule: `rule-${index % 4}`,
      outcome: 'block' as const,
    }));
    await keep(...some);
    await sum();
    for (const table of ['daily_counts', 'hourly_totals', 'daily_durations']) {
      const by = (order: string) =>
        rows(sql`select dims, client_id, issuer, rule from ${sql.raw(table)} order by ${sql.raw(order)}`);
      const stored = await by('ctid');
      expect(stored.length).toBeGreaterThan(12);
      expect(stored).toEqual(await by('1, 2, 3, 4'));
    }
  });

  it('a sum includes only hours that are over', async () => {
    await keep({ at: at('23T08:59') }, { at: at('23T09:00') });
    await sum();
    expect([await total(), await until()]).toEqual([1, '2026-11-23 09:00']);
    expect(overUntil(at('23T10:11'))).toEqual(at('23T09:00'));
    await sum(at('23T10:12'));
    expect([await total(), await until()]).toEqual([2, '2026-11-23 10:00']);
  });

  it('a second sum without new attempts changes nothing', async () => {
    await keep({ at: at('21T10:00') });
    await sum();
    expect(await sum()).toEqual({ days: 0, left: 0 });
    expect(await total()).toBe(1);
  });

  it('the next sum adds a late attempt once, and removes a deleted one', async () => {
    await keep({ at: at('21T10:00'), objectId: 'one' }, { at: at('22T10:00') });
    await sum();
    await keep({ at: at('21T10:00') });
    expect(await total()).toBe(2);
    expect(await sum()).toEqual({ days: 1, left: 0 });
    expect(await total()).toBe(3);
    await db().execute(sql`delete from attempts where object_id = 'one'`);
    expect(await sum()).toEqual({ days: 1, left: 0 });
    expect(await total()).toBe(2);
  });

  it('a sum with `maxDays` takes the oldest days first, and late days last', async () => {
    await keep({ at: at('20T10:00') }, { at: at('21T10:00') }, { at: at('22T10:00') });
    expect(await sumDue(db, NOW, { maxDays: 2 })).toEqual({ days: 2, left: 1 });
    expect([await total(), await until()]).toEqual([2, '2026-11-22 00:00']);
    // The late day comes after the days that are not summed yet.
    await keep({ at: at('20T10:00') });
    expect(await sumDue(db, NOW, { maxDays: 1 })).toEqual({ days: 1, left: 1 });
    expect([await total(), await until()]).toEqual([3, '2026-11-23 00:00']);
  });

  it('a sum with an earlier `now` removes nothing that a later one summed', async () => {
    await keep({ at: at('23T05:00') }, { at: at('23T08:00') });
    await sum();
    await keep({ at: at('23T05:00') });
    await sum(at('23T06:30'));
    expect([await total(), await until()]).toEqual([3, '2026-11-23 09:00']);
  });

  it('a sum that fails halfway changes nothing, and the next one is complete', async () => {
    await keep({ at: at('21T10:00') });
    await sum();
    await keep({ at: at('21T10:00') });
    await db().execute(sql`alter table visits add constraint no_more check (false) not valid`);
    try {
      await expect(sum()).rejects.toMatchObject({ code: '23514' });
      expect(await total()).toBe(1);
    } finally {
      await db().execute(sql`alter table visits drop constraint no_more`);
    }
    expect(await sum()).toEqual({ days: 1, left: 0 });
    expect(await total()).toBe(2);
  });

  it('a sum does not change a day whose month was dropped, even when its attempts arrive again', async () => {
    await keep({ at: at('21T10:00') }, { at: at('21T11:00') });
    await sum();
    await db().execute(sql`update dirty_hours set marks = marks + 1`);
    await db().execute(sql`drop table attempts_2026_11`);
    expect(await sum()).toEqual({ days: 1, left: 0 });
    expect(await total()).toBe(2);
    await db().execute(sql`update summed_until set dropped_before = '2026-12-01T00:00:00Z'`);
    await keep({ at: at('21T10:00') });
    expect(await sum()).toEqual({ days: 1, left: 0 });
    expect(await total()).toBe(2);
  });
});

describe('aggregates: visits', () => {
  const visited = () =>
    rows(sql`select kind, value, extract(day from hour at time zone 'UTC')::int as day,
        extract(hour from hour at time zone 'UTC')::int as hour, previous = '-infinity' as first
      from visits join people_scopes on id = scope order by 1, 2, 3, 4`);

  it('a visit identifies its person by objectId at the token step, and by the first person key for outcomes and rules', async () => {
    const person = { objectId: 'anna', clientId: 'shop' };
    await keep(
      { ...person, at: at('21T10:00') },
      { ...person, at: at('21T10:30') },
      { ...person, at: at('22T11:00'), clientId: '' },
      { at: at('21T10:00'), step: 'PostAttributeCollection' },
      { at: at('21T10:00'), step: '', objectId: '', emailKey: 'email:a@b.c', outcome: 'block', rule: 'closed' },
      { at: at('21T10:00'), step: '', objectId: '', outcome: 'block', rule: 'closed' },
    );
    await sum();
    expect(await visited()).toEqual([
      { kind: 'all', value: '', day: 21, hour: 10, first: true },
      { kind: 'all', value: '', day: 22, hour: 11, first: false },
      { kind: 'client', value: 'shop', day: 21, hour: 10, first: true },
      { kind: 'outcome', value: 'block', day: 21, hour: 10, first: true },
      { kind: 'rule', value: 'closed', day: 21, hour: 10, first: true },
    ]);
  });

  it('a visit links to the preceding one, also after one in between arrives late or is deleted', async () => {
    const person = { objectId: 'anna' };
    const days = () =>
      rows(sql`select day::text, previous_day::text as previous, people from people_days join people_scopes on id = scope
        where kind = 'all' order by 1`);
    const day = (on: number, previous: number | undefined) => ({
      day: `2026-11-${on}`,
      previous: previous === undefined ? '-infinity' : `2026-11-${previous}`,
      people: 1,
    });
    await keep({ ...person, at: at('18T10:00') }, { ...person, at: at('22T10:00') });
    await sum();
    expect(await days()).toEqual([day(18, undefined), day(22, 18)]);
    await keep({ ...person, at: at('20T10:00') });
    await sum();
    expect(await days()).toContainEqual(day(22, 20));
    await db().execute(sql`delete from attempts where occurred_at < '2026-11-22T00:00:00Z'`);
    await sum();
    expect(await days()).toEqual([day(22, undefined)]);
  });
});

describe('aggregates: rebuild', () => {
  it('a rebuild corrects wrong aggregates, and removes those without attempts', async () => {
    await keep({ at: at('21T10:00') }, { at: new Date('2026-10-05T04:00:00Z') });
    await sum();
    const content = async () =>
      JSON.stringify([
        await rows(sql`select * from daily_counts order by daily_counts::text`),
        await rows(sql`select * from hourly_totals order by hourly_totals::text`),
        await rows(sql`select * from visits order by visits::text`),
        await rows(sql`select * from people_days order by people_days::text`),
      ]);
    const right = await content();
    await db().execute(sql`update daily_counts set attempts = attempts + 7`);
    await db().execute(sql`delete from hourly_totals where dims = 0`);
    await db().execute(sql`update people_days set people = 9`);
    await db().execute(sql`update visits set previous = '2026-11-01T00:00:00Z'`);
    await db().execute(sql`insert into visits (scope, person, hour, previous)
      select id, gen_random_uuid(), '2026-11-07T07:00:00Z', '-infinity' from people_scopes`);
    expect(await content()).not.toBe(right);
    expect(await markAll(db(), NOW)).toBe(31 * 24 + 22 * 24 + 9);
    await sum();
    expect(await content()).toBe(right);
  });

  it('a rebuild keeps the aggregates of dropped months', async () => {
    await keep({ at: at('21T10:00') }, { at: new Date('2026-06-05T04:00:00Z') });
    await sum();
    await db().execute(sql`drop table attempts_2026_06`);
    await markAll(db(), NOW);
    await sum();
    expect(await total()).toBe(2);
  });

  it('a rebuild without attempts does nothing', async () => {
    expect(await markAll(db(), NOW)).toBe(0);
    expect(await sum()).toEqual({ days: 0, left: 0 });
  });
});
