/** Every part of a summary equals the plain count of the attempts, however many hours are summed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Attempt, OUTCOMES } from '../../src/attempts/attempt.ts';
import { occurredAtOf } from '../../src/attempts/text-limits.ts';
import { policyVersions } from '../../src/database/schema.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import type { Group } from '../../src/desk/reports/breakdowns.ts';
import { summary } from '../../src/desk/reports/queries/summary-counts.ts';
import type { Dimensions } from '../../src/desk/reports/questions.ts';
import { summaryRange } from '../../src/desk/reports/range.ts';
import { SUMMARY_PARTS } from '../../src/desk/reports/summary-parts.ts';
import { readConfig } from '../../src/platform/config.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/platform/duration.ts';
import { STEPS } from '../../src/sign-in/steps.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { empty, ownDatabase } from '../support/own-database.ts';

const { db, url } = ownDatabase();
const start = Math.floor(Date.now() / DAY_MS - 6) * DAY_MS;
/** The time of asking. The attempts are of the four days before it. */
const now = start + 4 * DAY_MS - 90 * MINUTE_MS;

const attempts = fc
  .record({
    at: fc.integer({ min: start, max: now }).map((ms) => new Date(ms)),
    channel: fc.constantFrom('user-flow' as const, 'custom-policy' as const),
    step: fc.constantFrom(...STEPS, '__proto__'),
    outcome: fc.constantFrom(...OUTCOMES),
    rule: fc.constantFrom('', 'no-mail', 'constructor'),
    clientId: fc.constantFrom('', 'shop', 'forum'),
    issuer: fc.constantFrom('', 'google.com', '__proto__'),
    objectId: fc.constantFrom('', 'ada', 'grace', 'hedy'),
    emailKey: fc.constantFrom('', 'email:ada@example.com', 'email:hedy@example.com'),
    reason: fc.constantFrom('', 'not-json', 'deadline'),
    caller: fc.constantFrom('b2c-a', 'b2c-b', '__proto__'),
    locale: fc.constantFrom('', 'de-DE', "x'; drop table attempts --", 'ü'.repeat(200)),
    degraded: fc.constantFrom('', 'roles-stale'),
    policyVersion: fc.constantFrom(0, 1, 12),
    failedRules: fc.subarray(['no-mail', 'closed']),
    durationMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 600_000 })),
    shadowVersion: fc.constantFrom(0, 7),
    notes: fc.subarray(['A note.']),
  })
  .map(anAttempt);

const given = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });
const questions = fc
  .record({
    interval: fc.constantFrom('hour' as const, 'day' as const),
    from: fc.integer({ min: start - DAY_MS, max: now - HOUR_MS }).map((ms) => new Date(ms)),
    hours: fc.integer({ min: 1, max: 96 }),
    filters: fc.oneof(
      fc.constant({}),
      fc.record({
        step: given(fc.constantFrom(...STEPS, '__proto__')),
        outcome: given(fc.constantFrom(...OUTCOMES)),
        clientId: given(fc.constantFrom('', 'shop', 'unknown')),
        issuer: given(fc.constantFrom('', 'google.com')),
        rule: given(fc.constantFrom('no-mail', 'constructor', 'unknown')),
      }),
      fc.record({ rule: fc.constantFrom('no-mail', 'unknown') }),
      fc.record({ outcome: fc.constantFrom(...OUTCOMES) }),
    ),
  })
  .map(({ interval, from, hours, filters }) => {
    const asked = { interval, from, to: new Date(from.getTime() + hours * HOUR_MS), include: [...SUMMARY_PARTS] };
    const range = summaryRange({ ...asked, ...filters }, now);
    if (typeof range === 'string') throw new Error(range);
    return { range, filters: filters as Dimensions };
  });

const timeOf = ({ id }: Attempt) => occurredAtOf(id);
const iso = (ms: number) => new Date(ms).toISOString();
const floor = (ms: number, unit: number) => Math.floor(ms / unit) * unit;
const fits = (attempt: Attempt, filters: object) =>
  Object.entries(filters).every(
    ([name, value]) =>
      value === undefined || Object.entries(attempt).some(([key, own]) => key === name && own === value),
  );
const inside = (attempt: Attempt, { from, to }: { from: Date; to: Date }) =>
  timeOf(attempt) >= from.getTime() && timeOf(attempt) < to.getTime();

const outcomesOf = (some: readonly Attempt[]) =>
  Object.fromEntries(OUTCOMES.map((outcome) => [outcome, some.filter((one) => one.outcome === outcome).length]));

