import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { type Attempt, OUTCOMES } from '../../src/attempts/attempt.ts';
import { occurredAtOf } from '../../src/attempts/text-limits.ts';
import { monthOf, retainedMonths } from '../../src/database/partitions.ts';
import { overUntil } from '../../src/desk/aggregates/hours.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { readiness } from '../../src/desk/health/database-state.ts';
import { summary } from '../../src/desk/reports/queries/summary-counts.ts';
import { INTERVAL_MS, type SummaryRange, summaryRange } from '../../src/desk/reports/range.ts';
import type { Summary } from '../../src/desk/reports/summary.ts';
import { readConfig } from '../../src/platform/config.ts';
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts';
import { STEPS } from '../../src/sign-in/steps.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { empty, ownDatabase } from '../support/own-database.ts';

const { db, rows, url } = ownDatabase();
const config = () => readConfig({ DATABASE_URL: url() });
const start = Math.floor(Date.now() / DAY_MS - 5) * DAY_MS;

const clients = fc.constantFrom('', 'shop', 'forum');
const issuers = fc.constantFrom('', 'google.com', '__proto__');
const rules = fc.constantFrom('', 'no-mail', 'constructor');
const steps = fc.constantFrom(...STEPS, '', '__proto__');
const outcomes = fc.constantFrom(...OUTCOMES);

const attempts = fc
  .record({
    at: fc.integer({ min: start - DAY_MS, max: start + 3 * DAY_MS }).map((ms) => new Date(ms)),
    step: steps,
    outcome: outcomes,
    rule: rules,
    clientId: clients,
    issuer: issuers,
    objectId: fc.constantFrom('', 'ada', 'grace', 'hedy'),
    durationMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 600_000 })),
    shadowVersion: fc.constantFrom(0, 0, 7),
    shadowDiffers: fc.boolean(),
  })
  .map(anAttempt);

const given = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const questions = fc
  .record({
    interval: fc.constantFrom('hour' as const, 'day' as const),
    from: fc.integer({ min: start - DAY_MS, max: start + DAY_MS }).map((ms) => new Date(ms)),
    hours: fc.integer({ min: 1, max: 72 }),
    filters: fc.record({
      step: given(steps),
      outcome: given(outcomes),
      clientId: given(clients),
      issuer: given(issuers),
      rule: given(rules),
    }),
  })
  .map(({ interval, from, hours, filters }) => {
    const range = summaryRange({ interval, from, to: new Date(from.getTime() + hours * HOUR_MS) }, Date.now());
    if (typeof range === 'string') throw new Error(range);
    return { range, filters };
  });

const timeOf = ({ id }: Attempt) => occurredAtOf(id);

/** The expected summary, counted directly. */
function plainCount(
  stored: readonly Attempt[],
  { from, to, interval }: SummaryRange,
  filters: Record<string, unknown>,
) {
  const counted = stored.filter(
    (attempt) =>
      timeOf(attempt) >= from.getTime() &&
      timeOf(attempt) < to.getTime() &&
      Object.entries(filters).every(
        ([name, value]) =>
          value === undefined || Object.entries(attempt).some(([key, own]) => key === name && own === value),
      ),
  );
  const by = (of: (attempt: Attempt) => string) => {
    const counts = new Map<string, number>();
    for (const attempt of counted) counts.set(of(attempt), (counts.get(of(attempt)) ?? 0) + 1);
    return [...counts].sort();
  };
  const seen = counted.filter(({ step, objectId }) => step === 'PreTokenIssuance' && objectId !== '');
  const unit = INTERVAL_MS[interval];
  const compared = counted.filter(({ shadowVersion }) => shadowVersion > 0);
  const sorted = counted.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  return {
    attempts: counted.length,
    byStep: by(({ step }) => step),
    byOutcome: by(({ outcome }) => outcome),
    starts: by((attempt) => new Date(Math.floor(timeOf(attempt) / unit) * unit).toISOString()),
    rules: by(({ rule }) => rule).filter(([rule]) => rule !== ''),
    applications: by(({ clientId }) => clientId),
    issuers: by(({ issuer }) => issuer),
    people: new Set(seen.map(({ objectId }) => objectId)).size,
    median: sorted[Math.ceil(sorted.length / 2) - 1],
    shadow:
      compared.length === 0 ? [] : [[7, compared.length, compared.filter(({ shadowDiffers }) => shadowDiffers).length]],
  };
}

