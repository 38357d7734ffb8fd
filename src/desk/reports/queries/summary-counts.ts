/**
 * Reads the numbers of a summary: whole days from the daily aggregates, the rest from the attempts. The cost depends on
 * the number of days and on the attempts of a few hours. Each statement also returns the end of the summed hours in its
 * snapshot. If it has moved since the range was divided, the summary starts again.
 */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import { retainedMonths } from '../../../database/partitions.ts';
import { type RunQuery, runQuery } from '../../../database/run-query.ts';
import { attempts, dailyCounts, dailyDurations, dirtyHours, hourlyTotals } from '../../../database/schema.ts';
import { DatabaseUnavailable } from '../../../database/unavailable.ts';
import type { Config } from '../../../platform/config.ts';
import { bucketSql } from '../../aggregates/buckets.ts';
import { hourSql } from '../../aggregates/hours.ts';
import { type Days, partsOf, type RangeParts, type Stretch } from '../parts.ts';
import type { Dimensions } from '../questions.ts';
import { combines, knownRange, lacksHours, type SummaryRange } from '../range.ts';
import { SHADOW_TOO_SLOW } from '../shadow-report.ts';
import { SIGN_INS_TOO_SLOW, whyNoSignIns } from '../sign-in-summary.ts';
import { LIST_LIMITS } from '../spans.ts';
import {
  type Counted,
  DURATIONS_TOO_MANY,
  PEOPLE_TOO_SLOW,
  PEOPLE_UNKNOWN,
  type Summary,
  summarise,
  whyNoPeople,
} from '../summary.ts';
import {
  BEFORE_UNKNOWN,
  beforeOf,
  FACET_MEMBERS,
  notRecent,
  PEOPLE_OF_EACH_UNKNOWN,
  readsAttempts,
  recentOf,
  type SummaryPart,
  tooSlow,
  whyNoFacets,
  whyNoPeopleOfEach,
} from '../summary-parts.ts';
import { applicationNames } from './application-names.ts';
import { type BeforeRow, beforeSql, type SeenRow, seenSql } from './before-and-seen.ts';
import { daysWithMatches, isIndexed } from './candidates.ts';
import { differentPeople } from './different-people.ts';
import { countFacets } from './facet-counts.ts';
import { peopleOfEach } from './people-of-each.ts';
import { percentilesOf, type TimedRow, timedSql } from './percentiles.ts';
import { hourlyDurations, minutesIn } from './recent-counts.ts';
import { refusedKinds } from './refused.ts';
import { compared } from './shadow-counts.ts';
import { countSignIns } from './sign-in-counts.ts';
import {
  at,
  type Dim,
  dimsOf,
  epochSecondsOf,
  inDays,
  inStretch,
  matching,
  type Progress,
  progress,
  untilSql,
} from './sums.ts';

/** A summary from the KV snapshot is better than a longer wait. */
export const SUMMARY_LIMIT_MS = 3_000;
/** The end of the summed hours moves once an hour, so one retry is enough in practice. */
const MAX_TRIES = 3;

export interface SummaryLimits {
  readonly ms: number;
  /** Maximum of attempts read when the aggregates do not have the combination of filters. */
  readonly attempts: number;
}
/** Through an index, each attempt is a page to read. The attempts of a whole day are adjacent. */
const INDEXED_COST = 10;
const LIMITS: SummaryLimits = { ms: SUMMARY_LIMIT_MS, attempts: LIST_LIMITS.attempts };

/**
 * Throws DatabaseUnavailable when the counts take longer than `limits.ms`. All other parts run in parallel and are left
 * out when they take too long. `now` is in milliseconds since 1970; `include` has the parts that cost more.
 */
export async function summary(
  config: Config,
  asked: SummaryRange,
  filters: Dimensions,
  now: number,
  limits: Partial<SummaryLimits> = {},
  include: readonly SummaryPart[] = [],
): Promise<Summary> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const answer = await summaryAt(config, asked, filters, now, { ...LIMITS, ...limits }, include);
    if (answer !== undefined) return answer;
  }
  throw new DatabaseUnavailable(new Error('The aggregates changed during each attempt to read them.'));
}

