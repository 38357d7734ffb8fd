import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { occurredAtOf } from '../../src/attempts/text-limits.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { listChanges } from '../../src/desk/audit/changes.ts';
import { changesQuestion } from '../../src/desk/audit/changes-question.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import { readiness } from '../../src/desk/health/database-state.ts';
import { type Place, usersFile } from '../../src/desk/reports/csv.ts';
import { type AttemptList, findAttempt, listAttempts } from '../../src/desk/reports/queries/attempts.ts';
import { findPerson } from '../../src/desk/reports/queries/find-person.ts';
import { summary } from '../../src/desk/reports/queries/summary-counts.ts';
import { pagesOfUsers } from '../../src/desk/reports/queries/users.ts';
import { attemptsQuestion, personQuestion } from '../../src/desk/reports/questions.ts';
import { LIST_LIMITS, type ListLimits } from '../../src/desk/reports/spans.ts';
import { usersFileQuestion } from '../../src/desk/reports/users-question.ts';
import { readConfig } from '../../src/platform/config.ts';
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { empty, ownDatabase } from '../support/own-database.ts';

const { db, url } = ownDatabase();
const config = () => readConfig({ DATABASE_URL: url() });
const start = Math.floor(Date.now() / DAY_MS - 8) * DAY_MS;
const iso = (ms: number) => new Date(ms).toISOString();
const timeOf = ({ id }: Attempt) => occurredAtOf(id);

const list = async (asked: object, limits: ListLimits) =>
  listAttempts(config(), await attemptsQuestion.parseAsync(asked), Date.now(), limits);

/** Reads every page of a list, and checks `next` and `searchedTo` of each. */
async function pagesOf(asked: { limit: number }, limits: ListLimits): Promise<AttemptList[]> {
  const pages: AttemptList[] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await list(cursor === undefined ? asked : { ...asked, cursor }, limits);
    expect(page.attempts.length).toBeLessThanOrEqual(asked.limit);
    const isShort = page.attempts.length < asked.limit;
    if (page.next !== undefined && isShort) expect(page.searchedTo).toBeDefined();
    if (page.searchedTo !== undefined) expect(page.next).toBeDefined();
    for (const { occurredAt } of page.attempts) expect(occurredAt >= (page.searchedTo ?? '')).toBe(true);
    pages.push(page);
    cursor = page.next;
    expect(pages.length).toBeLessThan(500);
  }
  return pages;
}

const attempts = fc
  .record({
    // Some at the same moment, on the hour and at midnight.
    at: fc
      .oneof(
        fc.integer({ min: start, max: start + 5 * DAY_MS }),
        fc.constantFrom(start + DAY_MS, start + 2 * DAY_MS, start + 2 * DAY_MS + HOUR_MS),
      )
      .map((ms) => new Date(ms)),
    step: fc.constantFrom('PreTokenIssuance', 'PostFederationSignup'),
    outcome: fc.constantFrom('continue' as const, 'continue' as const, 'block' as const),
    rule: fc.constantFrom('', 'no-mail', 'closed'),
    clientId: fc.constantFrom('', 'shop', 'forum'),
    issuer: fc.constantFrom('', 'google.com'),
    objectId: fc.constantFrom('', 'ada', 'grace'),
    shadowVersion: fc.constantFrom(0, 7),
    shadowDiffers: fc.boolean(),
  })
  .map((changed) => anAttempt(changed));

const given = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const questions = fc.record({
  step: given(fc.constantFrom('PreTokenIssuance', 'PostFederationSignup')),
  outcome: given(fc.constantFrom('continue', 'block')),
  clientId: given(fc.constantFrom('shop', 'unknown')),
  issuer: given(fc.constantFrom('google.com', 'nowhere.com')),
  rule: given(fc.constantFrom('no-mail', 'none')),
  objectId: given(fc.constantFrom('ada', 'grace')),
  shadow: given(fc.constantFrom('differs', 'same')),
  from: fc.integer({ min: start - DAY_MS, max: start + 3 * DAY_MS }).map(iso),
  to: given(fc.integer({ min: start + 3 * DAY_MS + 1, max: start + 6 * DAY_MS }).map(iso)),
  limit: fc.integer({ min: 1, max: 4 }),
});

