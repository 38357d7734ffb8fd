/** Days of a zone against Intl, and times that people type. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { firstShowing, isZoneName, nearZone } from '../../../src/desk/http/time-zone.ts';
import { inPeriod, period } from '../../../src/desk/http/typed-times.ts';
import { DAY_MS, HOUR_MS } from '../../../src/platform/duration.ts';

/** The date and time that clocks of a zone show, by another formatter than the one in use. */
const shown = (time: number, zone: string) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(time);
const dateIn = (time: number, zone: string) => shown(time, zone).slice(0, 10);

const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'), 'UTC', 'Etc/GMT+12', 'Etc/GMT-14');
const days = fc.integer({ min: Date.UTC(2000, 0) / DAY_MS, max: Date.UTC(2030, 0) / DAY_MS });
/** Clocks change at midnight, past it, by half an hour, and by a whole day. */
const CHANGES = [
  ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00Z', 23],
  ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00Z', 25],
  ['America/New_York', '2026-03-08', '2026-03-08T05:00:00Z', 23],
  ['Asia/Beirut', '2022-03-27', '2022-03-26T22:00:00Z', 23],
  ['America/Havana', '2025-11-02', '2025-11-02T04:00:00Z', 25],
  ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00Z', 23],
  ['America/Sao_Paulo', '2018-02-18', '2018-02-18T03:00:00Z', 24],
  ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00:00Z', 24.5],
  ['Asia/Kathmandu', '2026-06-01', '2026-05-31T18:15:00Z', 24],
  ['America/St_Johns', '2010-11-07', '2010-11-07T02:30:00Z', 25],
  // 30 December 2011 did not exist there.
  ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00Z', 0],
] as const;

describe('the start of a day in a zone', () => {
  it('is the first moment at which Intl shows that date or a later one, in every zone', () => {
    const examples = CHANGES.map(([zone, day]): [string, number] => [zone, Date.parse(day) / DAY_MS]);
    fc.assert(
      fc.property(zones, days, (zone, day) => {
        const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
        const start = firstShowing(day * DAY_MS, zone);
        expect(dateIn(start, zone) >= date).toBe(true);
        expect(dateIn(start - 1, zone) < date).toBe(true);
        for (let before = 1; before < 104; before += 1)
          expect(dateIn(start - (before * HOUR_MS) / 4, zone) < date).toBe(true);
      }),
      { examples, numRuns: 150 },
    );
  });

  it.each(CHANGES)('in %s, %s begins at %s and has %d hours', (zone, day, start, hours) => {
    const midnight = Date.parse(day);
    expect(new Date(firstShowing(midnight, zone)).toISOString()).toBe(new Date(start).toISOString());
    expect((firstShowing(midnight + DAY_MS, zone) - firstShowing(midnight, zone)) / HOUR_MS).toBe(hours);
  });

  it('is followed by the start of the next day without a gap or an overlap', () => {
    fc.assert(
      fc.property(zones, days, (zone, day) => {
        const [first = 0, second = 0] = [day, day + 1].map((one) => firstShowing(one * DAY_MS, zone));
        expect(second - first).toBeGreaterThanOrEqual(0);
        expect(second - first).toBeLessThanOrEqual(25 * HOUR_MS);
      }),
    );
  });
});

it('a time of clocks in a zone is the first moment at which they show it or a later one', () => {
  fc.assert(
    fc.property(zones, days, fc.integer({ min: 0, max: 24 * 60 - 1 }), (zone, day, minute) => {
      const wall = day * DAY_MS + minute * 60_000;
      const text = new Date(wall).toISOString().slice(0, 19).replace('T', ' ');
      const found = firstShowing(wall, zone);
      expect(shown(found, zone) >= text).toBe(true);
      expect(shown(found - 1, zone) < text).toBe(true);
    }),
    { numRuns: 300 },
  );
});

const question = z.pipe(z.strictObject(period), inPeriod<z.output<z.ZodMiniObject<typeof period>>>());
const read = (asked: object) => question.parse(asked);
const faults = (asked: object) => question.safeParse(asked).error?.issues.map(({ path }) => path.join('.'));

