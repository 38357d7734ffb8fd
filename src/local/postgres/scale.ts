/** Checks that the cost of an aggregation depends on the attempts of its day, not on older ones. */

import { performance } from 'node:perf_hooks';
import { connect } from '../../database/connect.ts';
import { createMonths } from '../../database/partitions.ts';
import { sumDue } from '../../desk/aggregates/sum-due.ts';
import { DAY_MS, HOUR_MS } from '../../platform/duration.ts';
import { type Finding, finding } from './finding.ts';
import type { Served } from './served.ts';

const REQUEST_LIMIT_MS = 300_000;
/** About 1,000 an hour: the budgets are for this traffic. */
export const ROWS_A_DAY = 25_000;
const DAYS_A_CHUNK = 20;
const ROUNDS = 9;
/** The budgets for aggregating an hour of 1,000 attempts: absolute, and relative with a hundred times the old rows. */
const MAX_MS = 1_000;
const MAX_RATIO = 2;

/** Inserts the rows $1 to $2, evenly spaced from $3, $5 a day, with the random seed $4. */
const INSERT = `insert into attempts (id, occurred_at, channel, step, outcome, reply, status, rule, client_id, object_id, email,
    issuer, oid_key, email_key, locale, claim_names, kept_claims, duration_ms, caller, cf_ray, fingerprint)
  select gen_random_uuid(), $3::timestamptz + interval '1 day' * (i::float8 / $5), 'user-flow',
    (array['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance', 'PreTokenIssuance'])[1 + i % 4],
    case when i % 50 = 0 then 'block' else 'continue' end, 'Continue', 200, case when i % 50 = 0 then 'rule-' || i % 2000 / 50 else '' end,
    'client-' || (random() ^ 3 * 19)::int, person, person || '@example.com', 'issuer-' || (random() ^ 2 * 5)::int, 'oid:' || person,
    'email:' || person || '@example.com', 'en', '{displayName,email,identities}', '{"displayName":"Made up"}', 1 + i * 7919 % 900,
    'test-postgres', md5(i::text), md5(i::text)
  from generate_series($1::bigint, $2::bigint) as i, lateral (select md5(((random() * 600000)::int + i * 0)::text)::uuid::text as person) as p,
    (select setseed($4)) as seeded`;

/** The midnight before `now`. Old rows end here, so each of their hours is over. */
const midnight = (now: Date) => new Date(Math.floor(now.getTime() / DAY_MS) * DAY_MS);

/** Inserts `rows` old attempts, {@link ROWS_A_DAY} a day up to today, and aggregates them. */
export async function fillWithOldRows({ pool, url }: Served, rows: number, say: (line: string) => void): Promise<void> {
  const db = () => connect(url, REQUEST_LIMIT_MS).db;
  const now = new Date();
  const days = Math.ceil(rows / ROWS_A_DAY);
  const from = new Date(midnight(now).getTime() - days * DAY_MS);
  await createMonths(
    db(),
    Array.from({ length: days + 1 }, (_, day) => new Date(from.getTime() + day * DAY_MS)),
  );
  for (let day = 0; day < days; day += DAYS_A_CHUNK) {
    const end = Math.min(day + DAYS_A_CHUNK, days) * ROWS_A_DAY;
    await pool.query(INSERT, [day * ROWS_A_DAY, end - 1, from, day / days, ROWS_A_DAY]);
    if (days > DAYS_A_CHUNK) say(`${end.toLocaleString('en')} of ${rows.toLocaleString('en')} rows`);
  }
  await pool.query('vacuum (analyze) attempts');
  const started = performance.now();
  await sumDue(db, now, {
    onDay: ({ days: summed, left }) => {
      if (summed % 50 === 0) say(`${summed} of ${summed + left} days aggregated`);
    },
  });
  await pool.query('vacuum (analyze)');
  say(`aggregating ${rows.toLocaleString('en')} rows: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
}

/** Aggregates the same hour again in both databases, alternating. */
export async function compareSums(few: Served, many: Served, label: string): Promise<Finding[]> {
  const times: Record<'few' | 'many', number[]> = { few: [], many: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, served] of [['few', few] as const, ['many', many] as const]) {
      const milliseconds = await timedSum(served);
      // The first round warms the cache.
      if (round > 0) times[name].push(milliseconds);
    }
  }
  const [base, large] = [median(times.few), median(times.many)];
  const ratio = large / base;
  return [
    finding('aggregating an hour of 1,000 attempts', base <= MAX_MS, `${base.toFixed(0)} ms (at most ${MAX_MS})`),
    finding(
      `the same with ${label}`,
      ratio <= MAX_RATIO,
      `${large.toFixed(0)} ms against ${base.toFixed(0)} ms: ${ratio.toFixed(2)} times (at most ${MAX_RATIO})`,
    ),
  ];
}

/** Aggregates the last hour of yesterday. */
async function timedSum({ pool, url }: Served): Promise<number> {
  const now = new Date();
  const hour = new Date(midnight(now).getTime() - HOUR_MS);
  await pool.query('update dirty_hours set marks = marks + 1 where hour = $1', [hour]);
  const started = performance.now();
  const { days } = await sumDue(() => connect(url, REQUEST_LIMIT_MS).db, now);
  const milliseconds = performance.now() - started;
  if (days !== 1)
    throw new Error(`Aggregated ${days} days instead of 1. Check that no other process uses this server.`);
  return milliseconds;
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
