/** Sign-ins through custom policies: what the aggregates count, what reports count live, and what support reads. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { occurredAtOf } from '../../src/attempts/text-limits.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { summary } from '../../src/desk/reports/queries/summary-counts.ts';
import { readConfig } from '../../src/platform/config.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { empty, ownDatabase } from '../support/own-database.ts';

const { db, rows, url } = ownDatabase();
const config = () => readConfig({ DATABASE_URL: url() });
const HISTORIES = Number(process.env.HISTORIES ?? 12);
/** A midnight some days ago. */
const START = Math.floor(Date.now() / DAY_MS - 5) * DAY_MS;

const timeOf = ({ id }: Attempt) => occurredAtOf(id);
const call = (step: string, atMs: number, correlationId: string, more: Partial<Attempt> = {}) =>
  anAttempt({
    id: uuidv7({ msecs: atMs }),
    channel: 'custom-policy',
    reply: 'Claims',
    objectId: '',
    step,
    correlationId,
    ...more,
  });
const started = (atMs: number, id = 'a', more = {}) => call('SignInStarted', atMs, id, more);
const completed = (atMs: number, id = 'a', more = {}) => call('SignInCompleted', atMs, id, more);

const NONE = { completed: 0, abandoned: 0, late: 0, withoutStart: 0, withoutCorrelationId: 0 };

/** The expected counts from `from` to `to`, at `now`: one correlation id after the other. */
function plainCount(all: readonly Attempt[], from: number, to: number, now: number) {
  const counts = { ...NONE };
  const isIn = (call: Attempt) => timeOf(call) >= from && timeOf(call) < to;
  const calls = all.filter(({ channel }) => channel === 'custom-policy').sort((a, b) => (a.id < b.id ? -1 : 1));
  const starts = calls.filter(({ step, reply }) => step === 'SignInStarted' && reply !== 'Refusal');
  const ends = calls.filter(({ step }) => step === 'SignInCompleted');
  counts.withoutCorrelationId = [...starts, ...ends].filter((one) => one.correlationId === '' && isIn(one)).length;
  for (const id of new Set(calls.map(({ correlationId }) => correlationId).filter((one) => one !== ''))) {
    const own = (some: readonly Attempt[]) => some.filter(({ correlationId }) => correlationId === id);
    const [begun, ended] = [own(starts), own(ends)];
    const before = (some: readonly Attempt[], one: Attempt) =>
      some.some((other) => other.id < one.id && timeOf(one) - timeOf(other) <= DAY_MS);
    const isPair = (s: Attempt, e: Attempt) => timeOf(e) >= timeOf(s) && timeOf(e) - timeOf(s) <= 10 * MINUTE_MS;
    for (const s of begun.filter((one) => isIn(one) && !before(begun, one))) {
      const near = (one: Attempt) => timeOf(one) >= timeOf(s) && timeOf(one) - timeOf(s) <= DAY_MS;
      const isDone = begun.some((b) => near(b) && ended.some((e) => near(e) && isPair(b, e)));
      if (isDone) counts.completed += 1;
      else if (timeOf(s) + 10 * MINUTE_MS <= now) counts.abandoned += 1;
    }
    for (const e of ended.filter((one) => isIn(one) && !before(ended, one))) {
      if (begun.some((s) => isPair(s, e))) continue;
      if (begun.some((s) => timeOf(s) <= timeOf(e) && timeOf(e) - timeOf(s) <= DAY_MS)) counts.late += 1;
      else counts.withoutStart += 1;
    }
  }
  return counts;
}

const signInsAt = async (now: number, from = START - 2 * DAY_MS, to = START + 4 * DAY_MS) => {
  const range = { interval: 'hour' as const, from: new Date(from), to: new Date(to) };
  return (await summary(config(), range, {}, now, { ms: 20_000 })).signIns;
};

/** Many calls near midnights and ten minutes apart, with few correlation ids. */
const moment = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: -1, max: 2 }), fc.integer({ min: -25, max: 25 }), fc.constantFrom(0, 1, -1))
      .map(([day, minutes, ms]) => START + day * DAY_MS + minutes * MINUTE_MS + ms),
  },
  { weight: 1, arbitrary: fc.integer({ min: -DAY_MS, max: 2 * DAY_MS }).map((ms) => START + ms) },
);
const aCall = fc
  .record({
    step: fc.constantFrom('SignInStarted', 'SignInStarted', 'SignInCompleted', 'SignInCompleted', 'ValidateProfile'),
    at: moment,
    id: fc.constantFrom('', 'a', 'a', 'b', 'b', 'c'),
    channel: fc.constantFrom('custom-policy', 'custom-policy', 'custom-policy', 'user-flow'),
    reply: fc.constantFrom('Claims', 'Claims', 'Claims', 'Refusal'),
  })
  .map(({ step, at, id, ...more }) => call(step, at, id, more));
