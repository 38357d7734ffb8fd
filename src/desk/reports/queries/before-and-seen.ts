/** Parts of the statement of a summary: the same period before, and when the values of the filters were seen. */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { attempts, dailyCounts, hourlyTotals } from '../../../database/schema.ts';
import type { RangeParts } from '../parts.ts';
import type { Dimensions } from '../questions.ts';
import { lacksHours } from '../range.ts';
import { dimsOf, inDays, inStretch, matching } from './sums.ts';

export type BeforeRow = readonly [outcome: string, attempts: number];
/** Days as `2026-11-21`; null when the value was never seen. */
export type SeenRow = readonly [filter: keyof Dimensions, first: string | null, last: string | null];

/** A JSON array of {@link BeforeRow}s. Hours at the edges come from the hourly aggregates if those have the filters. */
export function beforeSql({ days, edges, live }: RangeParts, filters: Dimensions): SQL {
  const counted = [sql`select '' as outcome, 0 as attempts where false`];
  if (days !== undefined)
    counted.push(sql`select outcome, attempts from ${dailyCounts}
      where ${and(eq(dailyCounts.dims, dimsOf(filters)), inDays(dailyCounts, days), matching(dailyCounts, filters))}`);
  const byHour = lacksHours(filters) ? [] : edges;
  for (const { from, to } of byHour)
    counted.push(
      sql`select outcome, attempts from ${hourlyTotals} where ${and(
        eq(hourlyTotals.dims, dimsOf(filters)),
        gte(hourlyTotals.hour, from),
        lt(hourlyTotals.hour, to),
        matching(hourlyTotals, filters),
      )}`,
    );
  const read = [...(byHour.length > 0 ? [] : edges), ...(live ? [live] : [])];
  for (const stretch of read)
    counted.push(
      sql`select outcome, count(*) from ${attempts} where ${and(inStretch(stretch), matching(attempts, filters))} group by 1`,
    );
  return sql`
    (select coalesce(json_agg(json_build_array(outcome, attempts)), '[]') from (
      select outcome, sum(attempts)::bigint as attempts from (${sql.join(counted, sql` union all `)}) as counted group by 1) as before)`;
}

/** A JSON array of {@link SeenRow}s, each value by itself. Hours before `until` are summed. */
export function seenSql(filters: Dimensions, until: Date): SQL {
  const names = (Object.keys(filters) as (keyof Dimensions)[]).filter((name) => filters[name] !== undefined);
  const rows = names.map((name) => {
    const alone: Dimensions = { [name]: filters[name] };
    // The bare column, so that the planner reads an index up to the first match.
    const dayOfLive = (aggregate: string) => sql.raw(`(${aggregate}(occurred_at) at time zone 'UTC')::date`);
    return sql`
      select ${name}::text as filter, min(first) as first, max(last) as last from (
        select min(day) as first, max(day) as last from ${dailyCounts}
        where ${and(eq(dailyCounts.dims, dimsOf(alone)), matching(dailyCounts, alone))}
        union all
        select ${dayOfLive('min')}, ${dayOfLive('max')} from ${attempts}
        where ${and(gte(attempts.occurredAt, until), matching(attempts, alone))}
      ) as seen`;
  });
  if (rows.length === 0) return sql`json_build_array()`;
  return sql`(select json_agg(json_build_array(filter, first, last)) from (${sql.join(rows, sql` union all `)}) as seen)`;
}