const nonZero = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort();

interface Question {
  readonly range: SummaryRange;
  readonly filters: Record<string, string | undefined>;
}

/** `durationsKnown` is false when a combination of filters has too many attempts to read. */
function expectPlainCount(
  answer: Summary,
  stored: readonly Attempt[],
  { range, filters }: Question,
  durationsKnown = true,
) {
  const plain = plainCount(stored, range, filters);
  expect(answer.totals.attempts).toBe(plain.attempts);
  expect(nonZero(answer.totals.byStep)).toEqual(plain.byStep);
  expect(nonZero(answer.totals.byOutcome)).toEqual(plain.byOutcome);
  expect(answer.series).toHaveLength((range.to.getTime() - range.from.getTime()) / INTERVAL_MS[range.interval]);
  expect(answer.series.filter(({ attempts }) => attempts > 0).map(({ start, attempts }) => [start, attempts])).toEqual(
    plain.starts,
  );
  expect(answer.topRules.map(({ rule, attempts }) => [rule, attempts]).sort()).toEqual(plain.rules);
  expect(answer.byApplication.map(({ clientId, attempts }) => [clientId, attempts]).sort()).toEqual(plain.applications);
  expect(answer.byIssuer.map(({ issuer, attempts }) => [issuer, attempts]).sort()).toEqual(plain.issuers);
  const onlyClient = Object.entries(filters).every(([name, value]) => name === 'clientId' || value === undefined);
  expect(answer.totals.people).toBe(onlyClient ? plain.people : undefined);
  const said = answer.coverage.some((sentence) => sentence.startsWith('"durationMs" is left out'));
  if (said || plain.median === undefined) {
    expect(answer.durationMs.p50).toBeNull();
    expect(said && durationsKnown).toBe(false);
  } else {
    expect(answer.durationMs.p50).toBeGreaterThanOrEqual(plain.median);
    expect(answer.durationMs.p50).toBeLessThanOrEqual(Math.max(plain.median, 1) * 1.1);
  }
  expect(answer.shadow?.map(({ version, compared, different }) => [version, compared, different]) ?? []).toEqual(
    plain.shadow,
  );
}

const some = (most: number) => fc.array(attempts, { maxLength: most });
const moments = fc.integer({ min: start - DAY_MS, max: start + 4 * DAY_MS }).map((ms) => new Date(ms));
const ask = ({ range, filters }: Question, limits = {}) =>
  summary(config(), range, filters, Date.now(), { ms: 20_000, ...limits });
const everything: Question = {
  range: { interval: 'day', from: new Date(start - DAY_MS), to: new Date(start + 4 * DAY_MS) },
  filters: {},
};
const hourOf = (attempt: Attempt) => Math.floor(timeOf(attempt) / HOUR_MS) * HOUR_MS;

test('a summary equals the plain count for any summed hours, and says how many hours have late attempts', async () => {
  await fc.assert(
    fc.asyncProperty(
      some(30),
      some(15),
      moments,
      moments,
      fc.boolean(),
      fc.constantFrom(0, 1_000),
      fc.array(questions, { minLength: 1, maxLength: 4 }),
      async (old, recent, first, second, caughtUp, mostRead, asked) => {
        await empty(db());
        await keepAttempts(db(), old);
        await sumDue(db, first);
        await keepAttempts(db(), recent);
        if (caughtUp) await sumDue(db, first > second ? first : second);
        const until = overUntil(first).getTime();
        const late = caughtUp ? [] : recent.filter((attempt) => timeOf(attempt) < until);
        for (const question of [everything, ...asked]) {
          const answer = await ask(question, { attempts: mostRead });
          const { from, to } = question.range;
          const waiting = new Set(late.map(hourOf).filter((hour) => hour >= from.getTime() && hour < to.getTime()))
            .size;
          const lateness = answer.coverage.filter((sentence) => sentence.includes('arrived late'));
          expect(lateness).toEqual(waiting === 0 ? [] : [expect.stringContaining(`in ${waiting} hours`)]);
          const least = [...old, ...recent.filter((attempt) => !late.includes(attempt))];
          if (waiting === 0) expectPlainCount(answer, least, question, mostRead > 0);
          else {
            const [fewest, most] = [least, [...old, ...recent]].map((stored) =>
              plainCount(stored, question.range, question.filters),
            );
            expect(answer.totals.attempts).toBeGreaterThanOrEqual(fewest?.attempts ?? 0);
            expect(answer.totals.attempts).toBeLessThanOrEqual(most?.attempts ?? 0);
          }
        }
      },
    ),
    { numRuns: 15 },
  );
});

