/** Every attempt that is kept has a month to lie in, whoever makes it and however many do at once. Design section 7. */

import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMonths,
  existingMonths,
  isPast,
  isRetained,
  monthNamed,
  monthOf,
  retainedMonths,
  upcomingMonths,
} from '../../src/database/partitions.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { ownDatabase } from '../support/own-database.ts';

const instants = () => fc.date({ min: new Date('1990-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
const retentions = () => fc.integer({ min: 1, max: 3_650 });

describe('a month', () => {
  it('is named and bounded in UTC', () => {
    expect(monthOf(new Date('2026-11-30T23:59:59.999Z'))).toEqual({
      name: 'attempts_2026_11',
      from: new Date('2026-11-01T00:00:00Z'),
      to: new Date('2026-12-01T00:00:00Z'),
    });
    expect(monthOf(new Date('2026-12-31T23:00:00-05:00')).name).toBe('attempts_2027_01');
  });

  it('holds its instants, begins where the one before ends, and is known by its name', () => {
    fc.assert(
      fc.property(instants(), (instant) => {
        const month = monthOf(instant);
        expect(instant >= month.from && instant < month.to).toBe(true);
        expect(monthOf(new Date(month.from.getTime() - 1)).to).toEqual(month.from);
        expect(monthOf(month.to).from).toEqual(month.to);
        expect(monthNamed(month.name)).toEqual(month);
      }),
    );
  });

  it('is known by no other name', () => {
    for (const name of ['attempts', 'attempts_2026_13', 'attempts_2026_00', 'attempts_2026_1', 'x_attempts_2026_01']) {
      expect(monthNamed(name)).toBeUndefined();
    }
  });
});

describe('retention', () => {
  it('keeps every attempt for its days, and none for more than 31 days longer', () => {
    fc.assert(
      fc.property(instants(), retentions(), fc.integer({ min: 0, max: 5_000 * DAY_MS }), (happened, days, age) => {
        const now = new Date(happened.getTime() + age);
        const kept = !isPast(monthOf(happened), now, days);
        if (age < days * DAY_MS) expect(kept).toBe(true);
        if (age >= (days + 31) * DAY_MS) expect(kept).toBe(false);
      }),
    );
  });

  it('agrees with itself: a month is past exactly when it lies before those that are kept', () => {
    fc.assert(
      fc.property(instants(), instants(), retentions(), (happened, now, days) => {
        const { from, to } = retainedMonths(now, days);
        const month = monthOf(happened);
        expect(isPast(month, now, days)).toBe(month.to <= from);
        expect(isRetained(happened, now, days)).toBe(!isPast(month, now, days) && happened < to);
      }),
    );
  });

  it('has the month of now and three more ready, all of them kept', () => {
    expect(upcomingMonths(new Date('2026-11-21T01:00:00Z')).map(({ name }) => name)).toEqual([
      'attempts_2026_11',
      'attempts_2026_12',
      'attempts_2027_01',
      'attempts_2027_02',
    ]);
    fc.assert(
      fc.property(instants(), retentions(), (now, days) => {
        const upcoming = upcomingMonths(now);
        expect(upcoming.every(({ from }) => isRetained(from, now, days))).toBe(true);
        expect(upcoming.at(-1)?.to).toEqual(retainedMonths(now, days).to);
      }),
    );
  });
});

describe('making months', () => {
  const { db, rows } = ownDatabase();
  const names = async () => (await existingMonths(db())).map(({ name }) => name);

  it('makes each month once, however often its days are named', async () => {
    await createMonths(
      db(),
      ['2026-12-31T23:59:59Z', '2027-01-01T00:00:00Z', '2026-12-01T00:00:00Z'].map((at) => new Date(at)),
    );
    await createMonths(db(), [new Date('2026-12-05')]);
    await createMonths(db(), []);
    expect(await names()).toEqual(['attempts_2026_12', 'attempts_2027_01']);
  });

  it('can be done by several at once, and all succeed', async () => {
    const days = ['2026-11-21', '2026-12-21'].map((day) => new Date(day));
    await Promise.all(Array.from({ length: 5 }, () => createMonths(db(), days)));
    expect(await names()).toEqual(['attempts_2026_11', 'attempts_2026_12']);
  });

  it('puts the first and the last millisecond of a month into that month, whatever zone the database is set to', async () => {
    const [{ database } = { database: '' }] = await rows<{ database: string }>(
      sql`select current_database() as database`,
    );
    await db().execute(sql.raw(`alter database ${database} set timezone = 'Pacific/Auckland'`));
    const edges = ['2026-11-01T00:00:00.000Z', '2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00.000Z'];
    await keepAttempts(
      db(),
      edges.map((at) => anAttempt({ at: new Date(at) })),
    );
    const counts = sql`select tableoid::regclass::text as month, count(*)::int as attempts from attempts group by 1 order by 1`;
    expect(await rows(counts)).toEqual([
      { month: 'attempts_2026_11', attempts: 2 },
      { month: 'attempts_2026_12', attempts: 1 },
    ]);
  });

  it('leaves nothing half done: when one month cannot be made, none is', async () => {
    await db().execute(sql`create table attempts_foreign partition of attempts
      for values from ('2027-03-10T00:00:00Z') to ('2027-03-20T00:00:00Z')`);
    await expect(createMonths(db(), [new Date('2027-01-05'), new Date('2027-03-05')])).rejects.toMatchObject({
      code: '42P17',
    });
    expect(await names()).toEqual([]);
  });
});