describe('the times of a report', () => {
  it('count -30m, -24h and -7d back from the moment of the request, whatever the zone is', () => {
    for (const [typed, ms] of [
      ['-30m', HOUR_MS / 2],
      ['-24h', DAY_MS],
      ['-7d', 7 * DAY_MS],
      ['-0h', 0],
    ] as const) {
      const before = Date.now() - ms;
      const from = read({ from: typed, tz: 'Asia/Tokyo' }).from?.getTime() ?? 0;
      expect(from).toBeGreaterThanOrEqual(before);
      expect(from).toBeLessThanOrEqual(Date.now() - ms);
    }
  });

  it('begin today and yesterday at midnight of the zone, which may be another date than in UTC', () => {
    fc.assert(
      fc.property(zones, (zone) => {
        const today = dateIn(Date.now(), zone);
        const { from, to } = read({ from: 'yesterday', to: 'Today', tz: zone });
        if (dateIn(Date.now(), zone) !== today) return;
        expect(to?.getTime()).toBe(firstShowing(Date.parse(today), zone));
        expect(from?.getTime()).toBe(firstShowing(Date.parse(today) - DAY_MS, zone));
      }),
    );
    expect(read({ from: 'today' }).from?.getTime()).toBe(Math.floor(Date.now() / DAY_MS) * DAY_MS);
  });

  it('are in UTC without a zone, and keep their own offset in any zone', () => {
    expect(read({ from: '2026-11-21' }).from).toEqual(new Date('2026-11-21T00:00:00Z'));
    expect(read({ from: '2026-11-21', tz: 'europe/berlin' }).from).toEqual(new Date('2026-11-20T23:00:00Z'));
    for (const typed of ['2026-11-21T08:00:00Z', '2026-11-21T09:00+01:00', '2026-11-21T09:00:00 01:00'])
      expect(read({ from: typed, tz: 'Asia/Tokyo' }).from).toEqual(new Date('2026-11-21T08:00:00Z'));
    expect(read({ from: '2026-11-21T09:00', tz: 'Europe/Berlin' }).from).toEqual(new Date('2026-11-21T08:00:00Z'));
  });

  it.each([
    '',
    ' ',
    'now',
    'tomorrow',
    'heute',
    '24h',
    '+24h',
    '- 24h',
    '-24',
    '-h',
    '-1.5h',
    '-1M',
    '-1y',
    '-1h30m',
    '−24h',
    '-99999999d',
    '-9999999d',
    '-1e3h',
    '2026-11-31',
    '2026-13-01',
    '1999-12-31',
    '2200-01-01',
    '2026-11-21T08:00',
    '21.11.2026',
    '11/21/2026',
    '1764230400',
    '2026-11-21 today',
    'todayyesterday',
    '2026-11-21T25:00:00Z',
  ])('are refused as "from" and as "to" when one is %j', (typed) => {
    expect(faults({ from: typed })).toEqual(['from']);
    expect(faults({ to: typed })).toEqual(['to']);
  });

  it.each([
    ['today', 'yesterday'],
    ['today', 'today'],
    ['-1h', '-2h'],
    ['-24h', '-1d'],
    ['2026-11-21', '2026-11-21'],
  ])('are refused when "from" (%s) is not before "to" (%s)', (from, to) => {
    expect(faults({ from, to })).toEqual(['from']);
  });

  it.each([
    ['berlin', 'Europe/Berlin'],
    ['Europe/Berlim', 'Europe/Berlin'],
    ['New York', 'America/New_York'],
    ['America/New York', 'America/New_York'],
    ['Mars/Olympus', undefined],
    ['+01:00', undefined],
    ['Europe/Berlin; drop table', undefined],
    ['../../etc/passwd', undefined],
    ['x'.repeat(2_000), undefined],
  ])('refuse the zone %s and suggest %s', (tz, near) => {
    const { error } = question.safeParse({ from: 'today', tz });
    expect(error?.issues.map(({ path }) => path)).toEqual([['tz']]);
    expect(/Did you mean (.+)\?/.exec(error?.issues[0]?.message ?? '')?.[1]).toBe(near);
  });

  it('take every zone that Intl lists, and its names in any case', () => {
    for (const zone of Intl.supportedValuesOf('timeZone')) expect(isZoneName(zone.toLowerCase())).toBe(true);
    expect(nearZone('Paris')).toBe('Europe/Paris');
  });
});