function plainList(stored: readonly Attempt[], { from, to, limit: _, shadow, ...filters }: Record<string, unknown>) {
  return stored
    .filter((attempt) => timeOf(attempt) >= Date.parse(String(from)))
    .filter((attempt) => to === undefined || timeOf(attempt) < Date.parse(String(to)))
    .filter((attempt) =>
      Object.entries(filters).every(
        ([name, value]) =>
          value === undefined || Object.entries(attempt).some(([key, own]) => key === name && own === value),
      ),
    )
    .filter(
      ({ shadowVersion, shadowDiffers }) =>
        shadow === undefined || (shadowVersion > 0 && shadowDiffers === (shadow === 'differs')),
    )
    .sort((a, b) => timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);
}

test('the pages of a list contain every match once, newest first, for any limits and any state of the aggregates', async () => {
  let early = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(attempts, { maxLength: 40 }),
      fc.array(attempts, { maxLength: 12 }),
      fc.integer({ min: start, max: start + 6 * DAY_MS }),
      fc.array(questions, { minLength: 1, maxLength: 4 }),
      fc.record({
        attempts: fc.integer({ min: 1, max: 12 }),
        rows: fc.integer({ min: 1, max: 5 }),
        stretches: fc.integer({ min: 1, max: 3 }),
      }),
      async (old, recent, until, asked, limits) => {
        await empty(db());
        await keepAttempts(db(), old);
        await sumDue(db, new Date(until));
        await keepAttempts(db(), recent);
        for (const question of asked) {
          const pages = await pagesOf(question, limits);
          const ids = pages.flatMap((page) => page.attempts.map(({ id }) => id));
          expect(ids).toEqual(plainList([...old, ...recent], question));
          early += pages.filter(({ searchedTo }) => searchedTo !== undefined).length;
        }
      },
    ),
    { numRuns: 20 },
  );
  expect(early).toBeGreaterThan(0);
});

/** Questions with many matches: one filter, or none. */
const countable = fc
  .record({
    filter: fc.constantFrom(
      {},
      { outcome: 'continue' },
      { clientId: 'shop' },
      { rule: 'no-mail' },
      { objectId: 'ada' },
    ),
    and: fc.constantFrom({}, {}, { step: 'PreTokenIssuance' }),
    limit: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ filter, and, limit }) => ({ ...filter, ...and, limit, from: iso(start - DAY_MS) }));

test('the number of matches of a list is exact or left out, for any limits and any state of the aggregates', async () => {
  const seen = { counted: 0, leftOut: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(attempts, { minLength: 20, maxLength: 40 }),
      fc.array(attempts, { maxLength: 12 }),
      fc.integer({ min: start, max: start + 6 * DAY_MS }),
      fc.array(countable, { minLength: 1, maxLength: 4 }),
      fc.record({
        attempts: fc.integer({ min: 1, max: 60 }),
        rows: fc.integer({ min: 1, max: 20 }),
        stretches: fc.integer({ min: 1, max: 5 }),
      }),
      async (old, recent, until, asked, limits) => {
        await empty(db());
        await keepAttempts(db(), old);
        await sumDue(db, new Date(until));
        await keepAttempts(db(), recent);
        for (const question of asked) {
          const parsed = await attemptsQuestion.parseAsync(question);
          const { matches, next } = await listAttempts(config(), parsed, Date.now(), LIST_LIMITS, limits);
          if (matches === undefined || 'leftOut' in matches) {
            expect(matches).toBeDefined();
            seen.leftOut += 1;
          } else {
            expect(matches).toEqual({ count: plainList([...old, ...recent], question).length, isMore: false });
            seen.counted += next === undefined ? 0 : 1;
          }
        }
      },
    ),
    { numRuns: 20 },
  );
  expect(seen.counted).toBeGreaterThan(0);
  expect(seen.leftOut).toBeGreaterThan(0);
});

test('a late attempt is listed before it is summed, even if the aggregates of its day have no match', async () => {
  await keepAttempts(db(), [anAttempt({ clientId: 'shop', at: new Date(start) })]);
  await sumDue(db, new Date());
  const late = [
    anAttempt({ clientId: 'forum', at: new Date(start + DAY_MS) }),
    anAttempt({ clientId: 'forum', at: new Date(start + 1) }),
  ];
  await keepAttempts(db(), late);
  const { attempts: listed, next } = await list({ clientId: 'forum', from: iso(start), limit: 50 }, LIST_LIMITS);
  expect(listed.map(({ id }) => id)).toEqual(late.map(({ id }) => id));
  expect(next).toBeUndefined();
});

