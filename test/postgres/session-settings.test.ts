/** What an operator sets on a role or a database changes no answer: how Postgres writes times, and its time zone. */
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { connect } from '../../src/database/connect.ts';
import { keepRetention } from '../../src/database/retention.ts';
import { markAll } from '../../src/desk/aggregates/rebuild.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { vacuumDaily } from '../../src/desk/aggregates/vacuum.ts';
import { listChanges } from '../../src/desk/audit/changes.ts';
import { changesQuestion } from '../../src/desk/audit/changes-question.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import { readiness } from '../../src/desk/health/database-state.ts';
import { versionsIn } from '../../src/desk/policies/versions.ts';
import { listAttempts } from '../../src/desk/reports/queries/attempts.ts';
import { findPerson } from '../../src/desk/reports/queries/find-person.ts';
import { summary } from '../../src/desk/reports/queries/summary-counts.ts';
import { attemptsQuestion, personQuestion } from '../../src/desk/reports/questions.ts';
import { summaryRange } from '../../src/desk/reports/range.ts';
import type { Summary } from '../../src/desk/reports/summary.ts';
import { type Served, servePostgres } from '../../src/local/postgres/served.ts';
import { type Config, readConfig } from '../../src/platform/config.ts';
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt } from '../support/attempt.ts';
import { realDatabase } from '../support/postgres-database.ts';

const { served, db, rows } = realDatabase();
/** A day and a month that are both up to 12: read as 11 June when the order is wrong. */
const NOW = Date.parse('2026-11-06T11:50:00Z');
const PERSON = '0f8fad5b-d9cb-469f-a165-70867728950e';

let strange: Served | undefined;
let role = '';