test('a summary equals the plain count when a sum runs between its statements', async () => {
  const stored = fc.sample(attempts, { numRuns: 40, seed: 1 });
  await keepAttempts(db(), stored);
  const real = globalThis.fetch;
  let overtaken = 0;
  const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(async (address, init) => {
    if (String(init?.body).includes('as people') && overtaken < 2) {
      overtaken += 1;
      fetched.mockImplementation(real);
      await sumDue(db, new Date(start + overtaken * DAY_MS));
    }
    return real(address, init);
  });
  expectPlainCount(await ask(everything), stored, everything);
  fetched.mockRestore();
  expect(overtaken).toBe(1);
});

test('a summary equals the plain count when the row of `summed_until` is missing', async () => {
  const stored = fc.sample(attempts, { numRuns: 10, seed: 2 });
  await keepAttempts(db(), stored);
  await db().execute(sql`delete from summed_until`);
  expectPlainCount(await ask(everything), stored, everything);
});

describe('a summary of months whose attempts are deleted', () => {
  const RETENTION_DAYS = 60;
  const gone = retainedMonths(new Date(), RETENTION_DAYS).from;
  const hoursBefore = (hours: number) => new Date(gone.getTime() - hours * HOUR_MS);
  const settings = () => readConfig({ DATABASE_URL: url(), RETENTION_DAYS: String(RETENTION_DAYS) });
  const both = { clientId: 'shop', rule: 'no-mail' };
  const all = { ...both, issuer: 'google.com' };
  const stored = [
    anAttempt({ ...all, at: hoursBefore(30), objectId: 'ada' }),
    anAttempt({ ...all, at: hoursBefore(26), objectId: 'grace' }),
    anAttempt({ ...all, at: hoursBefore(2), objectId: 'ada', durationMs: 900 }),
    anAttempt({ ...all, at: hoursBefore(-3), objectId: 'ada' }),
  ];
  const asOf = async (range: SummaryRange, filters: Question['filters'] = {}) => {
    await keepAttempts(db(), stored);
    await sumDue(db, new Date());
    await db().execute(sql.raw(`drop table ${monthOf(hoursBefore(1)).name}`));
    await db().execute(sql`delete from visits where hour < ${gone.toISOString()}::timestamptz`);
    await db().execute(sql`update summed_until set dropped_before = ${gone.toISOString()}::timestamptz`);
    return summary(settings(), range, filters, Date.now(), { ms: 20_000 });
  };

  test('a summary of whole days is exact, including its people', async () => {
    const range = { interval: 'day' as const, from: hoursBefore(48), to: hoursBefore(-24) };
    expectPlainCount(await asOf(range), stored, { range, filters: {} });
  });

  test.each([
    ['an application', { clientId: 'shop' }],
    ['an application with an issuer', { clientId: 'shop', issuer: 'google.com' }],
  ])('a summary of %s by hour is extended to whole days, and coverage says so', async (_, by) => {
    const asked = { interval: 'hour' as const, from: hoursBefore(27), to: hoursBefore(-6) };
    const answer = await asOf(asked, by);
    const range = { ...asked, from: hoursBefore(48) };
    expect(answer).toMatchObject({ from: range.from.toISOString(), to: range.to.toISOString(), interval: 'hour' });
    expectPlainCount(answer, stored, { range, filters: by }, !('issuer' in by));
    expect(answer.coverage.join(' ')).toMatch(/Before \d{4}-\d\d-01, numbers exist only for whole days/);
  });

  test('a summary of a rule with an application is by day, and coverage says so', async () => {
    const answer = await asOf({ interval: 'hour', from: hoursBefore(27), to: hoursBefore(-6) }, both);
    const range = { interval: 'day' as const, from: hoursBefore(48), to: hoursBefore(-24) };
    expect(answer).toMatchObject({ from: range.from.toISOString(), to: range.to.toISOString(), interval: 'day' });
    expectPlainCount(answer, stored, { range, filters: both }, false);
    expect(answer.coverage.join(' ')).toMatch(/Before \d{4}-\d\d-01, numbers for a rule .* exist only by day/);
  });

  test('a summary leaves people out when the preceding visit of a person may be deleted', async () => {
    const range = { interval: 'day' as const, from: hoursBefore(48), to: hoursBefore(-24 * 50) };
    const { totals, coverage } = await asOf(range);
    expect(totals).not.toHaveProperty('people');
    expect(coverage.join(' ')).toContain('"totals.people" is left out: people are known only since');
  });

  test('a summary leaves people out for days that were summed before `people_days` existed', async () => {
    await keepAttempts(db(), stored);
    await sumDue(db, new Date());
    await db().execute(sql`delete from people_days where day < ${hoursBefore(24).toISOString()}::date`);
    const range = { interval: 'day' as const, from: hoursBefore(48), to: hoursBefore(0) };
    const { totals, coverage } = await summary(settings(), range, {}, Date.now(), { ms: 20_000 });
    expect(totals).not.toHaveProperty('people');
    expect(coverage.join(' ')).toContain('only counts of attempts');
  });
});

