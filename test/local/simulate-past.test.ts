/** `npm run simulate -- --days N`: writes attempts of made-up people once each, and reports count them. */

import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyVersions } from '../../src/database/schema.ts';
import { summary } from '../../src/desk/reports/queries/summary-counts.ts';
import { listUsers } from '../../src/desk/reports/queries/users.ts';
import { SUMMARY_PARTS } from '../../src/desk/reports/summary-parts.ts';
import { usersQuestion } from '../../src/desk/reports/users-question.ts';
import { attemptsOfDay, fillPast, firstDayOf } from '../../src/local/simulate/past/fill-past.ts';
import { builtInInForce, policyInForce } from '../../src/local/simulate/past/policy-in-force.ts';
import { main } from '../../src/local/simulate.ts';
import { readConfig } from '../../src/platform/config.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import { ownDatabase } from '../support/own-database.ts';

const notAborted = new AbortController().signal;
const settings = { SUPPORT_CODE_KEY: 'a key for tests, long enough to count', LOCAL: 'yes' };
/** Runs the program and returns its output. */
async function simulate(args: string[]) {
  let printed = '';
  const write = (text: string | Uint8Array) => {
    printed += text;
    return true;
  };
  return { exitCode: await main(args, { stdout: { write }, stderr: { write } }), printed };
}