/** Undefined when the end of the summed hours moved meanwhile. */
async function summaryAt(
  config: Config,
  asked: SummaryRange,
  filters: Dimensions,
  now: number,
  limits: SummaryLimits,
  include: readonly SummaryPart[],
): Promise<Summary | undefined> {
  const { range, keptSince, source, known } = await runQuery(
    config,
    async (db, run) => {
      const known = await progress(db, run);
      const keptSince = later(known.droppedBefore, retainedMonths(new Date(now), config.RETENTION_DAYS).from);
      const range = knownRange(asked, filters, keptSince);
      const matched =
        combines(filters) && range.from >= keptSince ? await daysWithMatches(db, run, filters, range) : [];
      return { range, keptSince, known, source: sourceOf(range, filters, known, keptSince, matched, limits) };
    },
    limits.ms,
  );
  const parts = partsOf(range, known.until);
  const before = beforeOf(range, now);
  const beforeParts = partsOf(before, known.until);
  const incomparable = whyNoBefore(before, beforeParts, filters, keptSince);
  const unknowable = whyNoPeople(range, filters, keptSince, config.RETENTION_DAYS);
  const recent = recentOf(range, now);
  /** Runs a part, and returns why it is left out when that takes too long. */
  const part = <Answer>(sentence: string, count: Parameters<typeof runQuery<Answer>>[1]): Promise<Answer | string> =>
    runQuery(config, count, limits.ms).catch(leftOutWhenSlow(sentence));
  const ofRecent = <Answer>(
    name: 'minutes' | 'durations',
    sentence: string,
    count: (db: Database, run: RunQuery, stretch: Stretch) => Promise<Answer>,
  ) => {
    if (!include.includes(name)) return undefined;
    return recent === undefined ? notRecent(name) : part(sentence, (db, run) => count(db, run, recent));
  };
  // Many groups of days and buckets nearly double the time of a long range (measured).
  const timedByDay = range.interval === 'day' && include.includes('durations');
  const statement = numbersOf(range, filters, source, timedByDay, {
    before: incomparable === undefined ? beforeSql(beforeParts, filters) : sql`json_build_array()`,
    seen: seenSql(filters, known.until),
  });
  const [numbers, people, shadow, signIns, refused, facets, names, each, minutes, hourly] = await Promise.all([
    runQuery(config, (db, run) => run(db.execute<Numbers>(statement)), limits.ms),
    unknowable ??
      part(PEOPLE_TOO_SLOW, (db, run) => differentPeople(db, run, range, parts, keptSince, filters.clientId)),
    part(SHADOW_TOO_SLOW, (db, run) => compared(db, run, parts, filters)),
    whyNoSignIns(filters) ?? part(SIGN_INS_TOO_SLOW, (db, run) => countSignIns(db, run, parts, new Date(now))),
    runQuery(config, (db, run) => refusedKinds(db, run, range.from, range.to), limits.ms),
    whyNoFacets(range, filters, keptSince, include) ??
      part(tooSlow(FACET_MEMBERS), (db, run) => countFacets(db, run, facetParts(range, parts, filters), filters)),
    part(tooSlow('Names of applications are'), applicationNames),
    include.includes('people')
      ? (whyNoPeopleOfEach(filters) ??
        whyNoPeople(range, {}, keptSince, config.RETENTION_DAYS) ??
        part(tooSlow('The member "people" is'), (db, run) => peopleOfEach(db, run, range, parts, keptSince, filters)))
      : undefined,
    ofRecent('minutes', tooSlow('"minutes" is'), (db, run, stretch) => minutesIn(db, run, stretch, filters)),
    range.interval === 'hour'
      ? ofRecent('durations', tooSlow('Percentiles by hour are'), async (db, run, stretch) => ({
          from: stretch.from,
          rows: await hourlyDurations(db, run, stretch, filters),
        }))
      : undefined,
  ]);
  const [row] = numbers.rows;
  if (row === undefined) throw new Error('The summary answered without a row.');
  const untils = [row, people, shadow, signIns, facets, each].map((one) =>
    typeof one === 'object' ? one.until : undefined,
  );
  if (untils.some((until) => until !== undefined && at(until).getTime() !== known.until.getTime())) return undefined;
  const { timed, waiting, before: beforeRows, ...counted } = row;
  return summarise({
    ...counted,
    waiting: Number(waiting),
    people: typeof people === 'string' ? people : (people.people ?? PEOPLE_UNKNOWN),
    shadow: typeof shadow === 'string' ? shadow : shadow.rows,
    signIns: typeof signIns === 'string' ? signIns : signIns.rows,
    refused,
    durationMs: source.timed ? percentilesOf(timed) : DURATIONS_TOO_MANY,
    daily: source.timed && timedByDay ? timed : undefined,
    before: incomparable ?? { stretch: before, rows: beforeRows },
    facets: typeof facets === 'string' ? facets : facets.rows,
    names,
    peopleOfEach: typeof each === 'object' ? (each.rows ?? PEOPLE_OF_EACH_UNKNOWN) : each,
    minutes,
    hourly,
    asked,
    range,
    filters,
    keptSince,
  });
}

