/**
 * Maintains `visits` and `people_days`, from which reports count the distinct people of any range. A run compares the
 * visits of an hour with its attempts, then relinks each person's visits (`previous`) from the visit before the hour to
 * the first one after it, and updates `people_days`.
 */
import { type SQL, sql } from 'drizzle-orm';
import { isPersonSql } from './hours.ts';

const day = (instant: string) => sql.raw(`(${instant} at time zone 'UTC')::date`);
/** Whether a visit is the person's first on its day. */
const isFirst = sql.raw(`previous < date_trunc('day', hour, 'UTC')`);

/**
 * Statements for one transaction that update `hours`, an array literal of instants on the UTC day `on`. `part` is the
 * partition of `attempts` that holds them.
 */
export function sumVisits(part: SQL, on: string, hours: string): SQL[] {
  const seen = seenIn(part, hours);
  const dayStart = sql`${`${on}T00:00:00Z`}::timestamptz`;
  return [
    sql`insert into people_scopes (kind, value) select kind, value from ${seen} as seen except select kind, value from people_scopes`,
    // The planner overestimates the rows, and a scan of all visits is never right.
    sql`select set_config('enable_seqscan', 'off', true)`,
    link(seen, on, hours),
    sql`delete from people_days where day = ${on}::date`,
    sql`delete from people_days where people = 0`,
    sql`insert into people_days (scope, day, previous_day, people)
      select scope, ${on}::date, ${day('previous')}, count(*) from visits
      where hour >= ${dayStart} and hour < ${dayStart} + interval '1 day' and previous < ${dayStart}
      group by scope, ${day('previous')}`,
  ];
}

/**
 * Follows `attempts` in a statement: joins `(kind, value, person)` to each row, and ends in a condition. Only the token
 * step has an objectId. Blocked people have none, so outcomes and rules count the first person key instead.
 */
export const scopesSql = sql`
  cross join lateral (
    select case when ${isPersonSql} then md5(object_id)::uuid end as known,
      md5(coalesce(nullif(oid_key, ''), nullif(idp_key, ''), nullif(email_key, '')))::uuid as keyed
  ) as people
  cross join lateral (values ('all', '', known), ('client', nullif(client_id, ''), known),
    ('outcome', nullif(nullif(outcome, 'continue'), ''), keyed), ('rule', nullif(rule, ''), keyed)) as scopes (kind, value, person)
  where person is not null and value is not null`;

/** Rows `(kind, value, person, hour)`, with duplicates. */
const seenIn = (part: SQL, hours: string) => sql`(
  select kind, value, person, hour
  from unnest(${hours}::timestamptz[]) as hour
  join ${part} as attempts on occurred_at >= hour and occurred_at < hour + interval '1 hour' ${scopesSql})`;

/**
 * `known` are the stored visits of the people concerned, from the hour to the first visit after it; `wanted` is what
 * they must become. The month of the preceding visit may be dropped: then the earliest `previous` still names it. The
 * day `on` is counted again; later days get the difference. Windows instead of joins: without statistics of these rows,
 * Postgres joined 45,000 with 45,000 in a nested loop (measured).
 */
function link(seen: SQL, on: string, hours: string): SQL {
  const isIn = sql`= any (${hours}::timestamptz[])`;
  const same = (one: string, other: string) =>
    sql.raw(`${one}.scope = ${other}.scope and ${one}.person = ${other}.person and ${one}.hour = ${other}.hour`);
  return sql`
    with should as materialized (
      select distinct id as scope, person, hour from ${seen} as seen join people_scopes using (kind, value)
    ), found as materialized (
      select scope, person, hour from visits where hour ${isIn}
    ), concerned as materialized (
      select scope, person, min(hour) as first, max(hour) as last
      from (select * from should union all select * from found) as concerning group by scope, person
    ), known as materialized (
      select concerned.scope, concerned.person, near.hour, near.previous from concerned cross join lateral (
        select hour, previous from visits
        where scope = concerned.scope and person = concerned.person and hour >= concerned.first and hour <= concerned.last
        union all
        (select hour, previous from visits
        where scope = concerned.scope and person = concerned.person and hour > concerned.last order by hour limit 1)
      ) as near
    ), visiting as materialized (
      select scope, person, hour, bool_or(is_wanted) as is_wanted, bool_or(is_known) as is_known, max(previous) as was,
        max(before) as before
      from (
        select scope, person, hour, true as is_wanted, false as is_known, null::timestamptz as previous, null::timestamptz as before
        from should
        union all select scope, person, hour, not hour ${isIn}, true, previous, null from known
        union all select scope, person, '-infinity', false, false, null, (
          select max(hour) from visits
          where scope = concerned.scope and person = concerned.person and hour < concerned.first
        ) from concerned
      ) as seen group by scope, person, hour
    ), begun as materialized (
      select scope, person, hour, is_wanted, is_known, was, coalesce(
        max(before) over each, min(was) filter (where was < (select dropped_before from summed_until)) over each, '-infinity'
      ) as before
      from visiting window each as (partition by scope, person)
    ), wanted as materialized (
      select scope, person, hour, is_known, was,
        coalesce(lag(hour) over (partition by scope, person order by hour), before) as previous
      from begun where is_wanted
    ), removed as (
      delete from visits using begun where ${same('visits', 'begun')} and is_known and not is_wanted
    ), linked as (
      update visits set previous = wanted.previous from wanted
      where ${same('visits', 'wanted')} and is_known and was <> wanted.previous
    ), added as (
      insert into visits (scope, person, hour, previous)
      select scope, person, hour, previous from wanted where not is_known
    )
    insert into people_days (scope, day, previous_day, people)
    select scope, ${day('hour')}, ${day('previous')}, sum(people) from (
      select scope, hour, previous, 1 as people from wanted where ${isFirst}
      union all
      select scope, hour, previous, -1 from (select scope, hour, was as previous from begun where is_known) as known
      where ${isFirst}
    ) as moved
    where hour >= ${`${on}T00:00:00Z`}::timestamptz + interval '1 day'
    group by 1, 2, 3 having sum(people) <> 0
    on conflict (scope, day, previous_day) do update set people = people_days.people + excluded.people`;
}