describe('the simulated attempts of a day', () => {
  const config = readConfig(settings);
  /** A fixed Wednesday, since visits depend on the day. */
  const NOON = Date.UTC(2026, 9, 14, 12);
  const today = Math.floor(NOON / DAY_MS);
  const daysOf = async (days: number, people: number, seed: number, nowMs: number) => {
    const past = { people, seed, nowMs, stop: notAborted };
    const all = Array.from({ length: days }, (_, ago) => attemptsOfDay(builtInInForce(config), past, today - ago));
    return (await Promise.all(all)).flat();
  };

  it('are the same at any later time, and more people only add to them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: DAY_MS }),
        async (seed, people, laterMs) => {
          const before = await daysOf(2, people, seed, NOON);
          expect(await daysOf(2, people + 5, seed, NOON + laterMs)).toEqual(expect.arrayContaining(before));
          const later = await daysOf(2, people, seed, NOON + laterMs);
          expect(later.filter(({ atMs }) => atMs <= NOON)).toEqual(before);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('are about twenty a person in a month, with every step, every kind of reply, roles, and hours without KV', async () => {
    const made = await daysOf(30, 200, 1, NOON);
    const attempts = made.map(({ attempt }) => attempt);
    expect(attempts.length / 200).toBeGreaterThan(15);
    expect(attempts.length / 200).toBeLessThan(25);
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(attempts.length);
    for (const ofIsolate of Map.groupBy(attempts, ({ isolate }) => isolate).values())
      expect(ofIsolate.map(({ sequence }) => sequence)).toEqual(ofIsolate.map((_, index) => index + 1));
    for (const { atMs } of made) expect(atMs > (today - 30) * DAY_MS && atMs <= NOON).toBe(true);
    for (const { supportCode, outcome } of attempts) expect(supportCode === '').toBe(outcome === 'continue');
    const all = (of: (attempt: (typeof attempts)[number]) => string) => [...new Set(attempts.map(of))];
    const holding = (...values: string[]) => expect.arrayContaining(values);
    expect(all(({ step }) => step)).toEqual(
      holding(
        'PostFederationSignup',
        'PostAttributeCollection',
        'PreTokenIssuance',
        'SignInStarted',
        'SignInCompleted',
      ),
    );
    expect(all(({ reply }) => reply).toSorted()).toEqual(['Claims', 'Continue', 'ShowBlockPage', 'ValidationError']);
    expect(all(({ reason }) => reason)).toEqual(holding('', 'not-json', 'unknown-step'));
    expect(all(({ degraded }) => degraded)).toEqual(holding('kv-unavailable'));
    expect(attempts.some(({ roles, rolesUpdatedAt }) => roles.length > 0 && rolesUpdatedAt !== null)).toBe(true);
    // B2C's retry of a call has the same fingerprint.
    expect(all(({ fingerprint }) => fingerprint).length).toBeLessThan(attempts.length);
    const perDay = (weekdays: number[]) =>
      made.filter(({ atMs }) => weekdays.includes(new Date(atMs).getUTCDay())).length / weekdays.length;
    expect(perDay([1, 2, 3, 4])).toBeGreaterThan(1.3 * perDay([0, 6]));
  });
});

describe('npm run simulate -- --days', () => {
  const database = ownDatabase({ isAlone: true });
  const config = () => readConfig({ ...settings, DATABASE_URL: database.url() });
  /** Recent enough to be stored. */
  const YESTERDAY_NOON = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS / 2;
  const past = { people: 30, seed: 5, days: 10, nowMs: YESTERDAY_NOON, stop: notAborted };
  const count = async () => {
    const [row] = await database.rows<{ attempts: number }>(sql`select count(*)::int as attempts from attempts`);
    return row?.attempts ?? 0;
  };

  it('writes the number of rows that it prints, reports count them, and running it again adds nothing', async () => {
    const from = firstDayOf(10, YESTERDAY_NOON);
    const policy = await policyInForce(config(), from);
    const first = await fillPast(policy, past);
    expect(first).toMatchObject({ already: 0, from, to: new Date(YESTERDAY_NOON) });
    expect(first.written).toBeGreaterThan(50);
    expect(await count()).toBe(first.written);
    const range = { interval: 'day', from, to: new Date(YESTERDAY_NOON + DAY_MS) } as const;
    const { totals, signIns: counted } = await summary(config(), range, {}, Date.now(), { ms: 30_000 });
    expect(totals.attempts).toBe(first.written);
    const signIns = Object.entries(counted ?? {}).filter(([, count]) => count > 0);
    expect(signIns.map(([name]) => name)).toEqual(['completed', 'abandoned', 'withoutStart']);

    const args = ['--days', '12', '--people', '30', '--seed', '5', '--database-url', database.url()];
    const { exitCode, printed } = await simulate(args);
    expect(exitCode).toBe(0);
    expect(printed).toContain(
      `${(await count()) - first.written} attempts written, ${first.written} exist from an earlier run`,
    );
    expect(await fillPast(policy, past)).toMatchObject({ written: 0 });
  });

  it('fills every breakdown and part of a summary of its days, under a sample policy where none was saved', async () => {
    const { exitCode, printed } = await simulate(['--days', '30', '--people', '80', '--database-url', database.url()]);
    expect({ exitCode, printed }).toEqual({ exitCode: 0, printed: expect.stringContaining('made up by npm run') });
    const now = Date.now();
    const range = { interval: 'day', from: firstDayOf(30, now), to: new Date(now) } as const;
    const shown = await summary(config(), range, {}, now, { ms: 30_000 }, SUMMARY_PARTS);
    const lists = Object.entries({ ...shown, peopleByRule: shown.people?.byRule }).filter(
      ([name, value]) => Array.isArray(value) && name !== 'coverage',
    );
    expect(lists.filter(([, list]) => (list as unknown[]).length === 0)).toEqual([]);
    expect(lists.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'byDegraded',
        'byFailedRule',
        'byPolicyVersion',
        'minutes',
        'peopleByRule',
        'refusedCalls',
      ]),
    );
    expect(shown.byApplication.map(({ application }) => application)).toEqual(
      expect.arrayContaining(['Shop', undefined]),
    );
    const { users, matches } = await listUsers(config(), await usersQuestion.parseAsync({}));
    expect([users.length, matches !== undefined]).toEqual([50, true]);
  });

  it('plays the policy in force: its blocks, validation errors and rules are in the attempts', async () => {
    const document = {
      messages: { no: { en: 'No. {supportCode}' } },
      rules: [
        { id: 'young', steps: ['PostFederationSignup'], when: "request.locale.startsWith('d')", block: 'no' },
        { id: 'tidy', steps: ['PostAttributeCollection'], when: "request.locale.startsWith('e')", invalid: 'no' },
      ],
    };
    await database
      .db()
      .insert(policyVersions)
      .values({
        number: 4,
        use: 'active',
        author: 'admin',
        note: '',
        createdAt: new Date(),
        rules: 2,
        lists: 0,
        messages: 1,
        document: sql`${JSON.stringify(document)}::json`,
      });
    const { exitCode, printed } = await simulate(['--days', '9', '--people', '60', '--database-url', database.url()]);
    expect({ exitCode, printed }).toEqual({
      exitCode: 0,
      printed: expect.stringContaining('under version 4 of the policy'),
    });
    const rules = await database.rows<{ rule: string; outcome: string }>(
      sql`select distinct rule, outcome from attempts where rule <> '' order by 1`,
    );
    expect(rules).toEqual(
      expect.arrayContaining([
        { rule: 'tidy', outcome: 'invalid' },
        { rule: 'young', outcome: 'block' },
      ]),
    );
  });

  // This test must be the last: it drops the table.
  it('refuses a database without Gatehouse’s tables, with advice', async () => {
    await database.db().execute(sql`drop table attempts`);
    const refused = await simulate(['--days', '1', '--database-url', database.url()]);
    expect(refused).toEqual({ exitCode: 1, printed: expect.stringContaining('npm run migrate') });
  });
});

describe('npm run simulate -- --days refuses', () => {
  it.each([
    [
      'a database that is not on this machine',
      'postgres://user:password@ep-cool-1.neon.tech/neondb',
      '1',
      2,
      'on this machine',
    ],
    ['more days than the retention', 'postgres://a:b@localhost:9/c', '91', 2, '90 days'],
    ['a database that does not answer', 'postgres://a:b@127.0.0.1:49151/c', '1', 1, 'npm run dev'],
  ])('%s', async (_, url, days, exitCode, named) => {
    const refused = await simulate(['--days', days, '--database-url', url]);
    expect(refused).toEqual({ exitCode, printed: expect.stringContaining(named) });
    expect(refused.printed).not.toContain('password@');
  });
});
