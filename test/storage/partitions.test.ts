/** Monthly partitions of attempts. Design section 7. */

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

describe('partitions: months', () => {
  it('a month has its name and bounds in UTC', () => {
    expect(monthOf(new Date('2026-11-30T23:59:59.999Z'))).toEqual({
      name: 'attempts_2026_11',
      from: new Date('2026-11-01T00:00:00Z'),
      to: new Date('2026-12-01T00:00:00Z'),
    });
    expect(monthOf(new Date('2026-12-31T23:00:00-05:00')).name).toBe('attempts_2027_01');
  });

  it('a month contains its instants, begins where the previous one ends, and is found by its name', () => {
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

  it('a name in any other form is not a month', () => {
    for (const name of ['attempts', 'attempts_2026_13', 'attempts_2026_00', 'attempts_2026_1', 'x_attempts_2026_01']) {
      expect(monthNamed(name)).toBeUndefined();
    }
  });
});

describe('partitions: retention', () => {
  it('retention keeps every attempt for its number of days, and no attempt for more than 31 days longer', () => {
    fc.assert(
      fc.property(instants(), retentions(), fc.integer({ min: 0, max: 5_000 * DAY_MS }), (happened, days, age) => {
        const now = new Date(happened.getTime() + age);
        const retained = !isPast(monthOf(happened), now, days);
        if (age < days * DAY_MS) expect(retained).toBe(true);
        if (age >= (days + 31) * DAY_MS) expect(retained).toBe(false);
      }),
    );
  });

  it('a month is past exactly when it ends before the retained months', () => {
    fc.assert(
      fc.property(instants(), instants(), retentions(), (happened, now, days) => {
        const { from, to } = retainedMonths(now, days);
        const month = monthOf(happened);
        expect(isPast(month, now, days)).toBe(month.to <= from);
        expect(isRetained(happened, now, days)).toBe(!isPast(month, now, days) && happened < to);
      }),
    );
  });

  it('the upcoming months are the current one and the next three, all within retention', () => {
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

describe('partitions: creating months', () => {
  const { db, rows } = ownDatabase();
  const names = async () => (await existingMonths(db())).map(({ name }) => name);

  it('each month is created once, for any number of its days', async () => {
    await createMonths(
      db(),
      ['2026-12-31T23:59:59Z', '2027-01-01T00:00:00Z', '2026-12-01T00:00:00Z'].map((at) => new Date(at)),
    );
    await createMonths(db(), [new Date('2026-12-05')]);
    await createMonths(db(), []);
    expect(await names()).toEqual(['attempts_2026_12', 'attempts_2027_01']);
  });

  it('concurrent calls that create the same months all succeed', async () => {
    const days = ['2026-11-21', '2026-12-21'].map((day) => new Date(day));
    await Promise.all(Array.from({ length: 5 }, () => createMonths(db(), days)));
    expect(await names()).toEqual(['attempts_2026_11', 'attempts_2026_12']);
  });

  it('the first and last millisecond of a month belong to it in any time zone of the database', async () => {
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

  it('no month is created when one of them cannot be', async () => {
    await db().execute(sql`create table attempts_foreign partition of attempts
      for values from ('2027-03-10T00:00:00Z') to ('2027-03-20T00:00:00Z')`);
    await expect(createMonths(db(), [new Date('2027-01-05'), new Date('2027-03-05')])).rejects.toMatchObject({
      code: '42P17',
    });
    expect(await names()).toEqual([]);
  });
});