/** A connection of a role of its own, which has these settings. The other connections keep Postgres's. */
async function connectionWith(settings: readonly string[]): Promise<Served> {
  role = `${served().name}_role`;
  await db().execute(sql.raw(`create role ${role} superuser login password 'local'`));
  for (const setting of settings) await db().execute(sql.raw(`alter role ${role} set ${setting}`));
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${served().name}`;
  url.username = role;
  strange = await servePostgres(url.href);
  return strange;
}
afterEach(async () => {
  await strange?.close();
  await db().execute(sql.raw(`reassign owned by ${role} to current_user`));
  await db().execute(sql.raw(`drop role ${role}`));
});

const configFor = (url: string) => readConfig({ DATABASE_URL: url, SUPPORT_CODE_KEY: 'k'.repeat(40) });
/** Late in the evening and early in the morning, so that a time zone moves them to another day. */
const times = [0, 26, 27, 50, 51, 74, 170, 171].map((hours) => new Date(NOW - 12 * HOUR_MS - hours * HOUR_MS));

async function fill(config: Config) {
  const attempts = times.map((at, nth) =>
    anAttempt({
      at,
      objectId: nth % 2 === 0 ? PERSON : crypto.randomUUID(),
      clientId: 'app',
      outcome: nth % 3 === 0 ? 'block' : 'continue',
      rolesUpdatedAt: new Date(NOW - nth * DAY_MS).toISOString(),
      keptClaims: { age: 42 },
    }),
  );
  const change = {
    kind: 'change' as const,
    v: 1 as const,
    changedBy: 'a',
    subject: 'oid:x',
    before: null,
    after: null,
  };
  const changes = times.map((at) => ({ ...change, id: anAttempt({ at }).id }));
  expect(await writeMessages(config, [...attempts, ...changes], 20_000)).toEqual({ refused: [] });
  await versionsIn(config).addVersion(
    {
      number: 1,
      use: 'active',
      sample: null,
      author: 'a',
      note: '',
      createdAt: new Date(NOW),
      rules: 0,
      lists: 0,
      messages: 0,
      text: '{"rules":[]}',
    },
    {
      id: anAttempt({ at: new Date(NOW) }).id,
      occurredAt: new Date(NOW),
      changedBy: 'a',
      subject: 'policy',
      before: null,
      after: { version: 1 },
    },
  );
}

const DAYS_OF_SUMS = sql`select json_agg(row order by row::text)::text as sums from (
  select to_jsonb(daily_counts) as row from daily_counts union all select to_jsonb(daily_durations) from daily_durations
  union all select to_jsonb(daily_facets) from daily_facets union all select to_jsonb(people_days) from people_days
  union all select jsonb_build_array(extract(epoch from hour), attempts, outcome) from hourly_totals
  union all select jsonb_build_array(extract(epoch from hour), person, extract(epoch from nullif(previous, '-infinity'))) from visits
) as every`;
/** Read by epoch, through a connection with Postgres's own settings. */
const STORED = sql`select (extract(epoch from occurred_at) * 1000)::float8 as at,
  (extract(epoch from roles_updated_at) * 1000)::float8 as roles from attempts order by occurred_at`;

/** All pages of a list. */
async function pages<Page extends { next?: string }>(read: (cursor: object) => Promise<Page>): Promise<Page[]> {
  const all: Page[] = [];
  for (let cursor = {}; all.length < 20; ) {
    const page = await read(cursor);
    all.push(page);
    if (page.next === undefined) return all;
    cursor = { cursor: page.next };
  }
  throw new Error('The pages do not end.');
}

/** Without the time at which it was made, which must be now. */
function timeless({ asOf, ...summary }: Summary) {
  expect(Math.abs(Date.parse(asOf) - Date.now())).toBeLessThan(HOUR_MS);
  return summary;
}

async function answers(config: Config) {
  const range = summaryRange({ from: new Date(NOW - 9 * DAY_MS), interval: 'hour' }, NOW);
  const byDay = summaryRange({ from: new Date(NOW - 9 * DAY_MS), interval: 'day' }, NOW);
  if (typeof range === 'string' || typeof byDay === 'string') throw new Error('no range');
  const from = new Date(NOW - 30 * DAY_MS).toISOString();
  const to = new Date(NOW + HOUR_MS).toISOString();
  const versions = versionsIn(config);
  const { oldestUnsummedSeconds: _, ...ready } = await readiness(config, 30_000);
  return {
    list: await pages(async (cursor) =>
      listAttempts(config, await attemptsQuestion.parseAsync({ from, to, limit: 3, ...cursor }), NOW),
    ),
    person: await pages(async (cursor) =>
      findPerson(config, await personQuestion.parseAsync({ key: `oid:${PERSON}`, limit: 2, ...cursor }), NOW),
    ),
    summary: timeless(await summary(config, range, {}, NOW)),
    byDay: timeless(await summary(config, byDay, { clientId: 'app' }, NOW)),
    changes: await pages(async (cursor) =>
      listChanges(config, await changesQuestion.parseAsync({ limit: 3, ...cursor })),
    ),
    versions: [await versions.readPresent(), await versions.readVersion(1), await versions.listVersions(5, undefined)],
    ready,
  };
}

const SETTINGS = [
  ["datestyle = 'SQL, DMY'"],
  ["datestyle = 'German'"],
  ["datestyle = 'Postgres, MDY'", "timezone = 'Asia/Kolkata'"],
  ["datestyle = 'ISO, DMY'", "timezone = 'Pacific/Kiritimati'"],
  ["intervalstyle = 'iso_8601'", "timezone = 'America/St_Johns'"],
  ["bytea_output = 'escape'", 'extra_float_digits = -15', "intervalstyle = 'sql_standard'"],
];

describe.each(SETTINGS)('a database with %s', (...settings) => {
  it('stores, sums and keeps what one with the default settings does, and gives the same answers', async () => {
    const [theirs, ours] = [configFor((await connectionWith(settings)).url), configFor(served().url)];
    const open = (config: Config) => () => connect(config.DATABASE_URL, 30_000).db;
    await fill(theirs);
    const stored = await rows<{ at: number; roles: number }>(STORED);
    expect(stored).toEqual(
      times.map((at, nth) => ({ at: at.getTime(), roles: NOW - nth * DAY_MS })).sort((one, other) => one.at - other.at),
    );
    expect(await sumDue(open(theirs), new Date(NOW))).toMatchObject({ left: 0 });
    const summed = await rows(DAYS_OF_SUMS);
    expect(await answers(theirs)).toEqual(await answers(ours));

    expect(await markAll(open(theirs)(), new Date(NOW))).toBe(await markAll(open(ours)(), new Date(NOW)));
    await sumDue(open(ours), new Date(NOW));
    expect(await rows(DAYS_OF_SUMS)).toEqual(summed);
    await vacuumDaily(open(theirs), new Date(Date.now() + 2 * DAY_MS));

    // 170 days later, all attempts are past their retention.
    const later = new Date(NOW + 170 * DAY_MS);
    await sumDue(open(theirs), later);
    expect(await keepRetention(open(theirs)(), later, 30)).toMatchObject({
      dropped: expect.arrayContaining(['attempts_2026_10', 'attempts_2026_11']),
      held: [],
      complete: true,
    });
  });
});
