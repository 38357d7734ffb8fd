/** Lost attempts are counted from the numbers of the stored ones. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { refusedCalls } from '../../src/database/schema.ts';
import { moveToDeadLetters } from '../../src/desk/consume/dead-letters.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import type { DeskEnv } from '../../src/desk/env.ts';
import { blindAttempts, noteAttempts } from '../../src/desk/erasure/blinding.ts';
import { completenessReport } from '../../src/desk/reports/completeness.ts';
import { completenessCounts } from '../../src/desk/reports/queries/completeness-counts.ts';
import { completenessRange } from '../../src/desk/reports/range.ts';
import { readConfig } from '../../src/platform/config.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/platform/duration.ts';
import { anAttempt } from '../support/attempt.ts';
import { memoryKv } from '../support/memory-kv.ts';
import { ownDatabase } from '../support/own-database.ts';

const { db, url } = ownDatabase();
const config = () => readConfig({ DATABASE_URL: url(), RETENTION_DAYS: '90' });
const NOW = Date.parse('2026-11-21T12:34:56Z');
const ago = (hours: number) => NOW - hours * HOUR_MS;
const hourOf = (time: number) => Math.floor(time / HOUR_MS) * HOUR_MS;

type Queue = DeskEnv['WAITING'];
const queueWith = (backlogCount: number, oldest?: number): Queue => ({
  metrics: async () => ({
    backlogCount,
    backlogBytes: 0,
    ...(oldest === undefined ? {} : { oldestMessageTimestamp: new Date(oldest) }),
  }),
});
const AWAY: Queue = { metrics: () => Promise.reject(new Error('away')) };

interface Stores {
  readonly kv?: KVNamespace;
  readonly first?: Queue;
  readonly second?: Queue;
}

async function read(from: number, to?: number, { kv = memoryKv().kv, ...queues }: Stores = {}) {
  const range = completenessRange({ from: new Date(from), to: to === undefined ? undefined : new Date(to) }, NOW);
  if (typeof range === 'string') throw new Error(range);
  const { first = queueWith(0), second = queueWith(0) } = queues;
  const env = { GATEHOUSE: kv, ATTEMPTS: first, WAITING: second } as unknown as DeskEnv;
  return completenessReport(await completenessCounts(env, config(), range, NOW), NOW);
}

const write = async (...some: Attempt[]) =>
  expect(await writeMessages(config(), some, 20_000)).toEqual({ refused: [] });

/** The attempts of one isolate with these numbers and times. */
function isolateWith(numbers: Readonly<Record<number, number>>, startedAt = Math.min(...Object.values(numbers))) {
  const isolate = uuidv7({ msecs: startedAt });
  return Object.entries(numbers).map(([sequence, time]) =>
    anAttempt({ at: new Date(time), isolate, sequence: Number(sequence) }),
  );
}

const NUMBERS = 20;
const fates = fc.constantFrom('stored', 'stored', 'stored', 'twice', 'lost', 'dead', 'dead and stored');
/** A call takes its number `authenticated` ms after it arrived, so a later number may have an earlier time. */
const calls = fc.array(
  fc.record({
    fate: fates,
    pause: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: HOUR_MS })),
    authenticated: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50_000 })),
  }),
  { maxLength: NUMBERS },
);
const isolates = fc.array(fc.record({ startedAt: fc.integer({ min: ago(72), max: ago(1) }), calls }), {
  minLength: 1,
  maxLength: 12,
});
const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 72 }), fc.integer({ min: 1, max: 72 })), {
  minLength: 2,
  maxLength: 4,
});

test('each lost number is counted in the hour of the next number that is stored or a dead letter', async () => {
  await write(anAttempt({ at: new Date(ago(0)) }));
  await fc.assert(
    fc.asyncProperty(isolates, ranges, async (some, asked) => {
      await db().execute(sql`truncate attempts, dirty_hours`);
      const { kv } = memoryKv();
      const expected = new Map<number, { stored: number; gaps: number; unsure: number; deadLetters: number }>();
      const at = (time: number) => {
        const known = expected.get(hourOf(time)) ?? { stored: 0, gaps: 0, unsure: 0, deadLetters: 0 };
        expected.set(hourOf(time), known);
        return known;
      };
      const messages: Attempt[] = [];
      for (const { startedAt, calls } of some) {
        const isolate = uuidv7({ msecs: startedAt });
        let time = startedAt;
        let lost = 0;
        for (const [index, { fate, pause, authenticated }] of calls.entries()) {
          if (index > 0) time += pause;
          const arrived = index === 0 ? time : time - authenticated;
          if (arrived >= NOW) break;
          if (fate === 'lost') {
            lost += 1;
            continue;
          }
          const attempt = anAttempt({ at: new Date(arrived), isolate, sequence: index + 1 });
          at(arrived)[arrived >= NOW - 20 * MINUTE_MS ? 'unsure' : 'gaps'] += lost;
          lost = 0;
          if (fate !== 'dead') {
            messages.push(attempt, ...(fate === 'twice' ? [attempt] : []));
            at(arrived).stored += 1;
          }
          if (fate.startsWith('dead')) {
            await moveToDeadLetters(kv, config(), attempt.id, '22021', attempt);
            at(arrived).deadLetters += 1;
          }
        }
      }
      // The last message is written first.
      await write(...messages.reverse());

      for (const [hoursAgo, length] of asked) {
        const from = ago(hoursAgo);
        const { hours, totals } = await read(from, Math.min(NOW, from + length * HOUR_MS), { kv });
        for (const { start, stored, gaps, unsure, deadLetters } of hours)
          expect([start, { stored, gaps, unsure, deadLetters }]).toEqual([start, at(Date.parse(start))]);
        expect(totals.gaps).toBe(hours.reduce((sum, { gaps }) => sum + gaps, 0));
      }
    }),
    { numRuns: 6 },
  );
});

