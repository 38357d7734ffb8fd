/** Builds a summary from counted rows, with sentences on what the numbers cover. Pure. */

import { OUTCOMES } from '../../attempts/attempt.ts';
import { DAY_MS } from '../../platform/duration.ts';
import { STEPS } from '../../sign-in/steps.ts';
import type { AnswerOf } from '../http/operation.ts';
import {
  type BreakdownRows,
  breakdownsOf,
  by,
  type FacetRow,
  facetBreakdownsOf,
  isTruncated,
  MAX_GROUPS,
  total,
} from './breakdowns.ts';
import { completenessAddress } from './completeness.ts';
import { dayOf, type Stretch } from './parts.ts';
import type { BeforeRow, SeenRow } from './queries/before-and-seen.ts';
import type { PeopleRow } from './queries/people-of-each.ts';
import { type Percentiles, percentilesByStart, type TimedRow } from './queries/percentiles.ts';
import type { MinuteRow } from './queries/recent-counts.ts';
import type { RefusedKind } from './queries/refused.ts';
import type { Dimensions } from './questions.ts';
import { INTERVAL_MS, type SummaryRange } from './range.ts';
import { serviceInWords } from './service-in-words.ts';
import { type Compared, comparison, shadowCoverage } from './shadow-report.ts';
import { type CountedSignIns, signInCoverage, signInsOf } from './sign-in-summary.ts';
import type { summaryAnswer } from './summary-answer.ts';

export type Summary = AnswerOf<typeof summaryAnswer>;

/** Counts from the database. Times are in seconds since 1970. */
export interface Counted extends BreakdownRows {
  readonly asOf: number;
  readonly series: readonly (readonly [start: number, step: string, outcome: string, attempts: number])[];
  /** In this and the next members up to `signIns`, a string says why the member is left out. */
  readonly people: number | string;
  readonly durationMs: Percentiles | string;
  /** Durations by day, when the question included them and they are known. */
  readonly daily: readonly TimedRow[] | undefined;
  readonly before: { readonly stretch: Stretch; readonly rows: readonly BeforeRow[] } | string;
  readonly facets: readonly FacetRow[] | string;
  /** Application names by client id. */
  readonly names: ReadonlyMap<string, string> | string;
  /** In this and the next two members, undefined when the question did not include it. */
  readonly peopleOfEach: readonly PeopleRow[] | string | undefined;
  readonly minutes: readonly MinuteRow[] | string | undefined;
  readonly hourly: { readonly from: Date; readonly rows: readonly TimedRow[] } | string | undefined;
  readonly shadow: Compared;
  readonly signIns: CountedSignIns;
  readonly refused: readonly RefusedKind[];
  /** Number of hours in the range with late attempts that are not summed yet. */
  readonly waiting: number;
  /** The requested range. */
  readonly asked: SummaryRange;
  /** The range of the numbers. */
  readonly range: SummaryRange;
  readonly filters: Dimensions;
  readonly seen: readonly SeenRow[];
  /** Before this, only counts are retained, no attempts and people. */
  readonly keptSince: Date;
}

const MAX_RULES = 20;

export function summarise(counted: Counted): Summary {
  const { range, series, durationMs } = counted;
  const everything = series.map(([, step, outcome, attempts]) => ({ step, outcome, attempts }));
  const names = typeof counted.names === 'string' ? new Map<string, string>() : counted.names;
  const { breakdowns, truncated } = breakdownsOf(counted, names);
  const facets = typeof counted.facets === 'string' ? {} : facetBreakdownsOf(counted.facets);
  const totals = {
    attempts: total(everything),
    ...(typeof counted.people === 'number' ? { people: counted.people } : {}),
    byStep: by('step', everything, STEPS),
    byOutcome: by('outcome', everything, OUTCOMES),
  };
  const times = typeof durationMs === 'string' ? NO_PERCENTILES : durationMs;
  return {
    from: range.from.toISOString(),
    to: range.to.toISOString(),
    interval: range.interval,
    asOf: new Date(Math.floor(counted.asOf * 1_000)).toISOString(),
    totals,
    series: seriesOf(counted),
    ...beforeAndSeen(counted),
    topRules: breakdowns.byRule.slice(0, MAX_RULES).map(({ rule, attempts }) => ({ rule, attempts })),
    ...breakdowns,
    ...facets,
    durationMs: times,
    ...onRequest(counted),
    refusedCalls: counted.refused,
    serviceInWords: serviceInWords({
      totals,
      durationMs: times,
      ...breakdowns,
      ...facets,
      refusedCalls: counted.refused,
    }),
    completeness: completenessAddress(range),
    ...comparison(counted.shadow),
    ...signInsOf(counted.signIns),
    coverage: coverage(counted, truncated || (typeof counted.facets === 'object' && isTruncated(counted.facets))),
  };
}

