/**
 * Sums a day: replaces its rows in every aggregate table with counts of its attempts. Rows are replaced, never
 * incremented, so a run may be repeated, late, concurrent or interrupted: the next run corrects it.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../database/connect.ts';
import { monthOf } from '../../database/partitions.ts';
import { bucketSql } from './buckets.ts';
import { facetsSql } from './facets.ts';
import { hourSql } from './hours.ts';
import { countedRowsSql, isSignInStepSql, JOURNEY_HOURS } from './sign-ins.ts';
import { sumVisits } from './visits.ts';

/** A UTC day (`2026-11-21`) with its dirty hours, and the marks of each hour at the time of reading. */
export interface DirtyDay {
  readonly day: string;
  readonly hours: readonly { readonly hour: Date; readonly marks: number }[];
}

/** Below the 20 s of a request of the schedule, so that Postgres also stops a run that the schedule gave up. */
const STATEMENT_LIMIT_MS = 18_000;
/** Bits for the grouped columns of client, issuer and rule. `grouping` sets the bits of the other columns. */
const dims = sql.raw('7 - grouping(client_id, issuer, rule)');
const dimensions = sql.raw(`coalesce(client_id, ''), coalesce(issuer, ''), coalesce(rule, ''), channel, step, outcome`);
const columns = sql.raw('client_id, issuer, rule, channel, step, outcome');
const everySet = sql.raw('channel, step, outcome, cube (client_id, issuer, rule)');
const singleSets = sql.raw('channel, step, outcome, grouping sets ((), client_id, issuer, rule)');
const hourlySets = sql.raw('channel, step, outcome, grouping sets ((), client_id, issuer, rule, (client_id, issuer))');

/** A whole number. */
const JOURNEY_DAYS = sql.raw(String(JOURNEY_HOURS / 24));
const journey = sql.raw(`interval '${JOURNEY_HOURS} hours'`);

export const startOf = (day: string): Date => new Date(`${day}T00:00:00Z`);

/**
 * Sums the attempts of a day before `until`, the end of an hour that is over. Afterwards all hours before `until` or
 * the day's end, whichever is earlier, count as summed; so call it for days after `summed_until` in order. `limitMs` is
 * the statement timeout. Rejects when Neon does, and with 42P01 when the day's month was dropped; then nothing has
 * changed.
 */
export async function sumDay(db: Database, dirty: DirtyDay, until: Date, limitMs = STATEMENT_LIMIT_MS): Promise<void> {
  await inTransaction(db, statementsOf(dirty, until, limitMs));
}

/**
 * The statements of {@link sumDay}, for one transaction. Rows are written in the order in which filters read them:
 * scattered, a first report by application read three times as many pages.
 */
export function statementsOf({ day, hours }: DirtyDay, until: Date, limitMs = STATEMENT_LIMIT_MS): SQL[] {
  const start = startOf(day);
  // The partition's own name makes the statement fail, instead of counting nothing, if the partition was dropped.
  const part = sql.raw(monthOf(start).name);
  const from = sql`${start.toISOString()}::timestamptz`;
  // A slower run must not shorten the range that a faster one summed.
  const to = sql`least(${from} + interval '1 day', greatest(${until.toISOString()}::timestamptz, (select until from summed_until)))`;
  const ofDay = sql`occurred_at >= ${from} and occurred_at < ${to}`;
  return [
    sql`select set_config('jit', 'off', true), set_config('work_mem', '32MB', true),
      set_config('statement_timeout', ${String(limitMs)}, true)`,
    // One run at a time. A separate statement, so that the following ones take their snapshot after the wait.
    sql`select until from summed_until for update`,
    sql`delete from daily_counts where dims = any ('{0,1,2,3,4,5,6,7}') and day = ${day}::date`,
    sql`insert into daily_counts (day, dims, ${columns}, attempts)
      select ${day}::date, ${dims}, ${dimensions}, count(*) from ${part} where ${ofDay} group by ${everySet}
      order by 2, 3, 4, 5`,
    sql`delete from hourly_totals where dims = any ('{0,1,2,4,6}') and hour >= ${from} and hour < ${from} + interval '1 day'`,
    sql`insert into hourly_totals (hour, dims, ${columns}, attempts)
      select ${hourSql}, ${dims}, ${dimensions}, count(*) from ${part} as attempts where ${ofDay} group by 1, ${hourlySets}
      order by 2, 3, 4, 5, 1`,
    sql`delete from daily_durations where dims = any ('{0,1,2,4}') and day = ${day}::date`,
    sql`insert into daily_durations (day, dims, bucket, ${columns}, attempts)
      select ${day}::date, ${dims}, bucket, ${dimensions}, count(*)
      from (select *, ${bucketSql()} as bucket from ${part} as attempts where ${ofDay}) as timed
      group by bucket, ${singleSets}
      order by 2, 4, 5, 6`,
    sql`delete from daily_facets where day = ${day}::date`,
    sql`insert into daily_facets (facet, day, channel, value, step, outcome, attempts)
      select facet, ${day}::date, channel, value, step, outcome, count(*)
      from ${part} cross join lateral ${facetsSql} as faceted where ${ofDay}
      group by facet, channel, value, step, outcome`,
    ...signInsSql(from, to),
    sql`delete from daily_shadow where day = ${day}::date`,
    sql`insert into daily_shadow
        (day, version, differs, channel, outcome, rule, shadow_outcome, shadow_rule, step, client_id, issuer, attempts)
      select ${day}::date, shadow_version, shadow_differs, channel, outcome, rule, shadow_outcome, shadow_rule, step, client_id,
        issuer, count(*)
      from ${part} where shadow_version > 0 and ${ofDay} group by 2, 3, 4, 5, 6, 7, 8, 9, 10, 11`,
    userDaysSql(part, day, ofDay),
    ...sumVisits(part, day, `{${hours.map(({ hour }) => hour.toISOString()).join()}}`),
    noteSummed({ day, hours }),
    sql`update summed_until set until = greatest(until, ${to})`,
  ];
}

