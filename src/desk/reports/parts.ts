/**
 * Divides a range by source: whole days come from the daily aggregates; hours at the edges and hours that are not
 * summed yet come from the attempts. Pure.
 */
import { DAY_MS } from '../../platform/duration.ts';

/** From `from` (inclusive) to `to` (exclusive). */
export interface Stretch {
  readonly from: Date;
  readonly to: Date;
}

/** Days in UTC as `2026-11-21`, `to` exclusive. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

export interface RangeParts {
  /** Whole days whose hours in the range are all summed; undefined when there are none. */
  readonly days: Days | undefined;
  /** Summed hours of days that are only partly in the range. */
  readonly edges: readonly Stretch[];
  /** Hours that are not summed yet. */
  readonly live: Stretch | undefined;
}

/** The range consists of whole hours. Hours before `until`, the end of an hour, are summed. */
export function partsOf({ from, to }: Stretch, until: Date): RangeParts {
  const [start, end, line] = [from, to, until].map((instant) => instant.getTime()) as [number, number, number];
  const live = end > line ? stretch(Math.max(start, line), end) : undefined;
  if (start >= Math.min(end, line)) return { days: undefined, edges: [], live };
  const first = Math.ceil(start / DAY_MS) * DAY_MS;
  // The aggregates of the day of `until` contain exactly its hours before `until`.
  const last = end >= line ? Math.ceil(line / DAY_MS) * DAY_MS : Math.floor(end / DAY_MS) * DAY_MS;
  if (first >= last) return { days: undefined, edges: [stretch(start, Math.min(end, line))], live };
  const edges = [
    ...(start < first ? [stretch(start, first)] : []),
    ...(last < end && end < line ? [stretch(last, end)] : []),
  ];
  return { days: { from: dayOf(first), to: dayOf(last) }, edges, live };
}

/** The UTC day of an instant, as `2026-11-21`. */
export const dayOf = (instant: Date | number): string => new Date(instant).toISOString().slice(0, 10);

const stretch = (from: number, to: number): Stretch => ({ from: new Date(from), to: new Date(to) });