const event = fc.oneof(
  { weight: 3, arbitrary: fc.array(aCall, { minLength: 1, maxLength: 6 }) },
  { weight: 2, arbitrary: fc.integer({ min: -20, max: 60 }).map((hours) => START + hours * HOUR_MS) },
  { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c') },
);

test('sign-ins count as in a plain count, summed and live, after any history of calls, late ones and erasures', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 2, maxLength: 10 }),
      fc.array(fc.tuple(fc.integer({ min: -26, max: 50 }), fc.integer({ min: 1, max: 60 })), {
        minLength: 3,
        maxLength: 3,
      }),
      async (events, ranges) => {
        await empty(db());
        let kept: Attempt[] = [];
        let now = START - DAY_MS;
        for (const what of events) {
          if (typeof what === 'number') {
            now = Math.max(now, what);
            await sumDue(db, new Date(now));
          } else if (typeof what === 'string') {
            kept = kept.filter(({ correlationId }) => correlationId !== what);
            await db().execute(sql`delete from attempts where correlation_id = ${what}`);
          } else {
            await keepAttempts(db(), what);
            kept.push(...what);
          }
        }
        // Late rows are summed by the next tick; then whatever is not summed yet is read live.
        await sumDue(db, new Date(now));
        for (const [hour, hours] of [[-30, 100] as const, ...ranges]) {
          const [from, to] = [START + hour * HOUR_MS, START + (hour + hours) * HOUR_MS];
          expect(await signInsAt(now, from, to)).toEqual(plainCount(kept, from, to, now));
        }
        const end = START + 5 * DAY_MS;
        await sumDue(db, new Date(end));
        expect(await signInsAt(end)).toEqual(plainCount(kept, START - 2 * DAY_MS, START + 4 * DAY_MS, end));
        expect(
          await rows(sql`select 1 from daily_facets where facet = 'sign-in' and value in ('', 'pending')`),
        ).toEqual([]);
      },
    ),
    { numRuns: HISTORIES, endOnFailure: true },
  );
});

describe('a completion that arrives late', () => {
  const NOON = START + 12 * HOUR_MS;

  test.each([
    ['in the next hour', NOON - 5 * MINUTE_MS, NOON + 4 * MINUTE_MS],
    ['in the next day', START - 5 * MINUTE_MS, START + 4 * MINUTE_MS],
  ])(
    'makes the day of its start due at once when it is %s, and the sign-in counts as completed',
    async (_, at, end) => {
      const now = end + 20 * MINUTE_MS;
      await keepAttempts(db(), [started(at)]);
      await sumDue(db, new Date(now));
      expect(await signInsAt(now)).toEqual({ ...NONE, abandoned: 1 });
      await keepAttempts(db(), [completed(end)]);
      expect(await sumDue(db, new Date(now))).toEqual({ days: 1, left: 0 });
      expect(await signInsAt(now)).toEqual({ ...NONE, completed: 1 });
    },
  );

  test.each([
    ['without a start', [started(NOON - 5 * MINUTE_MS, 'other')]],
    ['whose start is too early', [started(NOON - 7 * MINUTE_MS)]],
    ['without a correlation id', [started(NOON - 5 * MINUTE_MS, '')]],
  ])('makes no other hour due when it is one %s', async (_, starts) => {
    const now = NOON + 20 * MINUTE_MS;
    await keepAttempts(db(), starts);
    await sumDue(db, new Date(now));
    await keepAttempts(db(), [completed(NOON + 4 * MINUTE_MS, starts[0]?.correlationId === '' ? '' : 'a')]);
    expect(await sumDue(db, new Date(now))).toEqual({ days: 0, left: 0 });
  });
});

test('a start of the last ten minutes is in no count, and one of ten minutes ago is abandoned', async () => {
  const now = START + 12 * HOUR_MS;
  await keepAttempts(db(), [started(now - 10 * MINUTE_MS, 'a'), started(now - 10 * MINUTE_MS + 1, 'b')]);
  expect(await signInsAt(now)).toEqual({ ...NONE, abandoned: 1 });
  expect(await signInsAt(now + 1)).toEqual({ ...NONE, abandoned: 2 });
});

test('an hour is summed only when the ten minutes of its last start are over', async () => {
  const hour = START + 12 * HOUR_MS;
  await keepAttempts(db(), [started(hour - 1)]);
  await sumDue(db, new Date(hour + 10 * MINUTE_MS));
  expect(await rows(sql`select 1 from daily_facets`)).toEqual([]);
  await sumDue(db, new Date(hour + 12 * MINUTE_MS));
  expect(await rows(sql`select value, attempts::int from daily_facets where facet = 'sign-in'`)).toEqual([
    { value: 'abandoned', attempts: 1 },
  ]);
});

test('a late start of the day before takes its completion out of those without a start', async () => {
  const now = START + 5 * HOUR_MS;
  await keepAttempts(db(), [completed(START + MINUTE_MS)]);
  await sumDue(db, new Date(now));
  expect(await signInsAt(now)).toEqual({ ...NONE, withoutStart: 1 });
  await keepAttempts(db(), [started(START - MINUTE_MS)]);
  await sumDue(db, new Date(now));
  expect(await signInsAt(now)).toEqual({ ...NONE, completed: 1 });
});

test('days whose attempts were dropped keep their sign-ins when the day after them is summed again', async () => {
  const now = START + 5 * HOUR_MS;
  await keepAttempts(db(), [started(START - HOUR_MS)]);
  await sumDue(db, new Date(now));
  await db().execute(sql`delete from attempts`);
  await db().execute(sql`update dirty_hours set summed = marks`);
  await db().execute(sql`update summed_until set dropped_before = ${new Date(START).toISOString()}::timestamptz`);
  await keepAttempts(db(), [started(START + HOUR_MS, 'b')]);
  await sumDue(db, new Date(now));
  expect(await signInsAt(now)).toEqual({ ...NONE, abandoned: 2 });
});