/** `[value, attempts, byOutcome]` by any values of an attempt; `''` is none of them. */
function groupsBy(some: readonly Attempt[], valuesOf: (attempt: Attempt) => readonly string[]) {
  const groups = new Map<string, Attempt[]>();
  for (const attempt of some)
    for (const value of valuesOf(attempt)) groups.set(value, [...(groups.get(value) ?? []), attempt]);
  return [...groups].map(([value, of]) => [value, of.length, outcomesOf(of)]).sort(byText);
}
const byText = (a: readonly unknown[], b: readonly unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
const shown = <Item extends Group>(groups: readonly Item[] | undefined, nameOf: (item: Item) => string | number) =>
  groups?.map((group) => [String(nameOf(group)), group.attempts, group.byOutcome]).sort(byText);
const unlessEmpty = (value: string) => (value === '' ? [] : [value]);
/** Longer values are truncated, so that they fit in an index. */
const facet = (value: string) => unlessEmpty(value.slice(0, 144));

const keyOf = ({ oidKey, idpKey, emailKey }: Attempt) => oidKey || idpKey || emailKey;
const peopleAmong = (some: readonly Attempt[]) => new Set(some.map(keyOf).filter((key) => key !== '')).size;

/** A percentile of the attempts, at most 10 % above the plain one. */
function expectPercentile(answered: number | null | undefined, some: readonly Attempt[], fraction: number) {
  const sorted = some.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const plain = sorted[Math.ceil(sorted.length * fraction) - 1];
  if (plain === undefined) return expect(answered).toBeNull();
  expect(answered).toBeGreaterThanOrEqual(plain);
  expect(answered).toBeLessThanOrEqual(Math.max(plain, 1) * 1.1);
}

test('every part of a summary equals the plain count of its attempts, whether hours are summed or live', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(attempts, { maxLength: 40 }),
      fc.integer({ min: start - HOUR_MS, max: now + DAY_MS }).map((ms) => new Date(ms)),
      fc.array(questions, { minLength: 1, maxLength: 4 }),
      async (stored, summedAt, asked) => {
        await empty(db());
        await keepAttempts(db(), stored);
        await sumDue(db, summedAt);
        for (const { range, filters } of asked) {
          const config = readConfig({ DATABASE_URL: url() });
          const answer = await summary(config, range, filters, now, { ms: 20_000 }, SUMMARY_PARTS);
          const matching = stored.filter((attempt) => fits(attempt, filters));
          const counted = matching.filter((attempt) => inside(attempt, range));

          expect(shown(answer.byStep, ({ step }) => step)).toEqual(groupsBy(counted, ({ step }) => [step]));
          expect(shown(answer.byChannel, ({ channel }) => channel)).toEqual(
            groupsBy(counted, ({ channel }) => [channel]),
          );
          expect(shown(answer.byRule, ({ rule }) => rule)).toEqual(groupsBy(counted, ({ rule }) => unlessEmpty(rule)));
          expect(shown(answer.byApplication, ({ clientId }) => clientId)).toEqual(
            groupsBy(counted, ({ clientId }) => [clientId]),
          );
          expect(shown(answer.byIssuer, ({ issuer }) => issuer)).toEqual(groupsBy(counted, ({ issuer }) => [issuer]));
          expect(shown(answer.byReason, ({ reason }) => reason)).toEqual(
            groupsBy(counted, ({ reason }) => facet(reason)),
          );
          expect(shown(answer.byCaller, ({ caller }) => caller)).toEqual(
            groupsBy(counted, ({ caller }) => facet(caller)),
          );
          expect(shown(answer.byLanguage, ({ language }) => language)).toEqual(
            groupsBy(counted, ({ locale }) => facet(locale)),
          );
          expect(shown(answer.byDegraded, ({ degraded }) => degraded)).toEqual(
            groupsBy(counted, ({ degraded }) => facet(degraded)),
          );
          expect(shown(answer.byPolicyVersion, ({ policyVersion }) => policyVersion)).toEqual(
            groupsBy(counted, ({ policyVersion }) => (policyVersion > 0 ? [String(policyVersion)] : [])),
          );
          expect(shown(answer.byFailedRule, ({ rule }) => rule)).toEqual(
            groupsBy(counted, ({ failedRules }) => failedRules ?? []),
          );

          const length = range.to.getTime() - range.from.getTime();
          const over = Math.min(range.to.getTime(), Math.ceil(now / HOUR_MS) * HOUR_MS);
          const before = { from: new Date(range.from.getTime() - length), to: new Date(over - length) };
          const earlier = matching.filter((attempt) => inside(attempt, before));
          expect(answer.before).toEqual({
            from: before.from.toISOString(),
            to: before.to.toISOString(),
            attempts: earlier.length,
            byOutcome: outcomesOf(earlier),
          });

          const days = Object.entries(filters).filter(([, value]) => value !== undefined);
          expect(answer.seen ?? []).toEqual(
            days.map(([filter, value]) => {
              const times = stored
                .filter((attempt) => fits(attempt, { [filter]: value }))
                .map(timeOf)
                .sort();
              const day = (ms: number | undefined) => (ms === undefined ? null : iso(ms).slice(0, 10));
              return { filter, value, first: day(times.at(0)), last: day(times.at(-1)) };
            }),
          );

          const recent = floor(now - 48 * HOUR_MS, HOUR_MS);
          const minutes = counted.filter((attempt) => timeOf(attempt) >= recent);
          if (range.to.getTime() <= recent) expect(answer).not.toHaveProperty('minutes');
          else
            expect(answer.minutes?.map(({ start, attempts, byOutcome }) => [start, attempts, byOutcome])).toEqual(
              groupsBy(minutes, (attempt) => [iso(floor(timeOf(attempt), MINUTE_MS))]),
            );

          const unit = range.interval === 'day' ? DAY_MS : HOUR_MS;
          for (const { start: at, durationMs } of answer.series) {
            if (range.interval === 'hour' && Date.parse(at) < recent) expect(durationMs).toBeUndefined();
            else {
              const own = counted.filter((attempt) => iso(floor(timeOf(attempt), unit)) === at);
              expectPercentile(durationMs?.p50, own, 0.5);
              expectPercentile(durationMs?.p95, own, 0.95);
              expectPercentile(durationMs?.p99, own, 0.99);
            }
          }

          const { rule, outcome, ...others } = filters;
          const isKnown =
            [rule, outcome].includes(undefined) && Object.values(others).every((one) => one === undefined);
          if (!isKnown) expect(answer).not.toHaveProperty('people');
          else {
            const stopped = OUTCOMES.filter((one) => one !== 'continue');
            const plain = stopped.map((one) => [
              one,
              peopleAmong(counted.filter((attempt) => attempt.outcome === one)),
            ]);
            const rules = [...new Set(counted.map((attempt) => attempt.rule))].filter((one) => one !== '');
            expect(Object.entries(answer.people?.byOutcome ?? {}).filter(([, people]) => people > 0)).toEqual(
              rule === undefined ? expect.arrayContaining(plain.filter(([, people]) => Number(people) > 0)) : [],
            );
            expect(answer.people?.byRule.map((one) => [one.rule, one.people]).sort(byText)).toEqual(
              outcome === undefined
                ? rules
                    .map((one) => [one, peopleAmong(counted.filter((attempt) => attempt.rule === one))] as const)
                    .filter(([, people]) => people > 0)
                    .sort(byText)
                : [],
            );
          }
        }
      },
    ),
    { numRuns: 25 },
  );
}, 300_000);

