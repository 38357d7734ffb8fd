/**
 * After any history of events, the aggregates equal plain counts once everything is summed. `HISTORIES=200 npx vitest
 * run --project postgres` runs 200 histories and prints each seed that fails.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Database } from '../../src/database/connect.ts';
import { createMonths } from '../../src/database/partitions.ts';
import { keepRetention } from '../../src/database/retention.ts';
import { markAll } from '../../src/desk/aggregates/rebuild.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import { countPeople, findWrong } from '../../src/local/postgres/invariants.ts';
import { insertQuery } from '../../src/local/postgres/open-transaction.ts';
import { readConfig } from '../../src/platform/config.ts';
import { HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt } from '../support/attempt.ts';
import { empty } from '../support/own-database.ts';
import { realDatabase } from '../support/postgres-database.ts';

const { served, db, rows } = realDatabase();
const HISTORIES = Number(process.env.HISTORIES ?? 10);
const RETENTION_DAYS = 90;
const WRITE_LIMIT_MS = 20_000;
/** Attempts happen from two days before to two days after this turn of a month. */
const TURN = Date.parse('2026-12-01T00:00:00Z');
/** In a month that is past retention from {@link TURN} on. */
const OLD = Date.parse('2026-08-30T21:00:00Z');
const TABLES =
  `attempts daily_counts hourly_totals daily_durations daily_facets daily_shadow people_scopes visits people_days
  dirty_hours`.split(/\s+/);

const hourOffset = fc.integer({ min: -48, max: 47 });
const person = fc.integer({ min: 1, max: 6 });
const attempt = fc
  .record({
    hour: fc.oneof(
      { weight: 6, arbitrary: hourOffset.map((hour) => TURN + hour * HOUR_MS) },
      fc.constantFrom(0, 1, 4).map((hour) => OLD + hour * HOUR_MS),
    ),
    minute: fc.constantFrom(0, 5, 30, 59.999),
    person: fc.option(person, { nil: undefined }),
    step: fc.constantFrom('PreTokenIssuance', 'PreTokenIssuance', 'PostFederationSignup', ''),
    signIn: fc.constantFrom(undefined, undefined, 'SignInStarted', 'SignInCompleted'),
    correlationId: fc.constantFrom('', 'one', 'two'),
    outcome: fc.constantFrom('continue', 'continue', 'block', 'error'),
    rule: fc.constantFrom('', 'closed', 'no-throwaway-mail'),
    clientId: fc.constantFrom('', 'shop', 'portal'),
    issuer: fc.constantFrom('', 'google.com'),
    channel: fc.constantFrom('user-flow', 'custom-policy'),
    reason: fc.constantFrom('', 'not-json'),
    degraded: fc.constantFrom('', 'kv-unavailable'),
    shadowVersion: fc.constantFrom(0, 0, 2),
    durationMs: fc.integer({ min: 0, max: 600_000 }),
    failed: fc.boolean(),
  })
  .map(({ hour, minute, person: who, failed, signIn, ...others }) => {
    const changed = signIn === undefined ? others : { ...others, step: signIn };
    const objectId = who === undefined ? '' : `person-${who}`;
    return anAttempt({
      ...changed,
      id: uuidv7({ msecs: hour + minute * 60_000 }),
      objectId,
      emailKey: who === undefined ? '' : `email:${who}@example.com`,
      // Some have only an e-mail key.
      oidKey: changed.step === '' ? '' : objectId && `oid:${objectId}`,
      failedRules: failed ? ['a rule', 'another'] : [],
      notes: failed ? ['email record not used', 'the condition of rule a rule failed unforeseen: no such key'] : [],
    });
  });
const some = fc.array(attempt, { minLength: 1, maxLength: 6 });

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('write' as const), some, twice: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('sum' as const), maxDays: fc.constantFrom(1, 2, 100) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('sum beside writers' as const),
      some,
      sums: fc.integer({ min: 1, max: 3 }),
      commitMs: fc.nat(60),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('sum killed' as const), at: fc.nat(24) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('erase' as const), person }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('retention' as const), beside: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('mark all' as const) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 30 }) }) },
);

// The consumer derives the retained months from the clock.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** A connection whose transactions fail at statement number `at`. */
function failingAt(at: number): Database {
  const whole = db();
  const { $client: client } = whole;
  const transaction: typeof client.transaction = (queries, options) => {
    if (typeof queries === 'function') throw new Error('Only lists are sent.');
    return client.transaction([...queries.slice(0, at), client.query('select 1 / 0'), ...queries.slice(at)], options);
  };
  return Object.assign(Object.create(whole), {
    $client: Object.assign(Object.create(client), { query: client.query, transaction }),
  });
}

/** Copies the attempts of August to `gone` if retention drops the month: its aggregates stay. */
async function withGone(work: () => Promise<unknown>): Promise<void> {
  await db().execute(sql`insert into gone select * from attempts where occurred_at < '2026-09-01T00:00:00Z'`);
  await work();
  await db().execute(
    sql`do $$ begin if to_regclass('attempts_2026_08') is not null then truncate gone; end if; end $$`,
  );
}

