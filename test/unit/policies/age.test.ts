/** The function `age`: a day of birth in any form becomes years, and an ambiguous one fails. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ageOf } from '../../../src/expressions/dates.ts';
import { evaluated } from '../../support/compile-expression.ts';

describe('functions: age', () => {
  const noon = (year: number, month: number, day: number) => Date.UTC(year, month - 1, day, 12);

  it.each([
    ['2000-02-29', noon(2027, 2, 28), 26],
    ['2000-02-29', noon(2027, 3, 1), 27],
    ['2000-02-29', noon(2028, 2, 29), 28],
    ['2000-12-31', noon(2026, 12, 30), 25],
    ['2000-12-31', noon(2026, 12, 31), 26],
    ['2026-11-21', noon(2026, 11, 21), 0],
    ['2026-11-22', noon(2026, 11, 21), -1],
    ['0050-01-01', noon(2026, 1, 1), 1976],
    ['2000-01-01T00:30:00+01:00', noon(2026, 12, 31), 27],
    ['2000-01-01t00:30:00z', noon(2026, 12, 31), 26],
    ['2000-01-01T23:59:60.5Z', noon(2026, 12, 31), 26],
  ])('the age of %s at %i is %i', (date, now, years) => {
    expect(ageOf(date, now)).toBe(years);
  });

  it('the age of a date-time without a time zone is the age of its day, however the time is written and padded', () => {
    const pad = fc.constantFrom('', ' ', '  ', '\t', '\n');
    const time = fc.constantFrom('', 'T00:00:00', 'T00:00:00.0000000', 'T23:59:59', 't00:00', ' 00:00', ' 12:30:00.5');
    const day = fc.date({ min: new Date('1900-01-01'), max: new Date('2026-11-21'), noInvalidDate: true });
    fc.assert(
      fc.property(pad, day, time, pad, (before, date, clock, after) => {
        const text = date.toISOString().slice(0, 10);
        const now = noon(2026, 11, 21);
        expect(ageOf(`${before}${text}${clock}${after}`, now)).toBe(ageOf(text, now));
        expect(ageOf(text, now)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it.each([
    '2001-02-29',
    '2000-13-01',
    '2000-00-10',
    '2000-01-32',
    '2000-1-1',
    '20000101',
    '01/02/2000',
    '',
    '1/2/2000',
    '01.02.2000',
    '02-01-2000',
    '2000-01',
    '2000-01-01T',
    '2000-01-01T10',
    '2000-01-01T24:00:00Z',
    '2000-01-01T10:00:00+2',
    '2000-01-01 10:00 AM',
    '2000 -01-01',
    '２０００-01-01',
    '-2000-01-01',
  ])('the invalid date %j has no age', (text) => {
    expect(ageOf(text, noon(2026, 11, 21))).toBeUndefined();
  });

  it('the age is the number of birthdays since the date, for any two dates', () => {
    const days = fc.date({ min: new Date('1900-01-01'), max: new Date('2100-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(days, days, (born, now) => {
        const birthday = (year: number) => Date.UTC(year, born.getUTCMonth(), born.getUTCDate());
        const today = Math.floor(now.getTime() / 86_400_000) * 86_400_000;
        let years = -300;
        while (birthday(born.getUTCFullYear() + years + 1) <= today) years++;
        expect(ageOf(born.toISOString().slice(0, 10), now.getTime())).toBe(years);
      }),
    );
  });

  it('an expression with age() fails for an invalid date', () => {
    expect(evaluated('age(claims.extension_born)', { claims: { extension_born: '2001-02-30' } })).toBe('fails');
    expect(evaluated('age(claims.extension_born)', { claims: { extension_born: '2001-02-28' } })).toBe(25);
  });
});