test('a summary names applications as the newest policy in force does, in any case of the client id, beside the raw value', async () => {
  const version = (number: number, use: 'active' | 'shadow', applications: object) => ({
    number,
    use,
    sample: use === 'shadow' ? 1 : null,
    document: { applications, rules: [] },
    author: 'Test',
    createdAt: new Date(now),
  });
  await db()
    .insert(policyVersions)
    .values([
      version(1, 'active', { 'client-a': 'Old name' }),
      version(2, 'active', { onlyThese: true, 'CLIENT-A': 'Shop', constructor: 'A name' }),
      version(3, 'shadow', { 'client-a': 'A trial' }),
    ]);
  const at = new Date(now - HOUR_MS);
  const ids = ['client-a', 'client-b', '__proto__', 'onlythese'];
  await keepAttempts(
    db(),
    ids.map((clientId) => anAttempt({ clientId, issuer: 'login.live.com', at })),
  );
  const range = { interval: 'hour' as const, from: new Date(now - DAY_MS), to: new Date(now + HOUR_MS) };
  const { byApplication, byIssuer } = await summary(readConfig({ DATABASE_URL: url() }), range, {}, now, {
    ms: 20_000,
  });
  expect(byApplication.map(({ clientId, application }) => [clientId, application])).toEqual([
    ['__proto__', undefined],
    ['client-a', 'Shop'],
    ['client-b', undefined],
    ['onlythese', undefined],
  ]);
  expect(byIssuer).toMatchObject([{ issuer: 'login.live.com', provider: 'Microsoft account', attempts: 4 }]);
});
