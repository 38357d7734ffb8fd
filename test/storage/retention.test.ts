/** Retention deletes what is past its time, and nothing that is not summed yet. Design section 7. */

import { randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import { existingMonths } from '../../src/database/partitions.ts';
import { CHANGES_RETENTION_DAYS, keepRetention } from '../../src/database/retention.ts';
import { changes } from '../../src/database/schema.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { ownDatabase } from '../support/own-database.ts';

const NOW = new Date('2026-11-21T01:00:00Z');
const DAYS = 90;
const { db, rows } = ownDatabase();

const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MS);
const keepAt = (...times: (Date | string)[]) =>
  keepAttempts(
    db(),
    times.map((at) => anAttempt({ at: new Date(at) })),
  );
const keep = () => keepRetention(db(), NOW, DAYS);
/** A day after {@link NOW}, so that every hour is over. */
const sum = () => sumDue(db, new Date(NOW.getTime() + DAY_MS));
const months = async () => (await existingMonths(db())).map(({ name }) => name);
const UPCOMING = ['attempts_2026_11', 'attempts_2026_12', 'attempts_2027_01', 'attempts_2027_02'];
const number = async (query: SQL<unknown>) => Number((await rows<{ n: number }>(query))[0]?.n);

describe('retention: months', () => {
  it('the next three months are created, once', async () => {
    expect(await keep()).toEqual({ created: UPCOMING, dropped: [], held: [], complete: true });
    expect(await keep()).toEqual({ created: [], dropped: [], held: [], complete: true });
    expect(await months()).toEqual(UPCOMING);
  });

  it('a month is dropped when its last day is past retention, and its aggregates stay', async () => {
    // August ended 81 days ago, July 112 days ago.
    await keepAt('2026-06-15T10:00:00Z', '2026-07-31T23:59:59Z', '2026-08-01T00:00:00Z', NOW);
    await sum();
    const { dropped, held, complete } = await keep();
    expect([dropped, held, complete]).toEqual([['attempts_2026_06', 'attempts_2026_07'], [], true]);
    expect(await months()).toEqual(['attempts_2026_08', ...UPCOMING]);
    expect(await number(sql`select count(*) as n from attempts`)).toBe(2);
    expect(await number(sql`select sum(attempts) as n from hourly_totals where dims = 0`)).toBe(4);
  });

  it('a month is dropped on the first day past retention, not a day earlier', async () => {
    await keepAt('2026-08-31T12:00:00Z');
    await sum();
    const firstDay = new Date(Date.parse('2026-09-01T00:00:00Z') + DAYS * DAY_MS);
    expect((await keepRetention(db(), new Date(firstDay.getTime() - 1), DAYS)).dropped).toEqual([]);
    expect((await keepRetention(db(), firstDay, DAYS)).dropped).toEqual(['attempts_2026_08']);
  });

  it('a month is held while one of its hours is dirty', async () => {
    await keepAt('2026-06-15T10:00:00Z');
    expect(await keep()).toMatchObject({ dropped: [], held: ['attempts_2026_06'], complete: true });
    expect(await number(sql`select count(*) as n from attempts`)).toBe(1);
    await sum();
    expect(await keep()).toMatchObject({ dropped: ['attempts_2026_06'], held: [] });
  });

  it('a month is held while an older one is held', async () => {
    await keepAt('2026-05-15T10:00:00Z', '2026-06-15T10:00:00Z');
    await sum();
    await keepAt('2026-05-15T10:00:00Z');
    expect(await keep()).toMatchObject({ dropped: [], held: ['attempts_2026_05', 'attempts_2026_06'], complete: true });
    await sum();
    expect(await keep()).toMatchObject({ dropped: ['attempts_2026_05', 'attempts_2026_06'], held: [] });
    expect(await number(sql`select count(*) as n from dirty_hours`)).toBe(0);
  });

  it('a month is dropped once when two ticks overlap', async () => {
    await keepAt('2026-06-15T10:00:00Z');
    await sum();
    const both = await Promise.all([keep(), keep()]);
    expect(both.map(({ held, complete }) => [held, complete])).toEqual([
      [[], true],
      [[], true],
    ]);
    expect(await months()).toEqual(UPCOMING);
  });

  it('a partition under another name is not dropped', async () => {
    await db().execute(sql`create table attempts_archive partition of attempts
      for values from ('2020-01-01T00:00:00Z') to ('2020-02-01T00:00:00Z')`);
    expect((await keep()).dropped).toEqual([]);
    expect(await number(sql`select count(*) as n from attempts_archive`)).toBe(0);
  });
});

describe('retention: personal data', () => {
  it('visits are deleted together with the attempts of their hour', async () => {
    await keepAt('2026-06-15T10:00:00Z', '2026-06-30T23:00:00Z', '2026-08-01T00:00:00Z', NOW);
    await sum();
    await keep();
    const hours = await rows<{ hour: string }>(
      sql`select hour::text from visits join people_scopes on id = scope where kind = 'all' order by 1`,
    );
    expect(hours.map(({ hour }) => hour.slice(0, 10))).toEqual(['2026-08-01', '2026-11-21']);
  });

  it('the audit log is retained for a year and some weeks, or as long as attempts if that is longer', async () => {
    const keepChange = async (days: number) => {
      const occurredAt = daysAgo(days);
      const id = uuidv7({ msecs: occurredAt.getTime() });
      await db()
        .insert(changes)
        .values({ id, occurredAt, changedBy: 'admin', subject: `oid:${randomUUID()}` });
    };
    for (const days of [0, DAYS + 31, CHANGES_RETENTION_DAYS - 1, CHANGES_RETENTION_DAYS + 1, 599, 601])
      await keepChange(days);
    await keepRetention(db(), NOW, 600);
    expect(await number(sql`select count(*) as n from changes`)).toBe(5);
    await keep();
    expect(await number(sql`select count(*) as n from changes`)).toBe(3);
  });
});

it('retention continues when a part fails, and reports that it is not complete', async () => {
  await keepAt('2026-06-15T10:00:00Z');
  await sum();
  await db().execute(sql`alter table visits rename to visits_away`);
  try {
    expect(await keep()).toEqual({ created: UPCOMING, dropped: ['attempts_2026_06'], held: [], complete: false });
  } finally {
    await db().execute(sql`alter table visits_away rename to visits`);
  }
  expect((await keep()).complete).toBe(true);
});