it('aggregates equal plain counts, and people are exact, after any history', async () => {
  const config = () => readConfig({ DATABASE_URL: served().url, RETENTION_DAYS: String(RETENTION_DAYS) });
  await db().execute(sql`create table gone (like attempts)`);
  await db().execute(sql`create view everything as select * from attempts union all select * from gone`);
  const happened = new Map<string, number>();
  const range = fc.record({ from: fc.integer({ min: -50, max: 50 }), hours: fc.integer({ min: 1, max: 60 }) });
  const scopes = [
    ['all', ''],
    ['client', 'shop'],
    ['outcome', 'block'],
    ['rule', 'closed'],
  ] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 4, maxLength: 14 }),
      fc.array(fc.tuple(range, fc.constantFrom(...scopes)), { minLength: 8, maxLength: 8 }),
      async (actions, ranges) => {
        await empty(db());
        await db().execute(sql`truncate gone`);
        let now = TURN - 24 * HOUR_MS;
        vi.setSystemTime(now);
        const months = () => createMonths(db(), [new Date(OLD), new Date(TURN - 1), new Date(TURN)]);
        await months();
        const isThere = async () =>
          (await rows(sql`select from pg_class where relname = 'attempts_2026_08'`)).length > 0;
        const write = async (all: ReturnType<typeof anAttempt>[]) => {
          const { refused } = await writeMessages(config(), all, WRITE_LIMIT_MS);
          for (const { reason } of refused) expect(reason).toBe('outside-retention');
        };
        const sum = (maxDays?: number) => sumDue(db, new Date(now), maxDays === undefined ? {} : { maxDays });
        // One attempt that fills every table, so that none is empty at the end.
        await write([
          anAttempt({
            id: uuidv7({ msecs: TURN - 30 * HOUR_MS }),
            objectId: randomUUID(),
            clientId: 'shop',
            rule: 'closed',
            outcome: 'block',
            shadowVersion: 1,
          }),
        ]);
        for (const done of actions) {
          happened.set(done.does, (happened.get(done.does) ?? 0) + 1);
          switch (done.does) {
            case 'write':
              await write(done.some);
              if (done.twice) await write(done.some);
              break;
            case 'sum':
              await sum(done.maxDays);
              break;
            case 'sum beside writers': {
              // Some rows are not committed when the sum begins; others arrive while it runs.
              const open = await served().pool.connect();
              const late = done.some.slice(0, (await isThere()) ? 2 : 0);
              try {
                await open.query('begin');
                if (late.length > 0) await open.query(insertQuery(late));
                const sums = Array.from({ length: done.sums }, () => sum());
                await pause(done.commitMs);
                await open.query('commit');
                await Promise.all([...sums, write(done.some.slice(2))]);
              } finally {
                open.release();
              }
              break;
            }
            case 'sum killed': {
              const killed = sumDue(() => failingAt(done.at), new Date(now));
              await killed.catch((error: unknown) => expect(error).toMatchObject({ code: '22012' }));
              break;
            }
            case 'erase':
              await db().execute(
                sql`delete from attempts where object_id = ${`person-${done.person}`} and occurred_at > '2026-09-01T00:00:00Z'`,
              );
              break;
            case 'retention':
              await withGone(() =>
                Promise.all([
                  keepRetention(db(), new Date(now), RETENTION_DAYS),
                  ...(done.beside ? [sum(), sum()] : []),
                ]),
              );
              break;
            case 'mark all':
              await markAll(db(), new Date(now));
              break;
            case 'wait':
              now += done.hours * HOUR_MS;
              vi.setSystemTime(now);
          }
        }
        now = Math.max(now, TURN + 50 * HOUR_MS);
        await Promise.all([sum(), sum()]);
        expect(await sum()).toEqual({ days: 0, left: 0 });

        const wrong = await findWrong(served().pool, 'everything');
        expect(Object.entries(wrong).filter(([, differing]) => differing !== 0)).toEqual([]);
        for (const table of TABLES) {
          const [{ n = 0 } = {}] = await rows<{ n: number }>(sql`select count(*)::int as n from ${sql.raw(table)}`);
          expect([table, n > 0]).toEqual([table, true]);
        }
        for (const [{ from, hours }, [kind, value]] of ranges) {
          const a = new Date(TURN + from * HOUR_MS);
          const { aggregated, plain } = await countPeople(
            served().pool,
            { kind, value },
            a,
            new Date(a.getTime() + hours * HOUR_MS),
          );
          expect(aggregated).toBe(plain);
        }
      },
    ),
    { numRuns: HISTORIES, endOnFailure: true },
  );
  // 40 histories contain each kind of event.
  if (HISTORIES >= 40) expect(happened.size).toBe(8);
});
