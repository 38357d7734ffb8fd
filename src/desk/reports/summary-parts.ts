/** Parts of a summary that `include` asks for, and the sentences on why one is left out. Pure. */
import { HOUR_MS } from '../../platform/duration.ts';
import { dayOf, type Stretch } from './parts.ts';
import type { Dimensions } from './questions.ts';

/**
 * `durations`: percentiles by day or hour; `facets`: breakdowns by reason, caller and others, also with filters that
 * the aggregates lack; `minutes`: attempts by minute; `people`: distinct people of each outcome and rule.
 */
export const SUMMARY_PARTS = ['durations', 'facets', 'minutes', 'people'] as const;
export type SummaryPart = (typeof SUMMARY_PARTS)[number];

/** Minutes, and percentiles by hour, are counted from the attempts of this many hours. */
export const RECENT_HOURS = 48;
/** With a filter that `daily_facets` lacks, facets are counted from the attempts. */
export const MAX_FACET_DAYS = 7;

export const FACET_MEMBERS =
  '"byReason", "byCaller", "byLanguage", "byDegraded", "byPolicyVersion" and "byFailedRule" are';

/** Whether facets have to be counted from the attempts: `daily_facets` has only step and outcome. */
export const readsAttempts = ({ clientId, issuer, rule }: Dimensions): boolean =>
  [clientId, issuer, rule].some((filter) => filter !== undefined);

/** Why facets are not counted; undefined when they are. */
export function whyNoFacets(
  range: Stretch,
  filters: Dimensions,
  keptSince: Date,
  include: readonly SummaryPart[],
): string | undefined {
  if (!readsAttempts(filters)) return undefined;
  if (!include.includes('facets'))
    return `${FACET_MEMBERS} left out: with clientId, issuer or rule they are counted only on request. Add include=facets, for at most ${MAX_FACET_DAYS} days.`;
  if (range.from < keptSince)
    return `${FACET_MEMBERS} left out: with clientId, issuer or rule they are counted from the attempts, and those before ${dayOf(keptSince)} are deleted. Choose a later "from".`;
  return undefined;
}

/** The hours of a range that are among the last {@link RECENT_HOURS}; undefined when none is. */
export function recentOf({ from, to }: Stretch, now: number): Stretch | undefined {
  const first = Math.floor(now / HOUR_MS - RECENT_HOURS) * HOUR_MS;
  const start = new Date(Math.max(from.getTime(), first));
  return start < to ? { from: start, to } : undefined;
}

export const notRecent = (part: 'minutes' | 'durations'): string =>
  part === 'minutes'
    ? `"minutes" is left out: it exists only for the last ${RECENT_HOURS} hours. Choose a later "to".`
    : `Percentiles by hour are left out: they exist only for the last ${RECENT_HOURS} hours. Choose a later "to", or interval=day.`;

export const tooSlow = (what: string): string =>
  `${what} left out: counting took too long. Choose a shorter range or try again later.`;

/** Why the people of outcomes and rules cannot be counted for these filters; undefined when they can. */
export function whyNoPeopleOfEach({ outcome, rule, ...others }: Dimensions): string | undefined {
  const alone = outcome === undefined || rule === undefined;
  return alone && Object.values(others).every((filter) => filter === undefined)
    ? undefined
    : 'The member "people" is left out: it is counted only without filters, or with either outcome or rule alone. Remove the other filters.';
}

export const PEOPLE_OF_EACH_UNKNOWN =
  'The member "people" is left out: some of these days have only counts of attempts. Choose a later "from".';

/** The same period before: as long as the part of the range that is over at `now`, rounded up to whole hours. */
export function beforeOf({ from, to }: Stretch, now: number): Stretch {
  const over = Math.max(from.getTime(), Math.min(to.getTime(), Math.ceil(now / HOUR_MS) * HOUR_MS));
  const length = to.getTime() - from.getTime();
  return { from: new Date(from.getTime() - length), to: new Date(over - length) };
}

export const BEFORE_UNKNOWN =
  '"before" is left out: for a rule together with clientId or issuer, the attempts of the period before are deleted. Choose a later "from", or interval=day.';
