/** Migration from the hourly aggregates of commit 4b48434 to the daily ones. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from '../../src/cli/migrate-command.ts';
import { connect } from '../../src/database/connect.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import type { LocalNeon } from '../../src/local/neon.ts';
import { startEmptyNeon } from '../support/migrated-neon.ts';

const ROOT = join(import.meta.dirname, '../..');
const LIMIT_MS = 60_000;
/** Number of migrations in the database of 4b48434. */
const BEFORE = 3;
const OLD_SUM = readFileSync(join(ROOT, 'test/fixtures/databases/sum-4b48434.sql'), 'utf8');
const NOW = new Date('2026-11-23T09:30:00Z');

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-before-'));
let server: LocalNeon;
const db = () => connect(server.url, LIMIT_MS).db;
const read = (query: string) => connect(server.url, LIMIT_MS).sql.query(query);

beforeAll(async () => {
  server = await startEmptyNeon();
  cpSync(join(ROOT, 'drizzle'), folder, { recursive: true });
  const journal = join(folder, 'meta', '_journal.json');
  const { entries, ...rest } = JSON.parse(readFileSync(journal, 'utf8')) as { entries: object[] };
  writeFileSync(journal, JSON.stringify({ ...rest, entries: entries.slice(0, BEFORE) }));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Inserts `count` attempts from a time on, 37 minutes apart, with columns that every version has. */
const insert = (from: string, count: number) =>
  read(`insert into attempts (id, occurred_at, channel, step, outcome, rule, client_id, issuer, object_id, oid_key, status, duration_ms)
    select gen_random_uuid(), '${from}'::timestamptz + interval '37 minutes' * i, 'user-flow',
      (array['PreTokenIssuance', 'PostFederationSignup', ''])[1 + i % 3], (array['continue', 'block'])[1 + i % 2],
      case when i % 4 = 1 then 'closed' else '' end, (array['shop', 'portal', ''])[1 + i % 3], (array['', 'google.com'])[1 + i % 2],
      'person-' || i % 7, 'oid:person-' || i % 7, 200, i * 97 % 3000
    from generate_series(0, ${count - 1}) as i`);
const month = (name: string, from: string, to: string) =>
  read(`create table attempts_${name} partition of attempts for values from ('${from}') to ('${to}')`);

const NAMES = 'channel, step, outcome, rule, client_id, issuer';
/** Figures from the hourly tables: attempts by day and by hour, durations by day, people. */
const hourly = async () => ({
  days: await read(`select (hour at time zone 'UTC')::date::text as day, ${NAMES}, sum(attempts)::int as attempts from hourly_counts
    group by 1, ${NAMES} order by 1, ${NAMES}`),
  hours: await read(`select hour::text, client_id, step, sum(attempts)::int as attempts from hourly_counts
    group by 1, 2, 3 order by 1, 2, 3`),
  durations:
    await read(`select (hour at time zone 'UTC')::date::text as day, bucket, rule, sum(attempts)::int as attempts
    from hourly_durations group by 1, 2, 3 order by 1, 2, 3`),
  people: await read(`select count(distinct object_id)::int as people from hourly_people`),
  peopleOfShop: await read(
    `select count(distinct object_id)::int as people from hourly_people where client_id = 'shop'`,
  ),
});
/** The same figures from the current tables. */
const daily = async () => ({
  days: await read(`select day::text, ${NAMES}, attempts::int from daily_counts where dims = 7 order by 1, ${NAMES}`),
  hours:
    await read(`select hour::text, client_id, step, sum(attempts)::int as attempts from hourly_totals where dims = 4
    group by 1, 2, 3 order by 1, 2, 3`),
  durations:
    await read(`select day::text, bucket, rule, sum(attempts)::int as attempts from daily_durations where dims = 1
    group by 1, 2, 3 order by 1, 2, 3`),
  people: await read(`select coalesce(sum(people), 0)::int as people from people_days join people_scopes on id = scope
    where kind = 'all' and previous_day = '-infinity'`),
  peopleOfShop:
    await read(`select coalesce(sum(people), 0)::int as people from people_days join people_scopes on id = scope
    where kind = 'client' and value = 'shop' and previous_day = '-infinity'`),
});

it('the migration from hourly aggregates changes no figure, even while the old Worker writes, sums and drops months', async () => {
  await migrate(server.url, folder);
  for (const [name, from, to] of [
    ['2026_06', '2026-06-01T00:00:00Z', '2026-07-01T00:00:00Z'],
    ['2026_07', '2026-07-01T00:00:00Z', '2026-08-01T00:00:00Z'],
    ['2026_08', '2026-08-01T00:00:00Z', '2026-09-01T00:00:00Z'],
    ['2026_11', '2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z'],
  ] as const)
    await month(name, from, to);
  await insert('2026-06-20T22:00:00Z', 60);
  await insert('2026-07-30T22:00:00Z', 60);
  await insert('2026-08-05T22:00:00Z', 40);
  await insert('2026-11-18T00:00:00Z', 150);
  await read(OLD_SUM);
  // Dropped by hand: retention would also delete the people in the hourly table.
  await read('drop table attempts_2026_06');

  const waiting: string[] = [];
  const migrateNow = () => migrate(server.url, undefined, (name) => waiting.push(name));
  await migrateNow();
  const { days } = await hourly();
  expect((await daily()).days).toEqual(days.filter(({ day }) => String(day) < '2026-07-01'));
  // The Worker of 4b48434 still runs for a while.
  await insert('2026-11-19T05:10:00Z', 20);
  await read(OLD_SUM);
  await read('drop table attempts_2026_07');
  const before = await hourly();
  expect(before.days.length).toBeGreaterThan(50);

  const summed = await sumDue(db, NOW);
  expect(summed.left).toBe(0);
  const { people, peopleOfShop, ...figures } = await daily();
  const { people: __, peopleOfShop: ___, ...figuresBefore } = before;
  expect(figures).toEqual(figuresBefore);
  // Only the hourly table had the people of July, and it is dropped. All seven occur again later.
  expect([people, peopleOfShop]).toEqual([before.people, before.peopleOfShop]);

  // Only the schedule confirms the copy: where it runs, the Worker of 4b48434 no longer does.
  const copied = () => read('select copied_at is not null as copied from summed_until');
  expect(await copied()).toEqual([{ copied: false }]);
  expect([await migrateNow(), waiting]).toEqual([[], ['0004_hourly_sums_go', '0004_hourly_sums_go']]);
  await sumDue(db, NOW, { confirms: true });
  expect(await copied()).toEqual([{ copied: true }]);
  expect(await migrateNow()).toEqual(['0004_hourly_sums_go']);
  const { people: ____, peopleOfShop: _____, ...figuresAfter } = await daily();
  expect(figuresAfter).toEqual(figuresBefore);
  expect(await read(`select to_regclass('hourly_counts') is null as gone`)).toEqual([{ gone: true }]);
});
