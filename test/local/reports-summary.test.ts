import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Attempt, OUTCOMES } from '../../src/attempts/attempt.ts';
import { readConfig } from '../../src/config.ts';
import { readiness } from '../../src/reports/queries/readiness.ts';
import { summary } from '../../src/reports/queries/summary.ts';
import { INTERVAL_MS, type Range, summaryRange } from '../../src/reports/range.ts';
import { STEPS } from '../../src/sign-in/steps.ts';
import { sum } from '../../src/summaries/sum.ts';
import { anAttempt, keepAttempts } from '../attempt.ts';
import { empty, ownDatabase } from './own-database.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
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

/** The same, counted by hand. */
function plainCount(kept: readonly Attempt[], { from, to, interval }: Range, filters: Record<string, unknown>) {
  const timeOf = ({ id }: Attempt) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  const counted = kept.filter(
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
  };
}

const nonZero = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort();

async function expectPlainCount(
  kept: readonly Attempt[],
  { range, filters }: { range: Range; filters: Record<string, unknown> },
) {
  const answer = await summary(config(), range, filters, Date.now(), 20_000);
  const plain = plainCount(kept, range, filters);
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
  if (plain.median === undefined) expect(answer.durationMs.p50).toBeNull();
  else {
    expect(answer.durationMs.p50).toBeGreaterThanOrEqual(plain.median);
    expect(answer.durationMs.p50).toBeLessThanOrEqual(Math.max(plain.median, 1) * 1.1);
  }
  return answer;
}

const some = (most: number) => fc.array(attempts, { maxLength: most });

test('a summary is the plain count, whichever part of the attempts is in the sums, is not yet, or cannot be yet', async () => {
  await fc.assert(
    fc.asyncProperty(
      some(30),
      some(15),
      some(15),
      fc.array(questions, { minLength: 1, maxLength: 3 }),
      async (old, late, recent, asked) => {
        await empty(db());
        await keepAttempts(db(), old);
        await sum(db());
        await keepAttempts(db(), late);
        // Written in a transaction that ends after the next sum.
        await db().execute(
          sql`update attempts set written_in = '4000000000' where written_in >= (select summed_before from summing_progress)`,
        );
        await sum(db());
        await keepAttempts(db(), recent);
        for (const question of asked) await expectPlainCount([...old, ...late, ...recent], question);
      },
    ),
    { numRuns: 30 },
  );
});

describe('while sums are stopped', () => {
  const everything = {
    range: { interval: 'day' as const, from: new Date(start - DAY_MS), to: new Date(start + 4 * DAY_MS) },
    filters: {},
  };

  test('the attempts themselves are counted, and coverage says so', async () => {
    const [summed, unsummed] = [
      fc.sample(attempts, { numRuns: 40, seed: 1 }),
      fc.sample(attempts, { numRuns: 10, seed: 2 }),
    ];
    await keepAttempts(db(), summed);
    await sum(db());
    await keepAttempts(db(), unsummed);
    // As after a dump that was restored into a younger Postgres.
    await db().execute(sql`update summing_progress set summed_before = '9000000000'`);

    const { coverage } = await expectPlainCount([...summed, ...unsummed], everything);
    expect(coverage.join(' ')).toContain('sums are stopped');
    expect(await readiness(config())).toMatchObject({ sumsStopped: true });
  });

  test('no progress at all is no reason to count nothing', async () => {
    const kept = fc.sample(attempts, { numRuns: 10, seed: 2 });
    await keepAttempts(db(), kept);
    await db().execute(sql`delete from summing_progress`);
    await expectPlainCount(kept, everything);
    expect(await readiness(config())).toMatchObject({ sumsStopped: true });
  });
});

test('hours whose attempts are gone are still counted from the sums', async () => {
  const kept = [anAttempt({ at: new Date(start) }), anAttempt({ at: new Date(start + HOUR_MS) })];
  await keepAttempts(db(), kept);
  await sum(db());
  await db().execute(sql`delete from attempts`);
  const range = { interval: 'hour' as const, from: new Date(start), to: new Date(start + 2 * HOUR_MS) };
  expect((await summary(config(), range, {}, Date.now())).totals.attempts).toBe(2);
});

describe('readiness', () => {
  const ago = (ms: number) => new Date(Date.now() - ms);

  test('tells the age of the oldest attempt that is in no sum, and nothing when all are', async () => {
    expect(await readiness(config())).toEqual({
      oldestUnsummedSeconds: null,
      sumsStopped: false,
      differentSteps: 0,
      unknownSteps: 0,
      migrated: true,
    });
    await keepAttempts(db(), [anAttempt({ at: ago(HOUR_MS) })]);
    await sum(db());
    expect(await readiness(config())).toMatchObject({ oldestUnsummedSeconds: null });
    await keepAttempts(db(), [anAttempt(), anAttempt({ at: ago(600_000) })]);
    const { oldestUnsummedSeconds } = await readiness(config());
    expect(oldestUnsummedSeconds).toBeGreaterThanOrEqual(600);
    expect(oldestUnsummedSeconds).toBeLessThan(660);
  });

  test('counts the odd steps of the last day', async () => {
    await keepAttempts(db(), [
      anAttempt({ urlStep: 'PostFederationSignup' }),
      anAttempt({ urlStep: 'PostFederationSignup', at: ago(DAY_MS + 60_000) }),
      anAttempt({ reason: 'unknown-step', outcome: 'error' }),
      anAttempt({ reason: 'unknown-step', outcome: 'error' }),
      anAttempt(),
    ]);
    expect(await readiness(config())).toMatchObject({ differentSteps: 1, unknownSteps: 2 });
    expect(await rows(sql`select count(*)::int as kept from attempts`)).toEqual([{ kept: 5 }]);
  });
});
