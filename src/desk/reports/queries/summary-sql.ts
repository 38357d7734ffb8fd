/** The one statement with the numbers of a summary. */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { attempts, dailyCounts, dailyDurations, hourlyTotals } from '../../../database/schema.ts';
import { bucketSql } from '../../aggregates/buckets.ts';
import { hourSql } from '../../aggregates/hours.ts';
import type { Stretch } from '../parts.ts';
import type { Dimensions } from '../questions.ts';
import type { SummaryRange } from '../range.ts';
import type { Counted } from '../summary.ts';
import type { BeforeRow, SeenRow } from './before-and-seen.ts';
import { type TimedRow, timedSql } from './percentiles.ts';
import type { Source } from './summary-source.ts';
import { type Dim, dimsOf, epochSecondsOf, inDays, inStretch, matching, untilSql, waitingHoursSql } from './sums.ts';

/** The row of the statement. */
export type Numbers = Pick<Counted, 'asOf' | 'steps' | 'series' | 'rules' | 'applications' | 'issuers'> & {
  until: number;
  before: BeforeRow[];
  seen: SeenRow[];
  waiting: string;
  timed: TimedRow[];
};

/** Durations are counted by day or together. `parts` are expressions that the row also has. */
export function numbersOf(
  range: SummaryRange,
  filters: Dimensions,
  source: Source,
  byDay: boolean,
  parts: Readonly<Record<'before' | 'seen', SQL>>,
): SQL {
  const { days, hours } = source;
  const daily = (columns: string, ...breakdown: Dim[]) =>
    days === undefined
      ? []
      : [
          sql`select ${sql.raw(columns)}, attempts from ${dailyCounts}
            where ${and(eq(dailyCounts.dims, dimsOf(filters, ...breakdown)), inDays(dailyCounts, days), matching(dailyCounts, filters))}`,
        ];
  const live = (columns: string, condition = sql`true`) =>
    sql`select ${sql.raw(columns)}, attempts from lately where ${condition}`;
  const grouped = (columns: string, rows: readonly SQL[]) => sql`
    (select coalesce(json_agg(json_build_array(${sql.raw(columns)}, attempts)), '[]') from (
      select ${sql.raw(columns)}, sum(attempts)::bigint as attempts from (${unionAll(rows)}) as counted
      group by ${sql.raw(columns)}) as grouped)`;
  const named = sql`rule <> ''`;
  return sql`
    with lately as materialized (${unionAll(latelySql(filters, source.stretches))})
    select extract(epoch from now())::float8 as "asOf", ${epochSecondsOf(untilSql)} as until,
      ${waitingHoursSql(range)} as waiting,
      ${grouped('start, step, outcome', seriesSql(range, filters, source, daily))} as series,
      ${grouped('channel, step, outcome', [...daily('channel, step, outcome'), live('channel, step, outcome')])} as steps,
      ${grouped('rule, outcome', [...daily('rule, outcome', 'rule').map((rows) => sql`${rows} and ${named}`), live('rule, outcome', named)])} as rules,
      ${grouped('client_id, outcome', [...daily('client_id, outcome', 'clientId'), live('client_id, outcome')])} as applications,
      ${grouped('issuer, outcome', [...daily('issuer, outcome', 'issuer'), live('issuer, outcome')])} as issuers,
      ${timedSql(unionAll(durationsSql(filters, source, byDay)))} as timed,
      ${parts.before} as before, ${parts.seen} as seen`;

  function seriesSql(
    { interval }: SummaryRange,
    by: Dimensions,
    { days: whole }: Source,
    counted: typeof daily,
  ): SQL[] {
    const startOf = (instant: string) => `extract(epoch from ${instant})::bigint`;
    const start = `${startOf(`date_trunc('${interval}', hour, 'UTC')`)} as start, step, outcome`;
    if (hours === undefined) {
      return [...(whole ? counted(`${startOf('day::timestamp')} as start, step, outcome`) : []), live(start)];
    }
    const summed = and(
      eq(hourlyTotals.dims, dimsOf(by)),
      gte(hourlyTotals.hour, hours.from),
      lt(hourlyTotals.hour, hours.to),
    );
    return [
      sql`select ${sql.raw(start)}, attempts from ${hourlyTotals} where ${and(summed, matching(hourlyTotals, by))}`,
      live(start, sql`hour >= ${hours.to.toISOString()}::timestamptz`),
    ];
  }
}

/** Groups the rows, so that the outer queries read fewer of them. */
function latelySql(filters: Dimensions, stretches: readonly Stretch[]): SQL[] {
  const columns = sql`${hourSql} as hour, channel, step, outcome, rule, client_id, issuer, ${bucketSql()} as bucket`;
  const from = (condition: SQL | undefined) =>
    sql`select ${columns}, count(*) as attempts from ${attempts} where ${condition} group by 1, 2, 3, 4, 5, 6, 7, 8`;
  if (stretches.length === 0) return [from(sql`false`)];
  return stretches.map((stretch) => from(and(inStretch(stretch), matching(attempts, filters))));
}

/** Rows `(start, bucket, attempts)`. Unless `byDay`, `start` is the same day: the aggregates have no hours. */
function durationsSql(filters: Dimensions, { days, timed }: Source, byDay: boolean): SQL[] {
  const start = (day: string) => sql.raw(byDay ? day : `'1970-01-01'::date`);
  const lately = sql`select ${start(`(hour at time zone 'UTC')::date`)} as start, bucket, attempts from lately`;
  if (days === undefined || !timed) return [lately];
  const condition = and(
    eq(dailyDurations.dims, dimsOf(filters)),
    inDays(dailyDurations, days),
    matching(dailyDurations, filters),
  );
  return [sql`select ${start('day')} as start, bucket, attempts from ${dailyDurations} where ${condition}`, lately];
}

const unionAll = (parts: readonly SQL[]): SQL => sql.join([...parts], sql` union all `);