interface Some {
  readonly step: string;
  readonly outcome: string;
  readonly attempts: number;
}

const NO_PERCENTILES: Percentiles = { p50: null, p95: null, p99: null };

/** The outcomes whose people are counted. */
const STOPPED = OUTCOMES.filter((outcome) => outcome !== 'continue');

const isoOf = (epochSeconds: number): string => new Date(epochSeconds * 1_000).toISOString();

function beforeAndSeen({ before, seen, filters }: Counted): Pick<Summary, 'before' | 'seen'> {
  const sightings = seen.map(([filter, first, last]) => ({ filter, value: filters[filter] ?? '', first, last }));
  const shown = sightings.length === 0 ? {} : { seen: sightings };
  if (typeof before === 'string') return shown;
  const some = before.rows.map(([outcome, attempts]) => ({ outcome, attempts }));
  const { from, to } = before.stretch;
  const period = { from: from.toISOString(), to: to.toISOString() };
  return { before: { ...period, attempts: total(some), byOutcome: by('outcome', some, OUTCOMES) }, ...shown };
}

/** The members that `include` asked for. */
function onRequest({ minutes, peopleOfEach, filters }: Counted): Pick<Summary, 'minutes' | 'people'> {
  const groups = Map.groupBy(Array.isArray(minutes) ? minutes : [], ([start]) => start);
  const byMinute = [...groups].map(([start, rows]) => {
    const some = rows.map(([, outcome, attempts]) => ({ outcome, attempts }));
    return { start: isoOf(start), attempts: total(some), byOutcome: by('outcome', some, OUTCOMES) };
  });
  const people = Array.isArray(peopleOfEach) ? peopleOfEach : undefined;
  const zeros =
    filters.rule === undefined && filters.outcome === undefined ? STOPPED.map((outcome) => [outcome, 0]) : [];
  const of = (wanted: PeopleRow[0]) => (people ?? []).filter(([kind]) => kind === wanted);
  return {
    ...(Array.isArray(minutes) ? { minutes: byMinute } : {}),
    ...(people === undefined
      ? {}
      : {
          people: {
            byOutcome: Object.fromEntries([...zeros, ...of('outcome').map(([, outcome, number]) => [outcome, number])]),
            byRule: of('rule').map(([, rule, number]) => ({ rule, people: number })),
          },
        }),
  };
}

function seriesOf({ range, series, daily, hourly }: Counted): Summary['series'] {
  const points = new Map<number, Some[]>();
  const stepMs = INTERVAL_MS[range.interval];
  for (let at = range.from.getTime(); at < range.to.getTime(); at += stepMs) points.set(at, []);
  for (const [start, step, outcome, attempts] of series) points.get(start * 1_000)?.push({ step, outcome, attempts });
  const byStart = daily ? { from: range.from, rows: daily } : hourly;
  const timed = typeof byStart === 'object' ? percentilesByStart(byStart.rows) : new Map<number, Percentiles>();
  // Of the hours, only the last 48 have percentiles.
  const timedFrom = typeof byStart === 'object' ? byStart.from.getTime() : Number.POSITIVE_INFINITY;
  return [...points].map(([start, some]) => ({
    start: new Date(start).toISOString(),
    attempts: total(some),
    byStep: by('step', some, STEPS),
    byOutcome: by('outcome', some, OUTCOMES),
    ...(start >= timedFrom ? { durationMs: timed.get(start) ?? NO_PERCENTILES } : {}),
  }));
}

/**
 * Attempts may arrive this late after the longest outage that queues bridge. By then retention may have deleted the
 * person's preceding visit.
 */
const LATEST_DAYS = 15;