test('a list continues past attempts that were deleted but are still in the aggregates', async () => {
  const stored = [1, 2, 3, 4].map((day) => anAttempt({ clientId: 'shop', at: new Date(start + day * DAY_MS) }));
  await keepAttempts(db(), stored);
  await sumDue(db, new Date());
  const [oldest] = stored;
  await db().execute(sql`delete from attempts where id <> ${oldest?.id}::uuid`);
  await db().execute(sql`update dirty_hours set summed = marks`);
  const asked = { clientId: 'shop', limit: 1, from: iso(start) };
  const first = await list(asked, LIST_LIMITS);
  expect(first).toMatchObject({ attempts: [], next: expect.any(String) });
  expect(first.searchedTo).toBe(iso(start + 3 * DAY_MS));
  const ids = (await pagesOf(asked, LIST_LIMITS)).flatMap((page) => page.attempts.map(({ id }) => id));
  expect(ids).toEqual([oldest?.id]);
});

test('each page of a file of users takes the same few requests, and a file takes fewer than the 50 that a call may make', async () => {
  const people = Array.from({ length: 7 }, () => anAttempt({ idpKey: `idp:x.example:${crypto.randomUUID()}` }));
  expect(await writeMessages(config(), people, 20_000)).toEqual({ refused: [] });
  const sent = vi.spyOn(globalThis, 'fetch');
  const requests: number[] = [];
  const page = pagesOfUsers(config(), await usersFileQuestion.parseAsync({ issuer: 'x.example' }), 2);
  const counted = async (after: Parameters<typeof page>[0]) => {
    const before = sent.mock.calls.length;
    const answer = await page(after);
    requests.push(sent.mock.calls.length - before);
    return answer;
  };
  const whole = async (pieces: AsyncIterable<string>) => {
    let text = '';
    for await (const piece of pieces) text += piece;
    return text;
  };
  const fail = (error: unknown) => expect.unreachable(String(error));
  const at = (place: Place | undefined) =>
    place && { ...place, occurredAt: new Date(place.occurredAt), from: undefined };
  const file = await whole(usersFile((place) => counted(at(place)), undefined, fail));
  sent.mockRestore();
  for (const { objectId } of people) expect(file.split(objectId)).toHaveLength(2);
  // The names of applications are read once.
  expect(requests).toEqual([5, 4, 4, 4]);

  let pages = 0;
  const endless = async () => {
    pages += 1;
    return { rows: [], more: true, searchedTo: new Date() };
  };
  expect(await whole(usersFile(endless, undefined, fail))).toContain('TRUNCATED after 0 rows');
  // One more a page where over 2,000 users have a name or an address.
  expect(1 + pages * 5).toBeLessThan(50);
});

test('every statement of every report has a statement timeout in Postgres', async () => {
  const sent = vi.spyOn(globalThis, 'fetch');
  const range = { interval: 'day' as const, from: new Date(start), to: new Date(start + DAY_MS) };
  await list({ clientId: 'shop', from: iso(start), limit: 1 }, LIST_LIMITS);
  await list({ objectId: 'ada', rule: 'no-mail', limit: 1 }, LIST_LIMITS);
  await findAttempt(config(), anAttempt().id);
  await findPerson(config(), await personQuestion.parseAsync({ key: 'email:ada@example.com' }), Date.now());
  await summary(config(), range, { clientId: 'shop', rule: 'no-mail' }, Date.now(), { ms: 1_234 });
  await readiness(config(), 1_000);
  await listChanges(config(), await changesQuestion.parseAsync({}));
  const limits = sent.mock.calls.map(([, init]) => {
    const { queries = [] } = JSON.parse(String(init?.body)) as { queries?: { query: string }[] };
    const settings = queries.slice(0, -1).map(({ query }) => query);
    return /set_config\('statement_timeout', '(\d+)', true\)/.exec(settings.join())?.[1];
  });
  sent.mockRestore();
  expect(limits.length).toBeGreaterThan(10);
  expect(limits.filter((limit) => limit === '1234').length).toBeGreaterThanOrEqual(3);
  expect(limits.filter((limit) => limit === undefined)).toEqual([]);
});
