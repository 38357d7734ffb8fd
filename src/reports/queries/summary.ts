/**
 * The numbers behind a summary. One statement reads progress, sums and the attempts written since, all in its one snapshot: an
 * attempt is either below progress and in the sums, or it is counted here, never both. The cost follows the sums of the
 * range and what was written since the last sum, never all attempts.
 */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { keptMonths } from '../../attempts/partitions.ts';
import type { Config } from '../../config.ts';
import { attempts, hourlyCounts, hourlyDurations, hourlyPeople, summingProgress } from '../../database/schema.ts';
import { bucketSql, percentileMs } from '../../summaries/buckets.ts';
import { hourSql, isPersonSql } from '../../summaries/hours.ts';
import type { Dimensions } from '../questions.ts';
import type { Range } from '../range.ts';
import { type Counted, type Summary, summarise } from '../summary.ts';
import { ask } from './ask.ts';

/** After this a summary from the KV snapshot is worth more than waiting. */
export const SUMMARY_LIMIT_MS = 3_000;

/** Throws DatabaseUnavailable after `limitMs`. `now` is in milliseconds since 1970. */
export async function summary(
  config: Config,
  range: Range,
  filters: Dimensions,
  now: number,
  limitMs = SUMMARY_LIMIT_MS,
): Promise<Summary> {
  const { rows } = await ask(config, (db) => db.execute<Row>(statement(range, filters)), limitMs);
  const [row] = rows;
  if (row === undefined) throw new Error('The summary answered without a row.');
  const { people, durations, ...counted } = row;
  const percentile = (fraction: number) =>
    percentileMs(
      durations.map(([bucket, attempts]) => ({ bucket, attempts })),
      fraction,
    );
  return summarise({
    ...counted,
    people: Number(people),
    durationMs: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) },
    range,
    filters,
    keptSince: keptMonths(new Date(now), config.RETENTION_DAYS).from,
  });
}

type Row = Pick<Counted, 'asOf' | 'summed' | 'series' | 'rules' | 'applications' | 'issuers'> & {
  durations: [bucket: number, attempts: number][];
  people: string;
};

/**
 * `written_in` has two bounds where one would do: with one the planner expects a third of all attempts and reads the table
 * from end to end. The second is the highest there is.
 *
 * While sums are stopped (progress lies beyond this Postgres' transactions) the attempts of the range are counted instead.
 */
function statement(range: Range, filters: Dimensions): SQL {
  const from = sql`${range.from.toISOString()}::timestamptz`;
  const to = sql`${range.to.toISOString()}::timestamptz`;
  const inRange = and(
    gte(attempts.occurredAt, range.from),
    lt(attempts.occurredAt, range.to),
    matching(attempts, filters),
  );
  const counted = sql`${hourSql} as hour, step, outcome, rule, client_id, issuer, object_id, ${bucketSql()} as bucket`;
  const start = sql`extract(epoch from date_trunc(${sql.raw(`'${range.interval}'`)}, hour, 'UTC'))::bigint`;
  const person = filters.clientId === undefined ? undefined : eq(hourlyPeople.clientId, filters.clientId);
  return sql`
    with progress as materialized (
      select ${summingProgress.summedBefore} as lo,
        ${summingProgress.summedBefore} <= pg_snapshot_xmax(pg_current_snapshot()) as usable
      from ${summingProgress}
    ), since as materialized (
      select ${counted} from ${attempts}
      where (select usable from progress) and ${attempts.writtenIn} >= (select lo from progress)
        and ${attempts.writtenIn} <= '18446744073709551615' and ${inRange}
      union all
      select ${counted} from ${attempts} where (select usable from progress) is not true and ${inRange}
    ), counted as materialized (
      select ${start} as start, step, outcome, rule, client_id, issuer, attempts from ${hourlyCounts}
      where (select usable from progress) and hour >= ${from} and hour < ${to} and ${matching(hourlyCounts, filters) ?? sql`true`}
      union all
      select ${start}, step, outcome, rule, client_id, issuer, 1 from since
    ), durations as (
      select bucket, attempts from ${hourlyDurations}
      where (select usable from progress) and hour >= ${from} and hour < ${to} and ${matching(hourlyDurations, filters) ?? sql`true`}
      union all
      select bucket, 1 from since
    ), people as (
      select object_id from ${hourlyPeople}
      where (select usable from progress) and hour >= ${from} and hour < ${to} and ${person ?? sql`true`}
      union
      select object_id from since where ${isPersonSql}
    )
    select extract(epoch from now())::float8 as "asOf", coalesce((select usable from progress), false) as summed,
      (${grouped('start', 'step', 'outcome')}) as series,
      (${grouped('rule')}) as rules,
      (${grouped('client_id', 'outcome')}) as applications,
      (${grouped('issuer', 'outcome')}) as issuers,
      (select coalesce(json_agg(json_build_array(bucket, attempts)), '[]')
        from (select bucket, sum(attempts)::bigint as attempts from durations group by bucket) as grouped) as durations,
      (select count(*) from people) as people`;
}

/** Attempts by these columns, as arrays of their values and the number. */
function grouped(...columns: readonly string[]): SQL {
  const names = sql.raw(columns.join(', '));
  return sql`select coalesce(json_agg(json_build_array(${names}, attempts)), '[]')
    from (select ${names}, sum(attempts)::bigint as attempts from counted group by ${names}) as grouped`;
}

function matching(table: typeof attempts | typeof hourlyCounts | typeof hourlyDurations, filters: Dimensions) {
  const { step, outcome, clientId, issuer, rule } = filters;
  return and(
    step === undefined ? undefined : eq(table.step, step),
    outcome === undefined ? undefined : eq(table.outcome, outcome),
    clientId === undefined ? undefined : eq(table.clientId, clientId),
    issuer === undefined ? undefined : eq(table.issuer, issuer),
    rule === undefined ? undefined : eq(table.rule, rule),
  );
}
