/**
 * Counts the calls of each credential by day: from the daily facets, and from the attempts of the hours that are not
 * aggregated yet. The cost depends on the number of days, the attempts of a few hours, and those of today and yesterday
 * when a credential was last used then.
 */
import { and, inArray, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import { type RunQuery, runQuery } from '../../../database/run-query.ts';
import { attempts, dailyFacets, refusedCalls } from '../../../database/schema.ts';
import { DatabaseUnavailable } from '../../../database/unavailable.ts';
import type { Config } from '../../../platform/config.ts';
import { DAY_MS } from '../../../platform/duration.ts';
import { credentialOfCaller, credentialSql } from '../../aggregates/facets.ts';
import type { CallerCounts } from '../callers-report.ts';
import { dayOf, partsOf, type Stretch } from '../parts.ts';
import { at, epochSecondsOf, inStretch, instantSql, progress, untilSql, waitingHoursSql } from './sums.ts';

/** The end of the aggregated hours moves once an hour, so one retry is enough in practice. */
const MAX_TRIES = 3;

/** `range` is whole days; `now` is in milliseconds since 1970. Throws DatabaseUnavailable. */
export async function callerCounts(config: Config, range: Stretch, now: number): Promise<CallerCounts> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const counts = await runQuery(config, (db, run) => countsAt(db, run, range, now));
    if (counts !== undefined) return counts;
  }
  throw new DatabaseUnavailable(new Error('The aggregates changed during each attempt to read them.'));
}

/** Days as text, the rest in seconds since 1970. */
interface Counted extends Record<string, unknown> {
  readonly until: number;
  readonly accepted: readonly (readonly [credential: string, day: string, attempts: number, last: number | null])[];
  readonly refused: readonly (readonly [name: string, reason: string, day: string, calls: number])[];
  readonly waiting: string;
  readonly countedSince: string | null;
  readonly kindsSince: string | null;
}

/** Undefined when the end of the aggregated hours moved meanwhile. */
async function countsAt(db: Database, run: RunQuery, range: Stretch, now: number): Promise<CallerCounts | undefined> {
  const { until } = await progress(db, run);
  const { rows } = await run(db.execute<Counted>(countsSql(range, until)));
  const [row] = rows;
  if (row === undefined) throw new Error('The counts answered without a row.');
  if (at(row.until).getTime() !== until.getTime()) return undefined;
  const lastCalls = new Map<string, number>();
  const lastDays = new Map<string, string>();
  const yesterday = dayOf(now - DAY_MS);
  for (const [credential, day, , last] of row.accepted) {
    if (last !== null && day >= yesterday)
      lastCalls.set(credential, Math.max(lastCalls.get(credential) ?? 0, at(last).getTime()));
    if (day > (lastDays.get(credential) ?? '')) lastDays.set(credential, day);
  }
  const wanted = [...lastDays].filter(
    ([credential, day]) => !lastCalls.has(credential) && day >= yesterday && day <= dayOf(now),
  );
  const { rows: found } =
    wanted.length === 0
      ? { rows: [] }
      : await run(db.execute<{ credential: string; last: number | null }>(lastCallsSql(wanted, until)));
  for (const { credential, last } of found) if (last !== null) lastCalls.set(credential, at(last).getTime());
  return {
    accepted: row.accepted.map(([credential, day, calls]) => ({ credential, day, attempts: calls })),
    lastCalls,
    refused: row.refused.map(([name, reason, day, calls]) => ({ name, reason, day, calls })),
    waiting: Number(row.waiting),
    countedSince: row.countedSince ?? undefined,
    kindsSince: row.kindsSince ?? undefined,
  };
}

const asText = (day: SQL): SQL => sql`${day}::text`;
const utcDay = sql.raw(`(occurred_at at time zone 'UTC')::date`);
function countsSql(range: Stretch, until: Date): SQL {
  const { days, live } = partsOf(range, until);
  const aggregated =
    days === undefined
      ? []
      : [
          // Per day one of the two facets: all attempts have a caller, and a day is aggregated as a whole.
          sql`select case facet when 'credential' then value else ${credentialOfCaller} end as credential, day, attempts,
              null::float8 as last
            from ${dailyFacets}
            where facet in ('credential', 'caller') and day >= ${days.from}::date and day < ${days.to}::date
              and (facet = 'credential' or not exists (
                select from ${dailyFacets} as newer where newer.facet = 'credential' and newer.day = ${dailyFacets.day}))`,
        ];
  const unaggregated = sql`
    select ${credentialSql}, day, attempts, ${epochSecondsOf(sql`last`)}
    from (${callsSql(sql`${utcDay} as day`, live === undefined ? [] : [live])}) as lately`;
  const firstDay = (facets: SQL) =>
    sql`(select min(first) from unnest(${facets}) as one (facet)
      cross join lateral (select min(day) as first from ${dailyFacets} where ${dailyFacets.facet} = one.facet) as days)`;
  return sql`
    with used (credential, day, attempts, last) as materialized (
      ${sql.join([...aggregated, unaggregated], sql` union all `)}
    ), refused (name, reason, day, calls) as materialized (
      select name, reason, ${utcDay}, sum(calls) from ${refusedCalls}
      where route = 'connector' and occurred_at >= ${instantSql(range.from)} and occurred_at < ${instantSql(range.to)}
      group by 1, 2, 3
    )
    select ${epochSecondsOf(untilSql)} as until,
      (select coalesce(json_agg(json_build_array(credential, day, attempts, last) order by day, credential), '[]') from (
        select credential, day, sum(attempts)::bigint as attempts, max(last) as last from used group by 1, 2
      ) as summed) as accepted,
      (select coalesce(json_agg(json_build_array(name, reason, day, calls) order by day, name, reason), '[]')
        from refused) as refused,
      ${waitingHoursSql(range)} as waiting,
      ${asText(sql`least(${firstDay(sql`array['credential', 'caller']`)}, (select min(day) from used))`)} as "countedSince",
      ${asText(firstDay(sql`array['credential']`))} as "kindsSince"`;
}

/** The last call of each credential on its last day, before `until`. It reads each of these days once. */
function lastCallsSql(wanted: readonly (readonly [credential: string, day: string])[], until: Date): SQL {
  const stretches = [...new Set(wanted.map(([, day]) => Date.parse(day)))].map((start) => ({
    from: new Date(start),
    to: new Date(Math.min(start + DAY_MS, until.getTime())),
  }));
  const names = wanted.map(([credential]) => credential.slice(credential.indexOf(':') + 1));
  return sql`
    select credential, ${epochSecondsOf(sql`max(last)`)} as last from (
      select ${credentialSql} as credential, last
      from (${callsSql(sql`null as day`, stretches, inArray(attempts.caller, names))}) as calls
    ) as named group by 1`;
}

/** Grouped by the columns as they are: an expression for each attempt would take three times as long (measured). */
function callsSql(day: SQL, stretches: readonly Stretch[], narrowed: SQL = sql`caller <> ''`): SQL {
  const columns = sql`caller_kind, caller, ${day}, count(*) as attempts, max(occurred_at) as last`;
  const conditions = stretches.length === 0 ? [sql`false`] : stretches.map(inStretch);
  const parts = conditions.map(
    (condition) => sql`select ${columns} from ${attempts} where ${and(condition, narrowed)} group by 1, 2, 3`,
  );
  return sql.join(parts, sql` union all `);
}
