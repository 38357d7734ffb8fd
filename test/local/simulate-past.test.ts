/** `npm run simulate -- --days N`: real attempts of made-up people, each written once, and counted by reports like any other. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startNeon } from '../../local/neon.ts';
import { DAY_MS } from '../../local/simulate/past/calendar.ts';
import { attemptsOfDay, fillPast } from '../../local/simulate/past/fill.ts';
import { simulate } from '../../local/simulate.ts';
import { type Attempt, isMessage } from '../../src/attempts/attempt.ts';
import { occurredAtOf } from '../../src/attempts/bounds.ts';
import { attemptRow } from '../../src/attempts/row.ts';
import { readConfig } from '../../src/config.ts';
import { summary } from '../../src/reports/queries/summary.ts';
import { sum } from '../../src/summaries/sum.ts';
import { ownDatabase } from './own-database.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const going = new AbortController().signal;
const settings = { SUPPORT_CODE_KEY: 'a key for tests, long enough to count', LOCAL: 'yes' };
/** Not too long ago to be kept. */
const YESTERDAY_NOON = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS / 2;

describe('the attempts of a day', () => {
  const config = readConfig(settings);
  /** A Wednesday: who comes on a day depends on the day, and these tests should not. */
  const NOON = Date.UTC(2026, 9, 14, 12);
  const today = Math.floor(NOON / DAY_MS);
  const daysOf = async (people: number, seed: number, nowMs: number) => {
    const past = { people, seed, nowMs, stop: going };
    const days = [today - 1, today].map((day) => attemptsOfDay(config, past, day));
    return (await Promise.all(days)).flat();
  };

  it('are ones that the queue takes, with times of that day’s visits and none later than now', async () => {
    const attempts = await daysOf(100, 1, NOON);
    expect(attempts.length).toBeGreaterThan(50);
    for (const attempt of attempts) {
      expect([isMessage(attempt), attemptRow(attempt)]).toEqual([true, expect.anything()]);
      expect(occurredAtOf(attempt.id)).toBeGreaterThanOrEqual((today - 1) * DAY_MS);
      expect(occurredAtOf(attempt.id)).toBeLessThanOrEqual(NOON);
      expect(attempt.supportCode === '').toBe(attempt.outcome === 'continue');
    }
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(attempts.length);
  });

  it('are the same at any later moment and for any larger number of people, which only add to them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: DAY_MS }),
        async (seed, people, laterMs) => {
          const before = await daysOf(people, seed, NOON);
          const after = await daysOf(people + 5, seed, NOON + laterMs);
          expect(after).toEqual(expect.arrayContaining(before));
          const fewer = await daysOf(people, seed, NOON + laterMs);
          expect(fewer.filter(({ id }) => occurredAtOf(id) <= NOON)).toEqual(before);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('of a month hold every step, every kind of reply, roles, and hours without KV', async () => {
    const past = { people: 200, seed: 1, nowMs: NOON, stop: going };
    const attempts: Attempt[] = [];
    for (let day = today - 30; day <= today; day += 1) attempts.push(...(await attemptsOfDay(config, past, day)));
    const all = <Value>(of: (attempt: Attempt) => Value) => new Set(attempts.map(of));
    expect([...all(({ step }) => step)]).toEqual(
      expect.arrayContaining(['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance']),
    );
    expect(all(({ reply }) => reply)).toEqual(new Set(['Continue', 'ShowBlockPage', 'ValidationError']));
    expect([...all(({ reason }) => reason)]).toEqual(expect.arrayContaining(['', 'not-json', 'unknown-step']));
    expect([...all(({ degraded }) => degraded)]).toContain('kv-unavailable');
    expect(attempts.some(({ roles, rolesUpdatedAt }) => roles.length > 0 && rolesUpdatedAt !== null)).toBe(true);
    expect(
      attempts.some(({ fingerprint }, index) =>
        attempts.slice(0, index).some((other) => other.fingerprint === fingerprint),
      ),
    ).toBe(true);
    const perWeekday = (weekdays: number[]) =>
      attempts.filter(({ id }) => weekdays.includes(new Date(occurredAtOf(id)).getUTCDay())).length / weekdays.length;
    expect(perWeekday([1, 2, 3, 4])).toBeGreaterThan(1.3 * perWeekday([0, 6]));
  });
});

describe('a filled database', () => {
  const database = ownDatabase();
  const config = () => readConfig({ ...settings, DATABASE_URL: database.url() });
  const past = { people: 30, seed: 5, days: 10, nowMs: YESTERDAY_NOON, stop: going };
  const count = async () => {
    const [row] = await database.rows<{ attempts: number }>(sql`select count(*)::int as attempts from attempts`);
    return row?.attempts;
  };

  it('holds as many rows as it says, and running it again adds nothing', async () => {
    const first = await fillPast(config(), past);
    expect(first).toMatchObject({
      already: 0,
      from: new Date((Math.floor(YESTERDAY_NOON / DAY_MS) - 10) * DAY_MS),
      to: new Date(YESTERDAY_NOON),
    });
    expect(first.written).toBeGreaterThan(50);
    expect(await count()).toBe(first.written);
    expect(await fillPast(config(), past)).toMatchObject({ written: 0, already: first.written });
    const more = await fillPast(config(), { ...past, days: 12 });
    expect(more.already).toBe(first.written);
    expect(await count()).toBe(first.written + more.written);
  });

  it('after a run that was cut off is completed by the next one', async () => {
    const stop = new AbortController();
    const whole = (await fillPast(config(), past)).written;
    await database.db().execute(sql`delete from attempts`);
    const cut = fillPast(config(), { ...past, stop: stop.signal });
    await vi.waitUntil(async () => ((await count()) ?? 0) > 0, { timeout: 20_000 });
    stop.abort();
    const first = await cut;
    expect(await count()).toBe(first.written);
    const second = await fillPast(config(), past);
    expect([second.already, second.written + second.already]).toEqual([first.written, whole]);
  });

  it('is summed up by reports as a plain count does, before the sums and after them', async () => {
    const { written } = await fillPast(config(), past);
    const range = {
      interval: 'day' as const,
      from: new Date(YESTERDAY_NOON - 20 * DAY_MS),
      to: new Date(YESTERDAY_NOON + DAY_MS),
    };
    const plain = await database.rows<{ step: string; outcome: string; attempts: number }>(
      sql`select step, outcome, count(*)::int as attempts from attempts group by 1, 2`,
    );
    const of = (name: 'step' | 'outcome', value: string) =>
      plain.filter((row) => row[name] === value).reduce((total, { attempts }) => total + attempts, 0);
    for (const summed of [false, true]) {
      if (summed) await sum(database.db());
      const { totals } = await summary(config(), range, {}, Date.now(), 30_000);
      expect(totals.attempts).toBe(written);
      for (const [step, attempts] of Object.entries(totals.byStep)) expect(attempts, step).toBe(of('step', step));
      for (const [outcome, attempts] of Object.entries(totals.byOutcome))
        expect(attempts, outcome).toBe(of('outcome', outcome));
    }
  });

  it('by the command says what was written, for how long, and when the sums follow', async () => {
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
    expect(await simulate(['--days', '3', '--people', '20', '--database-url', database.url()])).toBe(0);
    expect(printed.join('\n')).toContain(`${await count()} attempts written: `);
    expect(printed.join('\n')).toContain('sums follow');
  });
});

describe('refused before anything is written', () => {
  it('is a database that is not on this machine, does not answer or has no tables, and more days than are kept', async () => {
    const far = 'postgres://user:password@ep-cool-1.eu-central-1.aws.neon.tech/neondb';
    vi.spyOn(console, 'log').mockImplementation(() => undefined);
    vi.stubEnv('DATABASE_URL', far);
    await expect(simulate(['--days', '1'])).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/on this machine.*(?<!password)$/s),
    });
    await expect(simulate(['--days', '91', '--database-url', 'postgres://a:b@localhost:9/c'])).rejects.toMatchObject({
      message: expect.stringContaining('90 days'),
    });
    await expect(simulate(['--days', '1', '--database-url', 'postgres://a:b@127.0.0.1:49151/c'])).rejects.toMatchObject(
      {
        message: expect.stringContaining('npm run dev'),
      },
    );
    const empty = await startNeon();
    await expect(simulate(['--days', '1', '--database-url', empty.url])).rejects.toMatchObject({
      message: expect.stringContaining('npm run migrate'),
    });
    await empty.close();
  });
});
