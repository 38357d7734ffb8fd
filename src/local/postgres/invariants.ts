/** The invariants of the aggregates: each table equals a plain count, written independently of `src/desk`. */
import type pg from 'pg';

/** The number of differing rows by table; all 0 when the aggregates are right. */
export type Wrong = Record<string, number>;

const DAY = `(occurred_at at time zone 'UTC')::date`;
const HOUR = `date_trunc('hour', occurred_at, 'UTC')`;
const NAMES = 'channel, client_id, issuer, rule, step, outcome';
const ofSet = (bit: number, name: string) => `case when dims & ${bit} > 0 then ${name} else '' end`;
const OF_SET = `channel, ${ofSet(4, 'client_id')}, ${ofSet(2, 'issuer')}, ${ofSet(1, 'rule')}, step, outcome`;
const BUCKET = `ceil(ln(greatest(duration_ms, 1)::float8) / ln(1.1::float8))::smallint`;
const SHADOW = 'version, differs, channel, outcome, rule, shadow_outcome, shadow_rule, step, client_id, issuer';

/** The people in each scope. `attempts` is the name of a table or view. */
const seen = (attempts: string) => `
  select 'all' as kind, '' as value, object_id as person, ${HOUR} as hour from ${attempts}
    where step = 'PreTokenIssuance' and object_id <> ''
  union select 'client', client_id, object_id, ${HOUR} from ${attempts}
    where step = 'PreTokenIssuance' and object_id <> '' and client_id <> ''
  union select 'outcome', outcome, (array_remove(array[oid_key, idp_key, email_key], ''))[1], ${HOUR} from ${attempts}
    where outcome not in ('continue', '') and (oid_key <> '' or idp_key <> '' or email_key <> '')
  union select 'rule', rule, (array_remove(array[oid_key, idp_key, email_key], ''))[1], ${HOUR} from ${attempts}
    where rule <> '' and (oid_key <> '' or idp_key <> '' or email_key <> '')`;

/**
 * Compares every table with `attempts`, a table, or a view that includes attempts of dropped months: their visits are
 * deleted, their aggregates are not. All hours before now must be aggregated.
 */
