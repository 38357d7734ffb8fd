/** "Is the log itself complete for that hour?", as a support agent asks. */
import { env } from 'cloudflare:workers';
import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import { moveToDeadLetters } from '../../src/desk/consume/dead-letters.ts';
import type { CompletenessReport } from '../../src/desk/reports/completeness.ts';
import type { Summary } from '../../src/desk/reports/summary.ts';
import { configOf } from '../../src/platform/config.ts';
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt } from '../support/attempt.ts';
import { NEON_AWAY } from '../support/call.ts';
import { keep, type Problem, report, reportWith } from '../support/reports-call.ts';

async function answered<Answer>(path: string): Promise<Answer> {
  const response = await report(path);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

/** An hour that no other test writes to. */
const START = Math.floor(Date.now() / DAY_MS) * DAY_MS - 53 * DAY_MS + 3 * HOUR_MS;
const iso = (ms: number) => new Date(ms).toISOString();

test('question 30: the summary of an hour leads to whether the log is complete, in a sentence and by hour', async () => {
  const isolate = uuidv7({ msecs: START });
  const numbered = (sequence: number, after: number) =>
    anAttempt({ at: new Date(START + after), isolate, sequence, objectId: '' });
  const dead = numbered(3, 20_000);
  await keep(numbered(1, 0), numbered(2, 10_000), numbered(4, 30_000), numbered(6, HOUR_MS + 1));
  await moveToDeadLetters(env.GATEHOUSE, configOf(env), dead.id, '22021', dead);

  const hour = await answered<Summary>(`/summary?from=${iso(START)}&to=${iso(START + HOUR_MS)}`);
  expect(hour.completeness).toBe(`/reports/completeness?from=${iso(START)}&to=${iso(START + HOUR_MS)}`);
  const complete = await answered<CompletenessReport>(hour.completeness.slice('/reports'.length));
  const counts = { stored: 3, unnumbered: 0, gaps: 0, unsure: 0, refused: 0, deadLetters: 1 };
  expect(complete).toMatchObject({ status: 'incomplete', from: iso(START), to: iso(START + HOUR_MS), totals: counts });
  expect(complete.verdict).toBe(
    `Incomplete: 1 message is a dead letter (hour from ${iso(START).slice(0, 16).replace('T', ' ')} UTC), which an administrator can read and write again.`,
  );
  expect(complete.hours).toEqual([{ start: iso(START), ...counts }]);
  expect(complete.cannotSee).toContain('the last calls of an isolate that died cannot be seen');

  const next = await answered<CompletenessReport>(
    `/completeness?from=${iso(START + HOUR_MS)}&to=${iso(START + 2 * HOUR_MS)}`,
  );
  expect(next).toMatchObject({ status: 'incomplete', totals: { stored: 1, gaps: 1, deadLetters: 0 } });
  expect(next.verdict).toMatch(/^Incomplete: 1 attempt is lost \(hour from /);
});

test('without parameters the answer has the hours of the last day up to now, and what the queues and sums have', async () => {
  const now = Date.now();
  const answer = await answered<CompletenessReport>('/completeness');
  expect(answer.hours.length).toBeGreaterThanOrEqual(24);
  expect(answer.hours.length).toBeLessThanOrEqual(26);
  expect(answer.hours[0]?.start).toBe(iso(Math.floor(now / HOUR_MS - 24) * HOUR_MS));
  // Wrangler's `queue.metrics()`.
  expect(answer.waiting.messages).toBeGreaterThanOrEqual(0);
  expect(answer.waiting.longer).toBe(0);
  expect(Date.parse(answer.summedUntil ?? iso(0))).toBeLessThanOrEqual(now);
  const week = await answered<Summary>('/summary');
  const whole = await answered<CompletenessReport>(week.completeness.slice('/reports'.length));
  expect(whole.from).toBe(week.from);
  expect((await answered<Summary>('/summary?from=-300d&interval=day')).completeness).toMatch(/from=20.*&to=20/);
});

test('a range that cannot be answered is refused with the reason, and an unavailable database says so', async () => {
  const refused = async (query: string) => {
    const response = await report(`/completeness${query}`);
    const { errors = [] } = (await response.json()) as Problem;
    return [response.status, errors[0]?.path];
  };
  expect(await refused('?from=-9d')).toEqual([400, 'from']);
  expect(await refused('?from=2150-01-01')).toEqual([400, 'from']);
  expect(await refused('?from=today&to=yesterday')).toEqual([400, 'from']);
  expect(await refused('?tz=Europe/Berlim')).toEqual([400, 'tz']);
  expect(await refused('?from=2026-11-21T08:00')).toEqual([400, 'from']);
  expect(await refused('?clientId=x')).toEqual([400, '']);
  expect((await reportWith(NEON_AWAY, '/completeness')).status).toBe(503);
  const { coverage } = (await (await reportWith({ WAITING: undefined }, '/completeness')).json()) as CompletenessReport;
  expect(coverage.join(' ')).toContain('The queue did not say');
});