test('a range of one hour counts a gap at its border, and neighbouring hours count none of it again', async () => {
  const border = hourOf(ago(5));
  await write(...isolateWith({ 1: border - 2_000, 4: border + 1_000, 5: border + HOUR_MS + 1 }));
  const gapsOf = async (from: number) => (await read(from, from + HOUR_MS)).totals.gaps;
  expect([await gapsOf(border - HOUR_MS), await gapsOf(border), await gapsOf(border + HOUR_MS)]).toEqual([0, 2, 0]);
});

test('the number before is found a day before the range, and beyond its border when calls overlap', async () => {
  const border = hourOf(ago(5));
  await write(
    ...isolateWith({ 1: ago(24), 3: ago(2) }),
    // The second number arrived first: its caller was authenticated faster.
    ...isolateWith({ 1: border + 1_000, 2: border - 1_000 }),
  );
  expect(await read(border - HOUR_MS, border)).toMatchObject({ status: 'complete', totals: { stored: 1, gaps: 0 } });
  expect(await read(ago(3))).toMatchObject({ totals: { stored: 1, gaps: 1 } });
});

test('numbers that may be before the day that is read, or deleted, are no gaps, and the answer says so', async () => {
  await write(
    // Silent for longer than a day.
    ...isolateWith({ 1: ago(30), 2: ago(29), 3: ago(2) }),
    // Began before the attempts that are kept.
    ...isolateWith({ 900: ago(3), 901: ago(2) }, ago(24 * 120)),
    // All before the first one is lost.
    ...isolateWith({ 3: ago(2) }, ago(4)),
  );
  const { totals, coverage } = await read(ago(3));
  expect(totals).toMatchObject({ stored: 4, gaps: 2 });
  expect(coverage.join(' ')).toContain('For 2 isolates,');
});

test('an erased person leaves no gap, and attempts of an earlier version are counted as unnumbered', async () => {
  await write(...isolateWith({ 1: ago(3), 2: ago(2.5), 3: ago(2) }), anAttempt({ at: new Date(ago(2)) }));
  const before = await read(ago(4));
  expect(before.totals).toMatchObject({ stored: 4, unnumbered: 1, gaps: 0 });
  expect(before).toMatchObject({ status: 'complete' });
  expect(before.verdict).toBe(
    'Complete, as far as can be known: 4 attempts are stored, and no number is missing. 1 attempt has no number to compare.',
  );
  expect(before.coverage.join(' ')).toContain('1 attempt has no number');
  const all = noteAttempts(sql`(select occurred_at, id from attempts)`);
  await db().batch([db().execute(all), blindAttempts(db(), 'secret')]);
  expect(await read(ago(4))).toEqual(before);
  expect(await read(ago(2))).toMatchObject({ totals: { stored: 3, gaps: 0 } });
});

test('numbers that attempts of an earlier version may have are unsure and no gaps, and the verdict says why', async () => {
  const hidden = (...hours: number[]) => hours.map((hour) => anAttempt({ at: new Date(ago(hour)) }));
  // Rolled back for an hour.
  await write(...isolateWith({ 1: ago(6), 2: ago(5.9), 5: ago(4.5), 6: ago(4.4) }), ...hidden(5.5, 5));
  const back = await read(ago(7), ago(4));
  expect(back).toMatchObject({ status: 'unknown', totals: { stored: 6, gaps: 0, unsure: 2, unnumbered: 2 } });
  expect(back.verdict).toBe(
    'Unknown: 2 numbers are missing where an earlier version of Gatehouse stored attempts without numbers, which may be the same.',
  );
  // An attempt without a number before or after both hides nothing.
  await write(...isolateWith({ 1: ago(3), 3: ago(2) }), ...hidden(3.5, 1.5));
  expect(await read(ago(3), ago(1))).toMatchObject({ status: 'incomplete', totals: { gaps: 1, unsure: 0 } });
});

