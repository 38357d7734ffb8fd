/**
 * Reads the numbers of a summary: whole days from the daily aggregates, the rest from the attempts. The cost depends on
 * the number of days and on the attempts of a few hours. Each statement also returns the end of the summed hours in its
 * snapshot. If it has moved since the range was divided, the summary starts again.
 */
import { sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import { retainedMonths } from '../../../database/partitions.ts';
import { type RunQuery, runQuery } from '../../../database/run-query.ts';
import { DatabaseUnavailable } from '../../../database/unavailable.ts';
import type { Config } from '../../../platform/config.ts';
import { partsOf, type RangeParts, type Stretch } from '../parts.ts';
import type { Dimensions } from '../questions.ts';
import { combines, knownRange, lacksHours, type SummaryRange } from '../range.ts';
import { SHADOW_TOO_SLOW } from '../shadow-report.ts';
import { SIGN_INS_TOO_SLOW, whyNoSignIns } from '../sign-in-summary.ts';
import { LIST_LIMITS } from '../spans.ts';
import {
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
import { beforeSql, seenSql } from './before-and-seen.ts';
import { daysWithMatches } from './candidates.ts';
import { differentPeople } from './different-people.ts';
import { countFacets } from './facet-counts.ts';
import { peopleOfEach } from './people-of-each.ts';
import { percentilesOf } from './percentiles.ts';
import { hourlyDurations, minutesIn } from './recent-counts.ts';
import { refusedKinds } from './refused.ts';
import { compared } from './shadow-counts.ts';
import { countSignIns } from './sign-in-counts.ts';
import { later, type SummaryLimits, sourceOf } from './summary-source.ts';
import { type Numbers, numbersOf } from './summary-sql.ts';
import { at, progress } from './sums.ts';

/** A summary from the KV snapshot is better than a longer wait. */
export const SUMMARY_LIMIT_MS = 3_000;
/** The end of the summed hours moves once an hour, so one retry is enough in practice. */
const MAX_TRIES = 3;

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

const leftOutWhenSlow = (sentence: string) => (error: unknown) => {
  if (error instanceof DatabaseUnavailable) return sentence;
  throw error;
};
