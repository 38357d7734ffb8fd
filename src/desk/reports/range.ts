/** The range of time that a report covers. Pure; `now` is in milliseconds since 1970. */
import { DAY_MS, HOUR_MS } from '../../platform/duration.ts';
import type { Position } from '../http/cursor.ts';
import type { Stretch } from './parts.ts';
import type { Dimensions, Filters, Interval, SummaryQuestion } from './questions.ts';
import { MAX_FACET_DAYS, readsAttempts } from './summary-parts.ts';

export const INTERVAL_MS = { hour: HOUR_MS, day: DAY_MS } as const;
const DEFAULT_DAYS = 7;
/** A longer series is unreadable, and takes longer to count than the summary's timeout. */
const MAX_DAYS = { hour: 31, day: 400 } as const;

/**
 * Start of a list: its `from`, else the start of its first page, else seven days ago. Undefined (everything retained)
 * when it asks for one person or one call.
 */
export function listFrom(filters: Filters, after: Position | undefined, now: number): Date | undefined {
  const { from, to, objectId, email, supportCode, correlationId } = filters;
  if (from !== undefined) return from;
  if (after?.from !== undefined) return after.from;
  if ([objectId, email, supportCode, correlationId].some((filter) => filter !== undefined)) return undefined;
  return new Date((to?.getTime() ?? now) - DEFAULT_DAYS * DAY_MS);
}

/** Whole hours or days (UTC), `from` inclusive, `to` exclusive. */
export interface SummaryRange {
  readonly interval: Interval;
  readonly from: Date;
  readonly to: Date;
}

/** The range of a summary, rounded outwards; or the message that refuses `from`. */
export function summaryRange(
  { from, to, interval = 'hour', include = [], ...filters }: SummaryQuestion,
  now: number,
): SummaryRange | string {
  const end = to?.getTime() ?? now;
  const start = from?.getTime() ?? end - DEFAULT_DAYS * DAY_MS;
  if (start >= end) return 'not in the past: give an earlier time, or a later "to"';
  if (end - start > MAX_DAYS[interval] * DAY_MS) {
    const instead = interval === 'hour' ? `, or interval=day for up to ${MAX_DAYS.day} days` : '';
    return `more than ${MAX_DAYS[interval]} days before "to": give a shorter range${instead}`;
  }
  if (include.includes('facets') && readsAttempts(filters) && end - start > MAX_FACET_DAYS * DAY_MS) {
    return `more than ${MAX_FACET_DAYS} days before "to": with clientId, issuer or rule, facets are counted from the attempts. Give a shorter range, or leave out include=facets`;
  }
  const unit = INTERVAL_MS[interval];
  const used = { from: new Date(Math.floor(start / unit) * unit), to: new Date(Math.ceil(end / unit) * unit) };
  return { interval, ...used };
}

/** A secret that is retired is compared with a month of use: some applications are used once a month. */
const CALLERS_DAYS = 30;

/** The range of the report on credentials, rounded outwards to whole days; or the message that refuses `from`. */
export function callersRange({ from, to }: Pick<SummaryQuestion, 'from' | 'to'>, now: number): SummaryRange | string {
  const start = from ?? new Date((to?.getTime() ?? now) - CALLERS_DAYS * DAY_MS);
  return summaryRange({ from: start, to, interval: 'day' }, now);
}

/** By default a day: "is the log complete?" is asked about the last hours. */
const COMPLETENESS_DAYS = 1;
/** The attempts of the range are read. A week by hour, rounded outwards, is a little longer than seven days. */
export const MAX_COMPLETENESS_DAYS = 8;

/** The hours of the report on completeness, rounded outwards, at most up to the current one; or why there are none. */
export function completenessRange({ from, to }: Pick<SummaryQuestion, 'from' | 'to'>, now: number): Stretch | string {
  const end = Math.min(to?.getTime() ?? now, now);
  const start = from ?? new Date(end - COMPLETENESS_DAYS * DAY_MS);
  if (end - start.getTime() > MAX_COMPLETENESS_DAYS * DAY_MS)
    return `more than ${MAX_COMPLETENESS_DAYS} days before "to": give a shorter range`;
  const range = summaryRange({ from: start, to: new Date(end), interval: 'hour' }, now);
  return typeof range === 'string' ? range : { from: range.from, to: range.to };
}

/**
 * Extends the part of a range before `gone`, where the attempts are deleted, to whole days: the hours at its edges were
 * only in the attempts. For filters without hourly aggregates, the whole range becomes days.
 */
export function knownRange({ interval, from, to }: SummaryRange, filters: Dimensions, gone: Date): SummaryRange {
  if (from >= gone) return { interval, from, to };
  const byDay = lacksHours(filters);
  const floor = new Date(Math.floor(from.getTime() / DAY_MS) * DAY_MS);
  const ceil = new Date(Math.ceil(to.getTime() / DAY_MS) * DAY_MS);
  return { interval: byDay ? 'day' : interval, from: floor, to: byDay || to < gone ? ceil : to };
}

/** True for a rule together with an application or issuer: `hourly_totals` does not have that combination. */
export const lacksHours = (filters: Dimensions): boolean => filters.rule !== undefined && combines(filters);

/** Whether more than one of clientId, issuer and rule is given. */
export const combines = ({ clientId, issuer, rule }: Dimensions): boolean =>
  [clientId, issuer, rule].filter((filter) => filter !== undefined).length > 1;
