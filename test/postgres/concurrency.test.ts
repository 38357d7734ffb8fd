/** Many connections at once, and statement timeouts: what PGlite cannot show. */
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { users } from '../../src/database/schema.ts';
import { sqlStateOf } from '../../src/database/sql-state.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { vacuumDaily } from '../../src/desk/aggregates/vacuum.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import { rebuildUsers } from '../../src/desk/users/rebuild-users.ts';
import { runConcurrently } from '../../src/local/postgres/concurrency.ts';
import { runSlowReport } from '../../src/local/postgres/slow-report.ts';
import { readConfig } from '../../src/platform/config.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { realDatabase } from '../support/postgres-database.ts';

const { served, db, rows } = realDatabase();
const SECONDS = 4;
const failed = (findings: Awaited<ReturnType<typeof runConcurrently>>) =>
  findings.filter(({ holds }) => !holds).map(({ claim, detail }) => `${claim}: ${detail}`);

it('every attempt is summed once while writers, sums, marks, retention and readers are concurrent', async () => {
  expect(failed(await runConcurrently(served(), SECONDS))).toEqual([]);
});

it('retention gives up its lock when a report is slow, and inserts continue', async () => {
  expect(failed(await runSlowReport(served()))).toEqual([]);
});

it('Postgres cancels a sum whose statements exceed the statement timeout', async () => {
  const at = new Date('2026-11-21T10:30:00Z');
  await keepAttempts(db(), [anAttempt({ at })]);
  const blocker = await served().pool.connect();
  try {
    await blocker.query('begin');
    await blocker.query('lock table daily_counts in access exclusive mode');
    const sum = sumDue(db, new Date('2026-11-21T12:30:00Z'), { statementLimitMs: 200 });
    await expect(sum).rejects.toMatchObject({ code: '57014' });
    const waiting = sql`select count(*)::int as n from pg_stat_activity where query ilike '%daily_counts%' and wait_event_type = 'Lock'`;
    expect(await rows(waiting)).toEqual([{ n: 0 }]);
  } finally {
    await blocker.query('rollback');
    blocker.release();
  }
  expect(await sumDue(db, new Date('2026-11-21T12:30:00Z'))).toEqual({ days: 1, left: 0 });
});

it('a rebuild of users gives up its lock when a report is slow, so that writers go on, and tries again', async () => {
  const write = async () =>
    expect(await writeMessages(readConfig({ DATABASE_URL: served().url }), [anAttempt()], 20_000)).toEqual({
      refused: [],
    });
  await write();
  const report = await served().pool.connect();
  try {
    await report.query('begin');
    await report.query('select from users');
    const refusal = await rebuildUsers(db, undefined, { attempts: 2, pauseMs: 1, lockMs: 20 }).catch(sqlStateOf);
    expect([refusal, await db().$count(users)]).toEqual(['55P03', 1]);

    const rebuilt = rebuildUsers(db, undefined, { attempts: 1_000, pauseMs: 1, lockMs: 20 });
    for (let written = 0; written < 5; written += 1) await write();
    await report.query('commit');
    expect(await rebuilt).toEqual({ users: 6, accounts: 0 });
  } finally {
    report.release();
  }
});

it('the aggregate tables are vacuumed and analysed once a day', async () => {
  const vacuumed = sql`select count(*)::int as n from pg_stat_user_tables where relname in ('daily_counts', 'visits', 'people_days')
    and last_vacuum is not null and last_analyze is not null`;
  const tomorrow = new Date(Date.now() + 86_400_000);
  expect(await vacuumDaily(db, new Date())).toBe(false);
  expect(await Promise.all([vacuumDaily(db, tomorrow), vacuumDaily(db, tomorrow)])).toContain(false);
  expect(await rows(vacuumed)).toEqual([{ n: 3 }]);
});
