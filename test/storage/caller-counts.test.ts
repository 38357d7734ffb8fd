import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { dimensionOf, occurredAtOf } from '../../src/attempts/text-limits.ts';
import { CALLER_KINDS } from '../../src/callers/credential.ts';
import { refusedCalls } from '../../src/database/schema.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { type CallersReport, callersReport } from '../../src/desk/reports/callers-report.ts';
import { callerCounts } from '../../src/desk/reports/queries/caller-counts.ts';
import { callersRange } from '../../src/desk/reports/range.ts';
import { readConfig } from '../../src/platform/config.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import type { ConfiguredCaller } from '../../src/platform/gate-state.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { empty, ownDatabase } from '../support/own-database.ts';

const { db, url } = ownDatabase();
const config = () => readConfig({ DATABASE_URL: url() });
const DAYS = 6;
/** Noon, so that the last hours of the newest day are not over. */
const now = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
const start = Math.floor(now / DAY_MS - DAYS) * DAY_MS;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Names differ in their last characters alone, have a colon, or are the names of members of every object. */
const LONG = 'x'.repeat(200);
const names = fc.constantFrom('b2c', 'b2c:old', '__proto__', 'constructor', 'ü', `${LONG}1`, `${LONG}2`);
const kinds = fc.constantFrom(...CALLER_KINDS, '');
const attempts = fc
  .record({
    at: fc.integer({ min: start, max: now }).map((ms) => new Date(ms)),
    caller: fc.oneof(names.map(dimensionOf), fc.constant('')),
    callerKind: kinds,
    channel: fc.constantFrom('user-flow', 'custom-policy'),
    outcome: fc.constantFrom('continue', 'block', 'error'),
  })
  .map(anAttempt);

async function read(
  from: Date,
  to: Date | undefined,
  configured?: readonly ConfiguredCaller[],
): Promise<CallersReport> {
  const range = callersRange({ from, to }, now);
  if (typeof range === 'string') throw new Error(range);
  const counts = await callerCounts(config(), range, now);
  return callersReport(counts, { range, now, retentionDays: 90, configured });
}

test('the days of each credential sum up to its attempts, and its last call is exact for today and yesterday', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(attempts, { maxLength: 40 }),
      fc.integer({ min: start, max: now }),
      fc.boolean(),
      fc.integer({ min: 0, max: DAYS - 1 }),
      fc.option(fc.integer({ min: 1, max: DAYS }), { nil: undefined }),
      async (stored, summedTo, caughtUp, fromDay, lengthDays) => {
        await empty(db());
        await keepAttempts(db(), stored);
        await sumDue(db, new Date(summedTo));
        if (caughtUp) await sumDue(db, new Date(now));
        const from = new Date(start + fromDay * DAY_MS);
        const to = lengthDays === undefined ? undefined : new Date(from.getTime() + lengthDays * DAY_MS);
        const answer = await read(from, to);
        const counted = stored.filter(
          (attempt) =>
            attempt.caller !== '' &&
            occurredAtOf(attempt.id) >= from.getTime() &&
            occurredAtOf(attempt.id) < (to?.getTime() ?? now + DAY_MS),
        );
        const keyOf = ({ caller, callerKind }: Attempt) => `${callerKind || 'basic'}:${caller}`;
        const plain = [...Map.groupBy(counted, keyOf)].map(([key, some]) => {
          const times = some.map(({ id }) => occurredAtOf(id)).sort((a, b) => a - b);
          const last = times.at(-1) ?? 0;
          return [
            key,
            some.length,
            dayOf(times[0] ?? 0),
            dayOf(last) >= dayOf(now - DAY_MS) ? new Date(last).toISOString() : dayOf(last),
            [...Map.groupBy(times, dayOf)].map(([day, calls]) => [day, calls.length]),
          ];
        });
        const shown = answer.credentials.map((use) => [
          `${use.kind}:${use.name}`,
          use.accepted,
          use.firstSeen,
          use.lastSeen,
          use.days.map(({ day, accepted }) => [day, accepted]),
        ]);
        expect(new Map(shown.map((row) => [row[0], row]))).toEqual(new Map(plain.map((row) => [row[0], row])));
        expect(shown).toHaveLength(plain.length);
        expect(answer.unnamed.refused).toBe(0);
      },
    ),
    { numRuns: 15 },
  );
});

test('days that an earlier version aggregated count by name, as Basic, and the report says so', async () => {
  const at = new Date(now - 4 * DAY_MS);
  await keepAttempts(db(), [
    anAttempt({ caller: 'b2c', callerKind: '', at }),
    anAttempt({ caller: 'b2c', callerKind: 'basic', at: new Date(now - 2 * DAY_MS) }),
  ]);
  await sumDue(db, new Date(now));
  await db().execute(sql`delete from daily_facets where facet = 'credential' and day = ${dayOf(at.getTime())}::date`);
  const { credentials, coverage } = await read(new Date(start), undefined);
  expect(credentials).toMatchObject([{ name: 'b2c', kind: 'basic', accepted: 2, firstSeen: dayOf(at.getTime()) }]);
  expect(coverage.join(' ')).toContain(`Calls before ${dayOf(now - 2 * DAY_MS)} count as basic`);
});

test('each refused call at a connector is counted once, by day, by name or unnamed, and never one of staff', async () => {
  const refusal = fc.record({
    at: fc.integer({ min: start, max: now }).map((ms) => new Date(ms)),
    route: fc.constantFrom('connector', 'connector', 'reports', 'admin'),
    reason: fc.constantFrom(
      'wrong-credential',
      'no-credential',
      'malformed',
      'certificate-expired',
      'token-expired',
      'code-alone',
    ),
    name: fc.oneof(names, fc.constant('')),
    calls: fc.integer({ min: 1, max: 1_000_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(refusal, { minLength: 1, maxLength: 30 }), async (stored) => {
      await db().execute(sql`truncate refused_calls`);
      await db()
        .insert(refusedCalls)
        .values(stored.map(({ at, ...row }) => ({ ...row, id: anAttempt({ at }).id, occurredAt: at })));
      const { credentials, unnamed } = await read(new Date(start), undefined);
      const total = (some: readonly { readonly calls: number }[]) => some.reduce((sum, { calls }) => sum + calls, 0);
      const atConnectors = stored.filter(({ route }) => route === 'connector');
      for (const { name, days, refused, refusals } of [...credentials, { name: '', ...unnamed }]) {
        const own = credentials.filter((use) => use.name === name);
        expect(days.reduce((sum, day) => sum + day.refused, 0)).toBe(refused);
        expect(total(refusals)).toBe(refused);
        const ofName = name === '' ? unnamed.refused : own.reduce((sum, use) => sum + use.refused, 0);
        expect(ofName).toBe(total(atConnectors.filter((row) => dimensionOf(row.name) === name)));
      }
      const all = credentials.reduce((sum, { refused }) => sum + refused, unnamed.refused);
      expect(all).toBe(total(atConnectors));
      const errors = new Map(
        [...credentials.flatMap((use) => use.refusals)].map(({ reason, error }) => [reason, error]),
      );
      for (const [reason, error] of errors) {
        const expected = {
          'wrong-credential': 'AADB2C90027',
          malformed: 'AADB2C90027',
          'certificate-expired': 'AADB2C90028',
        };
        expect(error).toBe(new Map(Object.entries(expected)).get(reason) ?? 'AADB2C90075');
      }
    }),
    { numRuns: 15 },
  );
});