describe('readiness', () => {
  const ago = (ms: number) => new Date(Date.now() - ms);

  test('readiness returns how long the oldest ended hour has waited for its sum, and null when none waits', async () => {
    const nothing = {
      oldestUnsummedSeconds: null,
      differentSteps: 0,
      unknownSteps: 0,
      unknownExchanges: {},
      failedRules: {},
      refusedCalls: {},
      usersMissing: false,
      migrated: true,
    };
    expect(await readiness(config(), 30_000)).toEqual(nothing);
    await keepAttempts(db(), [anAttempt({ objectId: '' })]);
    expect(await readiness(config(), 30_000)).toEqual(nothing);
    const twoHoursAgo = Math.floor(Date.now() / HOUR_MS - 2) * HOUR_MS;
    await keepAttempts(db(), [anAttempt({ at: new Date(twoHoursAgo), objectId: '' })]);
    const { oldestUnsummedSeconds } = await readiness(config(), 30_000);
    const sinceItsEnd = (Date.now() - twoHoursAgo - HOUR_MS) / 1_000;
    expect(oldestUnsummedSeconds).toBeGreaterThan(sinceItsEnd - 60);
    expect(oldestUnsummedSeconds).toBeLessThanOrEqual(sinceItsEnd + 1);
    await sumDue(db, new Date());
    expect(await readiness(config(), 30_000)).toEqual(nothing);
    // A late attempt waits only for the next tick.
    await keepAttempts(db(), [anAttempt({ at: new Date(twoHoursAgo), objectId: '' })]);
    expect(await readiness(config(), 30_000)).toEqual(nothing);
  });

  test('readiness counts different and unknown steps of the last 24 hours', async () => {
    await keepAttempts(db(), [
      anAttempt({ urlStep: 'PostFederationSignup' }),
      anAttempt({ urlStep: 'PostFederationSignup', at: ago(DAY_MS + 60_000) }),
      anAttempt({ reason: 'unknown-step', outcome: 'error' }),
      anAttempt({ reason: 'unknown-step', outcome: 'error' }),
      anAttempt(),
    ]);
    expect(await readiness(config(), 30_000)).toMatchObject({ differentSteps: 1, unknownSteps: 2 });
    expect(await rows(sql`select count(*)::int as stored from attempts`)).toEqual([{ stored: 5 }]);
  });

  test('readiness counts unknown exchanges of the last 24 hours by name, the five most frequent, and shortens names', async () => {
    const unknown = (step: string, at = new Date()) =>
      anAttempt({ channel: 'custom-policy', step, reason: 'unknown-exchange', outcome: 'error', at });
    await keepAttempts(db(), [
      ...Array.from({ length: 3 }, () => unknown('ValidateProfil')),
      ...Array.from({ length: 2 }, () => unknown('x'.repeat(128))),
      unknown('old', ago(DAY_MS + 60_000)),
      ...['b', 'c', 'd', 'e', 'f'].map((step) => unknown(step)),
      anAttempt({ step: 'other', reason: 'unknown-step', outcome: 'error' }),
    ]);
    expect((await readiness(config())).unknownExchanges).toEqual({
      ValidateProfil: 3,
      [`${'x'.repeat(60)}`]: 2,
      b: 1,
      c: 1,
      d: 1,
    });
  });
});