/** Why distinct people cannot be counted for this question; undefined when they can. */
export function whyNoPeople(
  range: SummaryRange,
  { clientId: _, ...others }: Dimensions,
  keptSince: Date,
  retentionDays: number,
): string | undefined {
  if (Object.values(others).some((filter) => filter !== undefined)) {
    return '"totals.people" is left out: it is counted only without filters or with clientId alone. Remove the other filters.';
  }
  const days = (range.to.getTime() - range.from.getTime()) / DAY_MS;
  if (range.from >= keptSince || days <= retentionDays - LATEST_DAYS) return undefined;
  return `"totals.people" is left out: people are known only since ${dayOf(keptSince)}. Choose a later "from".`;
}

export const PEOPLE_TOO_SLOW =
  '"totals.people" is left out: counting different people took too long. Choose a shorter range or try again later.';
export const PEOPLE_UNKNOWN =
  '"totals.people" is left out: some of these days have only counts of attempts. Choose a later "from".';
export const DURATIONS_TOO_MANY =
  '"durationMs" is left out: a combination of clientId, issuer and rule is counted from the attempts, and these are too many. Choose a shorter range or only one of the three.';

/** Custom policies name exchanges. In a user flow, Microsoft has three steps. */
function aboutStep({ filters: { step }, steps }: Counted): string[] {
  const channels = steps.map(([channel]) => channel);
  if (step === undefined || STEPS.some((known) => known === step)) return [];
  if (channels.length === 0)
    return [
      `No call has the step "${step}". User flows have ${STEPS.join(', ')}; custom policies have the exchanges of the policy, in exactly its letters. Check it for typing errors.`,
    ];
  if (!channels.includes('user-flow')) return [];
  return [
    `The step "${step}" is none of the three of user flows (${STEPS.join(', ')}), and calls of a user flow had it in their body. Only calls with exactly this step are counted. Check the URL of the API connector.`,
  ];
}

function coverage(counted: Counted, truncated: boolean): string[] {
  const { asked, range, people, durationMs, waiting, keptSince } = counted;
  const sentences = [
    'The numbers count calls. A sign-up or sign-in makes one to three calls in a user flow, and as many as it has exchanges in a custom policy. A call that Microsoft retries counts twice.',
    ...signInCoverage(counted.signIns),
    typeof people === 'string'
      ? people
      : '"totals.people" counts the different accounts (objectIds) that reached the token step. It does not include people who were stopped during sign-up.',
    typeof durationMs === 'string'
      ? durationMs
      : '"durationMs" is the time in which Gatehouse replied to 50 %, 95 % and 99 % of the calls, at most 10 % too high. It does not include the network between Microsoft and Gatehouse.',
  ];
  sentences.push(...shadowCoverage(counted.shadow), ...partCoverage(counted));
  sentences.unshift(...aboutStep(counted));
  if (range.from < keptSince) {
    sentences.push(
      `Attempts before ${dayOf(keptSince)} are deleted: they are counted here, but can no longer be listed.`,
    );
  }
  if (range.interval !== asked.interval) {
    sentences.push(
      `Before ${dayOf(keptSince)}, numbers for a rule together with clientId or issuer exist only by day. The interval was changed to day.`,
    );
  } else if (range.from < asked.from || range.to > asked.to) {
    sentences.push(
      `Before ${dayOf(keptSince)}, numbers exist only for whole days. The range was extended to whole days.`,
    );
  }
  if (waiting > 0) {
    sentences.push(
      `Attempts that arrived late in ${waiting} hours of the range are not counted yet. They are counted within a few minutes.`,
    );
  }
  if (truncated) {
    sentences.push(
      `Only the ${MAX_GROUPS} most frequent values of a breakdown are listed, and ${MAX_RULES} of "topRules". The totals include all.`,
    );
  }
  return [...new Set(sentences)];
}

/** About the comparison with the period before, the facets, and the parts on request. */
function partCoverage({ before, facets, names, peopleOfEach, minutes, hourly }: Counted): string[] {
  return [
    typeof before === 'string'
      ? before
      : '"before" counts the same period before, up to the same hour. Days before Gatehouse was in use count as 0.',
    ...[facets, names, peopleOfEach, minutes, hourly].filter((part) => typeof part === 'string'),
    ...(Array.isArray(peopleOfEach)
      ? [
          'The member "people" counts a person by the objectId, else by the identity, else by the e-mail address: people who are turned away have no objectId. Calls without any of them are not included.',
        ]
      : []),
  ];
}
