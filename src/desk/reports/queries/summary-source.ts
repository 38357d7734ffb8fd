/** Where the numbers of a summary are read from: daily or hourly aggregates, or the attempts. */
import { type Days, partsOf, type RangeParts, type Stretch } from '../parts.ts';
import type { Dimensions } from '../questions.ts';
import { combines, lacksHours, type SummaryRange } from '../range.ts';
import { isIndexed } from './candidates.ts';
import type { Progress } from './sums.ts';

export interface SummaryLimits {
  readonly ms: number;
  /** Maximum of attempts read when the aggregates do not have the combination of filters. */
  readonly attempts: number;
}
/** Through an index, each attempt is a page to read. The attempts of a whole day are adjacent. */
const INDEXED_COST = 10;

/** Where the numbers are read from. */
export interface Source {
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
export function sourceOf(
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

export const later = (one: Date, other: Date) => (one > other ? one : other);
