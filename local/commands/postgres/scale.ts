/** Whether a sum's cost follows the new rows and not the old ones. */
import { performance } from 'node:perf_hooks';
import { sql } from 'drizzle-orm';
import { createMonths } from '../../../src/attempts/partitions.ts';
import { connect } from '../../../src/database/connect.ts';
import { rebuild } from '../../../src/summaries/rebuild.ts';
import { SUM, sum } from '../../../src/summaries/sum.ts';
import { type Finding, finding } from './finding.ts';
import type { Served } from './served.ts';

/** Rebuilding ten million rows takes minutes; Node's fetch waits five for an answer. */
const REQUEST_LIMIT_MS = 300_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAYS = 90;
const CHUNK_ROWS = 1_000_000;
const NEW_TRANSACTIONS = 100;
const ROWS_A_TRANSACTION = 100;
const ROUNDS = 9;
/** The budget for a sum with a hundred times the old rows. */
const MAX_RATIO = 1.3;

/** Rows number $1 to $2, of $3 in all, at even distances over the milliseconds $5 from $4 on. */
const COLUMNS = `id, occurred_at, channel, step, outcome, reply, status, rule, client_id, object_id, email, issuer, oid_key, email_key,
  support_code, correlation_id, locale, claim_names, kept_claims, duration_ms, caller, cf_ray, fingerprint`;
const VALUES = `gen_random_uuid(), $4::timestamptz + interval '1 ms' * ($5::float8 * i / $3), 'user-flow',
  (array['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance', 'PreTokenIssuance'])[1 + i % 4],
  case when i % 50 = 0 then 'block' else 'continue' end, 'Continue', 200, case when i % 50 = 0 then 'no-throwaway-mail' else '' end,
  'client-' || i % 5, person, person || '@example.com', (array['', 'google.com', 'facebook.com'])[1 + i % 3],
  'oid:' || person, 'email:' || person || '@example.com', case when i % 50 = 0 then substr(md5(i::text), 1, 10) else '' end, '', 'en',
  '{displayName,email,identities}', '{"displayName":"Made up"}', 1 + i * 7919 % 900, 'test-postgres', md5(i::text), md5(i::text)
  from generate_series($1::bigint, $2::bigint) i, lateral (select md5((i * 31 % 1000003)::text)::uuid::text as person) p`;
/** Old rows carry the transactions that this server has had; filling would else make them all one. */
const INSERT_OLD = `insert into attempts (written_in, ${COLUMNS})
  select (3 + (pg_current_xact_id()::text::bigint - 4) * i / $3)::text::xid8, ${VALUES}`;
const INSERT_NEW = `insert into attempts (${COLUMNS}) select ${VALUES}`;

/** Makes `rows` old attempts, spread over 90 days and all of them summed. */
export async function fill({ pool, url }: Served, rows: number, say: (line: string) => void): Promise<void> {
  const from = new Date(Date.now() - DAYS * DAY_MS);
  const days = Array.from({ length: DAYS + 1 }, (_, day) => new Date(from.getTime() + day * DAY_MS));
  await createMonths(connect(url, REQUEST_LIMIT_MS).db, days);
  // Building an index over finished rows takes a fraction of keeping it up row by row.
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes where tablename = 'attempts' and indexname <> 'attempts_pk'`,
  );
  for (const { name } of indexes) await pool.query(`drop index ${name}`);
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    const end = Math.min(first + CHUNK_ROWS, rows);
    await pool.query(INSERT_OLD, [first, end - 1, rows, from, DAYS * DAY_MS]);
    if (rows > CHUNK_ROWS) say(`${end.toLocaleString('en')} of ${rows.toLocaleString('en')} rows`);
  }
  for (const { definition } of indexes) await pool.query(definition.replace(' ON ONLY ', ' ON '));
  await pool.query('vacuum (analyze) attempts');
  const started = performance.now();
  const { attempts } = await rebuild(() => connect(url, REQUEST_LIMIT_MS).db);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  say(`rebuild of ${attempts.toLocaleString('en')} rows: ${seconds} s`);
  await pool.query('vacuum (analyze) hourly_counts, hourly_durations, hourly_people');
}

/** Looks at the plan, without running it. */
export async function explain({ url }: Served, rows: number): Promise<Finding> {
  const result = await connect(url, REQUEST_LIMIT_MS).db.execute<{ 'QUERY PLAN': string }>(sql`explain ${SUM}`);
  const lines = result.rows.map((row) => row['QUERY PLAN'].trim());
  const scans = lines.filter((line) => /Scan .*\battempts_\d{4}/.test(line));
  const sequential = scans.filter((line) => line.includes('Seq Scan'));
  const indexed = scans.filter((line) => line.includes('written_in'));
  const detail = sequential[0] ?? `${indexed.length} scans, such as ${indexed[0]?.replace(/^-> +| +\(.*$/g, '')}`;
  const holds = sequential.length === 0 && indexed.length > 0 && !lines.includes('JIT:');
  return finding(`the sum's plan at ${rows.toLocaleString('en')} rows: indexes only, no JIT`, holds, detail);
}

/** Sums the same number of new rows in both databases, in turns. */
export async function compare(few: Served, many: Served, label: string): Promise<Finding> {
  const times: Record<'few' | 'many', number[]> = { few: [], many: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, served] of [['few', few] as const, ['many', many] as const]) {
      const milliseconds = await timedSum(served);
      // The first round reads from disk what the others find in memory.
      if (round > 0) times[name].push(milliseconds);
    }
  }
  const [base, large] = [median(times.few), median(times.many)];
  const newRows = (NEW_TRANSACTIONS * ROWS_A_TRANSACTION).toLocaleString('en');
  const detail = `${large.toFixed(0)} ms against ${base.toFixed(0)} ms: ${(large / base).toFixed(2)} times (at most ${MAX_RATIO})`;
  return finding(`summing ${newRows} new rows with ${label}`, large / base <= MAX_RATIO, detail);
}

async function timedSum({ pool, url }: Served): Promise<number> {
  const rows = NEW_TRANSACTIONS * ROWS_A_TRANSACTION;
  for (let first = 0; first < rows; first += ROWS_A_TRANSACTION) {
    const from = new Date(Date.now() - HOUR_MS);
    await pool.query(INSERT_NEW, [first, first + ROWS_A_TRANSACTION - 1, rows, from, HOUR_MS]);
  }
  const { db } = connect(url, REQUEST_LIMIT_MS);
  const started = performance.now();
  const { summed } = await sum(db);
  const milliseconds = performance.now() - started;
  if (summed !== rows) throw new Error(`The sum took ${summed} rows of ${rows}: is somebody else busy on this server?`);
  return milliseconds;
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
