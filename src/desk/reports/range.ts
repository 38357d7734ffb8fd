/** Which stretch of time a report covers. Pure; `now` is in milliseconds since 1970. */
import { DAY_MS, HOUR_MS } from '../../platform/duration.ts';
import type { Position } from '../http/cursor.ts';
import type { Dimensions, Filters, Interval, SummaryQuestion } from './questions.ts';

export const INTERVAL_MS = { hour: HOUR_MS, day: DAY_MS } as const;
const DEFAULT_DAYS = 7;
/** A series of more points is unreadable, and the sums behind it too many for the time a summary has. */
const MAX_DAYS = { hour: 31, day: 400 } as const;

/**
 * Where a list begins: what was asked; else where its first page began; else seven days back. Undefined, which is everything
 * kept, when the question is after one person or one call.
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

/** What a summary covers, rounded outwards; or a sentence on what to give as `from` instead. */
export function summaryRange({ from, to, interval = 'hour' }: SummaryQuestion, now: number): SummaryRange | string {
  const end = to?.getTime() ?? now;
  const start = from?.getTime() ?? end - DEFAULT_DAYS * DAY_MS;
  if (start >= end) return 'not in the past: give an earlier one, or a "to" after it';
  if (end - start > MAX_DAYS[interval] * DAY_MS) {
    const instead = interval === 'hour' ? `, or interval=day for up to ${MAX_DAYS.day} days` : '';
    return `more than ${MAX_DAYS[interval]} days before "to": give a shorter time${instead}`;
  }
  const unit = INTERVAL_MS[interval];
  const used = { from: new Date(Math.floor(start / unit) * unit), to: new Date(Math.ceil(end / unit) * unit) };
  return { interval, ...used };
}

/**
 * The range as far as it is known when attempts before `gone` are no longer retained: whole days there, since the hours of a
 * day are known of the attempts alone; and days throughout for filters whose hours are not summed.
 */
export function knownRange({ interval, from, to }: SummaryRange, filters: Dimensions, gone: Date): SummaryRange {
  if (from >= gone) return { interval, from, to };
  const byDay = lacksHours(filters);
  const floor = new Date(Math.floor(from.getTime() / DAY_MS) * DAY_MS);
  const ceil = new Date(Math.ceil(to.getTime() / DAY_MS) * DAY_MS);
  return { interval: byDay ? 'day' : interval, from: floor, to: byDay || to < gone ? ceil : to };
}

/** Whether hours are not summed for these filters (`hourly_totals`): a rule together with an application or an issuer. */
export const lacksHours = (filters: Dimensions): boolean => filters.rule !== undefined && combines(filters);

/** Whether more than one of clientId, issuer and rule is given. */
export const combines = ({ clientId, issuer, rule }: Dimensions): boolean =>
  [clientId, issuer, rule].filter((filter) => filter !== undefined).length > 1;