test('deleted months make no gaps: their hours are left out, and a range without kept attempts is unknown', async () => {
  const kept = Date.parse('2026-08-01T00:00:00Z');
  await write(...isolateWith({ 7: kept + MINUTE_MS, 9: kept + HOUR_MS }, kept - HOUR_MS));
  const some = await read(kept - 2 * HOUR_MS, kept + 2 * HOUR_MS);
  expect(some.hours.map(({ start, gaps }) => [start, gaps])).toEqual([
    ['2026-08-01T00:00:00.000Z', 0],
    ['2026-08-01T01:00:00.000Z', 1],
  ]);
  expect(some.coverage.join(' ')).toContain('Attempts before 2026-08-01 00:00 UTC are deleted');
  const none = await read(kept - DAY_MS, kept - HOUR_MS);
  expect(none).toMatchObject({ status: 'unknown', hours: [] });
  expect(none.verdict).toContain('the attempts before 2026-08-01 00:00 UTC are deleted');
});

test('a gap that a waiting message may fill is unsure and no gap', async () => {
  await write(...isolateWith({ 1: ago(6), 3: ago(5), 5: ago(1), 6: ago(0.5), 8: ago(0.1) }));
  const with_ = async (stores: Stores) => {
    const { status, totals, waiting, coverage } = await read(ago(8), undefined, stores);
    return { status, gaps: totals.gaps, unsure: totals.unsure, waiting, isSaid: /did not say/.test(coverage.join()) };
  };
  const none = { messages: 0, longer: 0, oldest: null };
  expect(await with_({})).toEqual({ status: 'incomplete', gaps: 2, unsure: 1, waiting: none, isSaid: false });
  const since = new Date(ago(2)).toISOString();
  expect(await with_({ first: queueWith(3, ago(2)) })).toMatchObject({
    gaps: 1,
    unsure: 2,
    waiting: { messages: 3, longer: 0, oldest: since },
  });
  expect(await with_({ second: queueWith(1, ago(2)) })).toMatchObject({ status: 'unsettled', gaps: 0, unsure: 3 });
  expect(await with_({ first: queueWith(1) })).toMatchObject({ status: 'unsettled', gaps: 0, unsure: 3 });
  expect(await with_({ first: AWAY })).toMatchObject({ gaps: 2, unsure: 1, waiting: { messages: null }, isSaid: true });
});

test('the verdict says what is missing in which hours, and what waits', async () => {
  const verdictOf = async (from: number, to?: number, stores?: Stores) => {
    const { status, verdict } = await read(from, to, stores);
    return `${status}: ${verdict}`;
  };
  const { kv } = memoryKv();
  expect(await verdictOf(ago(3))).toMatch(/^complete: .* no attempt is stored/);
  await write(anAttempt({ at: new Date(ago(30)) }), ...isolateWith({ 1: ago(6), 3: ago(5), 4: ago(3), 6: ago(0.1) }));
  expect(await verdictOf(ago(31), ago(29))).toMatch(/^unknown: .* without numbers/);
  expect(await verdictOf(ago(8), ago(1))).toBe(
    'incomplete: Incomplete: 1 attempt is lost (hour from 2026-11-21 07:00 UTC).',
  );
  expect(await verdictOf(ago(2))).toMatch(/^unsettled: Not known yet: 1 attempt is missing .* in 20 minutes\.$/);
  expect(await verdictOf(ago(4), ago(2), { first: queueWith(9, ago(3)) })).toMatch(
    /^unsettled: Not known yet: 9 messages wait/,
  );
  for (const oldest of [ago(1), NOW - 1_000])
    expect(await verdictOf(ago(4), ago(2), { first: queueWith(9, oldest) })).toMatch(/^complete: /);
  // The call of a message in the second queue may be two days older.
  expect(await verdictOf(ago(4), ago(2), { second: queueWith(9, ago(1)) })).toMatch(/^unsettled: /);
  const [dead] = isolateWith({ 1: ago(3) });
  await moveToDeadLetters(kv, config(), dead?.id ?? '', '22021', { ...dead, isolate: 'x'.repeat(2_000) });
  expect(await verdictOf(ago(4), ago(2), { kv })).toMatch(/^incomplete: .*1 message is a dead letter \(hour from 2026/);
});

test('refused calls of connectors are counted by hour, and a Workers KV that does not answer is named', async () => {
  const row = { occurredAt: new Date(ago(2)), reason: 'wrong-credential', name: '', calls: 4 };
  await db()
    .insert(refusedCalls)
    .values([
      { ...row, id: uuidv7(), route: 'connector' },
      { ...row, id: uuidv7(), route: 'connector', calls: 3 },
      { ...row, id: uuidv7(), route: 'reports' },
    ]);
  const memory = memoryKv();
  memory.fate = () => 'throws';
  const { hours, totals, coverage, status, verdict } = await read(ago(4), ago(1), { kv: memory.kv, first: AWAY });
  expect(hours.map(({ refused, deadLetters }) => [refused, deadLetters])).toEqual([
    [0, null],
    [0, null],
    [7, null],
    [0, null],
  ]);
  expect([totals.refused, totals.deadLetters, status]).toEqual([7, null, 'complete']);
  expect(coverage.join(' ')).toContain('Workers KV did not answer');
  expect(verdict).toMatch(/missing\. The queue did not say .* Whether there are dead letters is unknown\.$/);
});
