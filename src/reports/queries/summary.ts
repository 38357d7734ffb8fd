/**
 * The numbers behind a summary. A statement reads progress, sums and the attempts written since, all in its one snapshot: an
 * attempt is either below progress and in the sums, or it is counted here, never both. The cost follows the sums of the
 * range and what was written since the last sum, never all attempts.
 */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { keptMonths } from '../../attempts/partitions.ts';
import type { Config } from '../../config.ts';
import type { Database } from '../../database/connect.ts';
import { attempts, hourlyCounts, hourlyDurations, hourlyPeople, summingProgress } from '../../database/schema.ts';
import { bucketSql, percentileMs } from '../../summaries/buckets.ts';
import { hourSql, isPersonSql } from '../../summaries/hours.ts';
import type { Dimensions } from '../questions.ts';
import type { Range } from '../range.ts';
import { SHADOW_TOO_SLOW } from '../shadow.ts';
import { type Counted, PEOPLE_TOO_SLOW, type Summary, summarise, whyNoPeople } from '../summary.ts';
import { DatabaseUnavailable } from '../unavailable.ts';
import { ask } from './ask.ts';
import { compared } from './shadow.ts';

/** After this a summary from the KV snapshot is worth more than waiting. */
export const SUMMARY_LIMIT_MS = 3_000;

/**
 * Throws DatabaseUnavailable when the numbers do not come within `limitMs`. Different people cost several times as much as all
 * numbers together, so they are asked for beside them, and left out when they take too long. `now` is in milliseconds since
 * 1970.
 */
export async function summary(
  config: Config,
  range: Range,
  filters: Dimensions,
  now: number,
  limitMs = SUMMARY_LIMIT_MS,
): Promise<Summary> {
  const keptSince = keptMonths(new Date(now), config.RETENTION_DAYS).from;
  const unknowable = whyNoPeople(range, filters, keptSince);
  const [[numbers], people, shadow] = await Promise.all([
    ask(config, (db) => read<Numbers>(db, numbersOf(range, filters)), limitMs),
    unknowable ??
      ask(config, (db) => read<People>(db, peopleOf(range, filters)), limitMs).catch(leftOutWhenSlow(PEOPLE_TOO_SLOW)),
    ask(config, (db) => compared(db, range, matching(attempts, filters)), limitMs).catch(
      leftOutWhenSlow(SHADOW_TOO_SLOW),
    ),
  ]);
  if (numbers === undefined) throw new Error('The summary answered without a row.');
  const { durations, ...counted } = numbers;
  const percentile = (fraction: number) =>
    percentileMs(
      durations.map(([bucket, attempts]) => ({ bucket, attempts })),
      fraction,
    );
  return summarise({
    ...counted,
    people: typeof people === 'string' ? people : Number(people[0]?.people ?? 0),
    shadow,
    durationMs: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) },
    range,
    step: filters.step,
    keptSince,
  });
}

const leftOutWhenSlow = (sentence: string) => (error: unknown) => {
  if (error instanceof DatabaseUnavailable) return sentence;
  throw error;
};

type Numbers = Pick<Counted, 'asOf' | 'summed' | 'series' | 'rules' | 'applications' | 'issuers'> & {
  durations: [bucket: number, attempts: number][];
};
type People = { people: string };

/**
 * Without just-in-time compilation, which the planner orders for the attempts it must expect in case sums are stopped: it
 * took longer than all the rest (measured: 1.8 s of 3.7). Hashing people needs memory; at the preset 4 MB it is done on disk.
 */
async function read<Row extends Record<string, unknown>>(db: Database, statement: SQL): Promise<Row[]> {
  const settings = sql.raw(`select set_config('jit', 'off', true), set_config('work_mem', '32MB', true)`);
  const [, { rows }] = await db.batch([db.execute(settings), db.execute<Row>(statement)]);
  return rows;
}

/**
 * `progress`, and as `since` the attempts that are in no sum. `written_in` has two bounds where one would do: with one the
 * planner expects a third of all attempts and reads the table from end to end. The second is the highest there is.
 *
 * While sums are stopped (progress lies beyond this Postgres' transactions) the attempts of the range are counted instead.
 */