export async function findWrong(pool: pg.Pool, attempts = 'attempts'): Promise<Wrong> {
  const one = async (query: string) => Number((await pool.query<{ n: string }>(query)).rows[0]?.n);
  const differing = (table: string, keys: string, plain: string, value = 'attempts') =>
    one(`select count(*) as n from (select ${keys}, ${value} from ${table}) as actual full join (${plain}) as plain using (${keys})
      where actual.${value} is distinct from plain.number`);
  const cube = (sets: string, at: string, more = '') => `
    select dims::smallint as dims, ${at}, ${OF_SET}${more}, count(*) as number
    from ${attempts} cross join unnest('${sets}'::int[]) as dims group by 1, 2, 3, 4, 5, 6, 7, 8${more === '' ? '' : ', 9'}`;
  const aliased = (keys: string, query: string) => `select * from (${query}) as t (${keys}, number)`;
  const sets = (table: string, at: string, expression: string, sets: string, more = '', moreSql = '') => {
    const keys = `dims, ${at}, ${NAMES}${more}`;
    return differing(table, keys, aliased(keys, cube(sets, expression, moreSql)));
  };
  const facets = `
    with calls as materialized (
      select *, step = 'SignInStarted' as is_start from ${attempts}
      where channel = 'custom-policy' and (step = 'SignInCompleted' or step = 'SignInStarted' and reply <> 'Refusal')
    ), pairs as materialized (
      select correlation_id, s.occurred_at as started, e.occurred_at as ended from calls as s join calls as e using (correlation_id)
      where s.is_start and not e.is_start and e.occurred_at between s.occurred_at and s.occurred_at + interval '10 minutes'
    ), signed as materialized (
      select id, case when correlation_id = '' then 'without-correlation-id'
        when exists (select from calls as c where c.correlation_id = calls.correlation_id and c.is_start = calls.is_start
          and (c.occurred_at, c.id) < (calls.occurred_at, calls.id) and c.occurred_at >= calls.occurred_at - interval '24 hours') then ''
        when is_start then case when exists (select from pairs where pairs.correlation_id = calls.correlation_id
          and started >= occurred_at and ended <= occurred_at + interval '24 hours') then 'completed' else 'abandoned' end
        when exists (select from pairs where pairs.correlation_id = calls.correlation_id
          and started >= occurred_at - interval '24 hours' and ended <= occurred_at) then ''
        when exists (select from calls as c where c.correlation_id = calls.correlation_id and c.is_start
          and c.occurred_at between calls.occurred_at - interval '24 hours' and calls.occurred_at) then 'late'
        else 'without-start' end as counted
      from calls
    )
    select 'sign-in' as facet, counted as value, a.* from ${attempts} as a join signed using (id)
    union all select 'reason' as facet, reason as value, a.* from ${attempts} as a
    union all select 'caller', caller, a.* from ${attempts} as a
    union all select 'credential', case caller_kind when '' then 'basic' else caller_kind end || ':' || caller, a.*
      from ${attempts} as a where caller <> ''
    union all select 'language', locale, a.* from ${attempts} as a
    union all select 'degraded', degraded, a.* from ${attempts} as a
    union all select 'policy-version', policy_version::text, a.* from ${attempts} as a where policy_version > 0
    union all select 'shadow', case when shadow_differs then 'differs' else 'same' end, a.* from ${attempts} as a where shadow_version > 0
    union all select 'failed-rule', name, a.* from ${attempts} as a cross join unnest(failed_rules) as failed (name)
    union all select 'unforeseen-rule', split_part(substr(note, length('the condition of rule ') + 1), ' failed unforeseen: ', 1), a.*
      from ${attempts} as a cross join unnest(notes) as note where note like 'the condition of rule % failed unforeseen: %'`;
  const retained = `hour >= (select dropped_before from summed_until)`;
  return {
    daily_counts: await sets('daily_counts', 'day', DAY, '{0,1,2,3,4,5,6,7}'),
    hourly_totals: await sets('hourly_totals', 'hour', HOUR, '{0,1,2,4,6}'),
    daily_durations: await sets('daily_durations', 'day', DAY, '{0,1,2,4}', ', bucket', `, ${BUCKET}`),
    daily_facets: await differing(
      'daily_facets',
      'facet, day, channel, value, step, outcome',
      `select facet, ${DAY} as day, channel, value, step, outcome, count(*) as number from (${facets}) as f
       where value <> '' group by 1, 2, 3, 4, 5, 6`,
    ),
    daily_shadow: await differing(
      'daily_shadow',
      `day, ${SHADOW}`,
      `select ${DAY} as day, shadow_version as version, shadow_differs as differs, channel, outcome, rule, shadow_outcome,
         shadow_rule, step, client_id, issuer, count(*) as number
       from ${attempts} where shadow_version > 0 group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11`,
    ),
    // Deleted with their month.
    user_days: await differing(
      'user_days',
      'day, user_id, outcome',
      `select ${DAY} as day, md5(oid_key)::uuid as user_id, outcome, count(*) as number
       from attempts where oid_key <> '' group by 1, 2, 3`,
    ),
    visits: await one(`select count(*) as n from (
        select kind, value, person, hour from visits join people_scopes on id = scope
      ) as actual full join (
        select kind, value, md5(person)::uuid as person, hour from (${seen('attempts')}) as seen
      ) as plain using (kind, value, person, hour) where actual is null or plain is null`),
    'visits: previous': await one(`select count(*) as n from (
        select *, lag(hour) over (partition by scope, person order by hour) as lagging from visits
      ) as v where previous is distinct from coalesce(lagging,
        case when previous < (select dropped_before from summed_until) then previous else '-infinity' end)`),
    people_days: await one(`select count(*) as n from (
        select scope, day, previous_day, people from people_days where day >= (select (dropped_before at time zone 'UTC')::date from summed_until)
      ) as actual full join (
        select scope, (hour at time zone 'UTC')::date as day, (previous at time zone 'UTC')::date as previous_day, count(*) as number
        from visits where ${retained} and (previous at time zone 'UTC')::date < (hour at time zone 'UTC')::date group by 1, 2, 3
      ) as plain using (scope, day, previous_day) where people is distinct from number`),
    'people_days: not positive': await one('select count(*) as n from people_days where people <= 0'),
    dirty_hours: await one(
      'select count(*) as n from dirty_hours where marks > summed and hour < (select until from summed_until)',
    ),
  };
}

export interface InvariantScope {
  readonly kind: string;
  readonly value: string;
}

/**
 * Counts the distinct people of a scope from `from` (inclusive) to `to` (exclusive), both whole hours: once from
 * `people_days` and `visits`, once directly. `attempts` is as in {@link findWrong}.
 */
export async function countPeople(
  pool: pg.Pool,
  { kind, value }: InvariantScope,
  from: Date,
  to: Date,
  attempts = 'attempts',
) {
  const { rows } = await pool.query<{ aggregated: string; plain: string }>(
    `with asked as (
       select $1::timestamptz as a, $2::timestamptz as b, (select id from people_scopes where kind = $3 and value = $4) as asked_scope
     ), days as (
       select *, least(b, case when a = date_trunc('day', a, 'UTC') then a else date_trunc('day', a, 'UTC') + interval '1 day' end) as first,
         greatest(date_trunc('day', b, 'UTC'), least(b, case when a = date_trunc('day', a, 'UTC') then a else date_trunc('day', a, 'UTC') + interval '1 day' end)) as last
       from asked
     )
     select (select count(*) from visits where scope = asked_scope and hour >= a and hour < first and previous < a)
       + (select coalesce(sum(people), 0) from people_days where scope = asked_scope
           and day >= (first at time zone 'UTC')::date and day < (last at time zone 'UTC')::date and previous_day < (a at time zone 'UTC')::date)
       + (select count(*) from visits where scope = asked_scope and hour >= first and hour < last
           and previous >= date_trunc('day', a, 'UTC') and previous < a)
       + (select count(*) from visits where scope = asked_scope and hour >= last and hour < b and previous < a) as aggregated,
       (select count(distinct person) from (${seen(attempts)}) as seen where kind = $3 and value = $4 and hour >= a and hour < b) as plain
     from days`,
    [from, to, kind, value],
  );
  return { aggregated: Number(rows[0]?.aggregated), plain: Number(rows[0]?.plain) };
}