/** As the others, but most rows of a day stay from one run to the next: only those that differ are written. */
const userDaysSql = (part: SQL, day: string, ofDay: SQL): SQL => sql`
  with wanted as materialized (
    select md5(oid_key)::uuid as user_id, outcome, count(*) as attempts from ${part} where ${ofDay} and oid_key <> '' group by 1, 2
  ), stored as materialized (
    select user_id, outcome, attempts from user_days where day = ${day}::date
  ), gone as (
    delete from user_days where day = ${day}::date
      and not exists (select from wanted where wanted.user_id = user_days.user_id and wanted.outcome = user_days.outcome)
  )
  insert into user_days (user_id, day, outcome, attempts)
  select user_id, ${day}::date, outcome, wanted.attempts from wanted left join stored using (user_id, outcome)
  where stored.attempts is distinct from wanted.attempts
  on conflict (user_id, day, outcome) do update set attempts = excluded.attempts`;

/**
 * Counts the sign-ins of the day and of its neighbours, whose starts or completions the day may have. Days before the
 * oldest month are final. A neighbour is counted as far as it is summed. Where no custom policy calls, no attempt is
 * read.
 */
function signInsSql(from: SQL, to: SQL): SQL[] {
  const first = sql`greatest(${from} - ${journey}, (select dropped_before from summed_until))`;
  const end = sql`least(${from} + interval '24 hours' + ${journey}, greatest(${to}, (select until from summed_until)))`;
  const within = sql`called.occurred_at >= ${from} - ${journey} and called.occurred_at >= ${first}
    and called.occurred_at < ${from} + interval '24 hours' + ${journey} and called.occurred_at < ${end} and exists (
      select from daily_counts where dims = 0 and ${isSignInStepSql('daily_counts')}
        and day >= (${from} at time zone 'UTC')::date - ${JOURNEY_DAYS} and day <= (${from} at time zone 'UTC')::date + ${JOURNEY_DAYS})`;
  const day = sql.raw(`(occurred_at at time zone 'UTC')::date`);
  return [
    sql`delete from daily_facets where facet = 'sign-in' and day >= (${first} at time zone 'UTC')::date
      and day < ((${from} + interval '24 hours' + ${journey}) at time zone 'UTC')::date`,
    sql`insert into daily_facets (facet, day, channel, value, step, outcome, attempts)
      select 'sign-in', ${day}, channel, value, step, outcome, count(*) from ${countedRowsSql(within)} group by 2, 3, 4, 5, 6`,
  ];
}

/** Records that the marks read earlier are summed. An hour that got a mark since then stays dirty. */
export function noteSummed({ hours }: DirtyDay): SQL {
  const read = hours.map(({ hour, marks }) => sql`(${hour.toISOString()}::timestamptz, ${marks}::integer)`);
  // Locked in the order in which writers do, so that neither waits for the other.
  return sql`
    with read (hour, marks) as (values ${sql.join(read, sql`, `)}), held as materialized (
      select dirty_hours.hour from dirty_hours join read using (hour) order by hour for update of dirty_hours
    )
    update dirty_hours set summed = greatest(summed, read.marks) from read join held using (hour)
    where dirty_hours.hour = read.hour`;
}

/** Each statement sees what was committed before it began. */
async function inTransaction(db: Database, statements: readonly SQL[]): Promise<void> {
  const client = db.$client;
  const queries = statements.map((statement) => {
    const { sql: text, params } = db.execute(statement).getQuery();
    return client.query(text, params);
  });
  await client.transaction(queries, { isolationLevel: 'ReadCommitted' });
}