function since(range: Range, filters: Dimensions): SQL {
  const inRange = and(
    gte(attempts.occurredAt, range.from),
    lt(attempts.occurredAt, range.to),
    matching(attempts, filters),
  );
  const counted = sql`${hourSql} as hour, step, outcome, rule, client_id, issuer, object_id, ${bucketSql()} as bucket`;
  return sql`
    progress as materialized (
      select ${summingProgress.summedBefore} as lo,
        ${summingProgress.summedBefore} <= pg_snapshot_xmax(pg_current_snapshot()) as usable
      from ${summingProgress}
    ), since as materialized (
      select ${counted} from ${attempts}
      where (select usable from progress) and ${attempts.writtenIn} >= (select lo from progress)
        and ${attempts.writtenIn} <= '18446744073709551615' and ${inRange}
      union all
      select ${counted} from ${attempts} where (select usable from progress) is not true and ${inRange}
    )`;
}

/** The condition on a table of sums. */
const summed = (
  table: typeof hourlyCounts | typeof hourlyDurations | typeof hourlyPeople,
  range: Range,
  condition: SQL | undefined,
) => and(sql`(select usable from progress)`, gte(table.hour, range.from), lt(table.hour, range.to), condition);

function numbersOf(range: Range, filters: Dimensions): SQL {
  const start = sql`extract(epoch from date_trunc(${sql.raw(`'${range.interval}'`)}, hour, 'UTC'))::bigint`;
  return sql`
    with ${since(range, filters)}, counted as materialized (
      select hour, step, outcome, rule, client_id, issuer, attempts from ${hourlyCounts}
      where ${summed(hourlyCounts, range, matching(hourlyCounts, filters))}
      union all
      select hour, step, outcome, rule, client_id, issuer, 1 from since
    ), by_hour as (
      select hour, step, outcome, sum(attempts) as attempts from counted group by hour, step, outcome
    ), starting as (
      select ${start} as start, step, outcome, attempts from by_hour
    ), durations as (
      select bucket, attempts from ${hourlyDurations}
      where ${summed(hourlyDurations, range, matching(hourlyDurations, filters))}
      union all
      select bucket, 1 from since
    )
    select extract(epoch from now())::float8 as "asOf", coalesce((select usable from progress), false) as summed,
      (${grouped('starting', 'start', 'step', 'outcome')}) as series,
      (${grouped('counted', 'rule')}) as rules,
      (${grouped('counted', 'client_id', 'outcome')}) as applications,
      (${grouped('counted', 'issuer', 'outcome')}) as issuers,
      (${grouped('durations', 'bucket')}) as durations`;
}

/** Attempts by these columns, as arrays of their values and the number. */
function grouped(table: string, ...columns: readonly string[]): SQL {
  const names = columns.join(', ');
  return sql.raw(`select coalesce(json_agg(json_build_array(${names}, attempts)), '[]')
    from (select ${names}, sum(attempts)::bigint as attempts from ${table} group by ${names}) as grouped`);
}

/** `group by` lets the planner hash; for `union` or `distinct` it expects as many people as rows, and sorts them all. */
function peopleOf(range: Range, { clientId, ...filters }: Dimensions): SQL {
  const ofClient = clientId === undefined ? undefined : eq(hourlyPeople.clientId, clientId);
  return sql`
    with ${since(range, { clientId, ...filters })}, people as (
      select object_id from ${hourlyPeople} where ${summed(hourlyPeople, range, ofClient)}
      union all
      select object_id from since where ${isPersonSql}
    )
    select count(*) as people from (select from people group by object_id) as different`;
}

/** The filters as a condition on a table that has their columns. */
export function matching(table: typeof attempts | typeof hourlyCounts | typeof hourlyDurations, filters: Dimensions) {
  const { step, outcome, clientId, issuer, rule } = filters;
  return and(
    step === undefined ? undefined : eq(table.step, step),
    outcome === undefined ? undefined : eq(table.outcome, outcome),
    clientId === undefined ? undefined : eq(table.clientId, clientId),
    issuer === undefined ? undefined : eq(table.issuer, issuer),
    rule === undefined ? undefined : eq(table.rule, rule),
  );
}