/** Facets by dimensions that `daily_facets` lacks are counted from the attempts of the whole range. */
const facetParts = ({ from, to }: SummaryRange, parts: RangeParts, filters: Dimensions): RangeParts =>
  readsAttempts(filters) ? { days: undefined, edges: [{ from, to }], live: undefined } : parts;

/** Why the period before cannot be counted: hours of it were only in the attempts, and those are deleted. */
const whyNoBefore = (
  before: Stretch,
  { edges }: RangeParts,
  filters: Dimensions,
  keptSince: Date,
): string | undefined =>
  lacksHours(filters) && edges.length > 0 && before.from < keptSince ? BEFORE_UNKNOWN : undefined;

const later = (one: Date, other: Date) => (one > other ? one : other);

const leftOutWhenSlow = (sentence: string) => (error: unknown) => {
  if (error instanceof DatabaseUnavailable) return sentence;
  throw error;
};

/** Where the numbers are read from. */
interface Source {
  /** Whole days, from the daily aggregates. */
  readonly days: Days | undefined;
  /** Hours of the series, from the hourly aggregates; undefined: from `days` and `stretches`. */
  readonly hours: Stretch | undefined;
  /** Stretches read from the attempts. */
  readonly stretches: readonly Stretch[];
  /** False when durations are unknown. */
  readonly timed: boolean;
}

/**
 * Aggregates of durations have one of clientId, issuer and rule at a time; hourly aggregates also have clientId with
 * issuer. For other combinations the attempts are read, on days with matches. Durations are left out if these attempts
 * are too many.
 */
function sourceOf(
  range: SummaryRange,
  filters: Dimensions,
  { until }: Progress,
  keptSince: Date,
  matched: readonly (Stretch & { readonly attempts: number })[],
  limits: SummaryLimits,
): Source {
  const { days, edges, live }: RangeParts = partsOf(range, until);
  const unsummed = live === undefined ? [] : [live];
  const byHour = range.interval === 'hour';
  const hours = byHour ? { from: range.from, to: live?.from ?? range.to } : undefined;
  if (combines(filters)) {
    const counted = matched.reduce((sum, { attempts }) => sum + attempts, 0);
    const few = counted * (isIndexed(filters) ? INDEXED_COST : 1) <= limits.attempts;
    if (range.from >= keptSince && (few || (byHour && lacksHours(filters)))) {
      const summed = { from: range.from, to: range.to < until ? range.to : until };
      return { days: undefined, hours: undefined, stretches: [...joined(matched, summed), ...unsummed], timed: true };
    }
    return { days, hours: lacksHours(filters) ? undefined : hours, stretches: [...edges, ...unsummed], timed: false };
  }
  return { days, hours, stretches: [...edges, ...unsummed], timed: true };
}

/** Clips days, in order, and joins adjacent ones. */
function joined(days: readonly Stretch[], { from, to }: Stretch): Stretch[] {
  const all: Stretch[] = [];
  for (const day of days) {
    const clipped = { from: later(day.from, from), to: day.to < to ? day.to : to };
    const last = all.at(-1);
    if (clipped.from >= clipped.to) continue;
    if (last?.to.getTime() === clipped.from.getTime()) all[all.length - 1] = { from: last.from, to: clipped.to };
    else all.push(clipped);
  }
  return all;
}

type Numbers = Pick<Counted, 'asOf' | 'steps' | 'series' | 'rules' | 'applications' | 'issuers'> & {
  until: number;
  before: BeforeRow[];
  seen: SeenRow[];
  waiting: string;
  timed: TimedRow[];
};

/** Durations are counted by day or together. `parts` are expressions that the row also has. */
function numbersOf(
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
      (select count(*) from ${dirtyHours} where ${and(
        sql`${dirtyHours.marks} > ${dirtyHours.summed}`,
        gte(dirtyHours.hour, range.from),
        lt(dirtyHours.hour, range.to),
        sql`${dirtyHours.hour} < ${untilSql}`,
      )}) as waiting,
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
