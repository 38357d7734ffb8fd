/** Dates from texts, and time zones. Pure. Times are in milliseconds since 1970, and days are days in UTC. */

const MINUTE = 60_000;
/** RFC 3339: full-date, or date-time. .NET writes birth dates as date-times without a time zone. */
const DATE =
  /^\s*(\d{4})-(\d{2})-(\d{2})(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::(?:[0-5]\d|60)(?:\.\d+)?)?(Z|([+-])([01]\d|2[0-3]):([0-5]\d))?)?\s*$/i;

/** Whole years from a date to `now`. Negative for a future date; undefined when the text is not a valid date. */
export function ageOf(text: string, now: number): number | undefined {
  const [, year, month, day, hours = '0', minutes = '0', zone, sign, offsetHours = '0', offsetMinutes = '0'] =
    DATE.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(0);
  // Date.UTC maps the years 0 to 99 to 1900 to 1999.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1);
  const time = zone === undefined ? 0 : Number(hours) * 60 + Number(minutes) - offset;
  const born = new Date(date.getTime() + time * MINUTE);
  const today = new Date(now);
  const years = today.getUTCFullYear() - born.getUTCFullYear();
  return dayOfYear(today) < dayOfYear(born) ? years - 1 : years;
}

/** Compares days across years. A birthday on 29 February counts from 1 March in other years. */
const dayOfYear = (date: Date) => date.getUTCMonth() * 100 + date.getUTCDate();

/** Whether the zone is valid: an offset such as `+02:00`, or a name such as `Europe/Berlin`. */
export const isZone = (zone: string): boolean => offsetOf(zone) !== undefined || formatterOf(zone) !== undefined;

/**
 * A date whose UTC fields are the local time in the zone. The CEL library converts through the machine's own zone,
 * which skips an hour every spring.
 */
export function inZone(time: number, zone: string | undefined): Date | undefined {
  const offset = zone === undefined ? 0 : offsetOf(zone);
  if (offset !== undefined) return new Date(time + offset);
  const formatter = formatterOf(zone ?? 'UTC');
  if (formatter === undefined) return undefined;
  const shown = new Map(formatter.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  const field = (name: Intl.DateTimeFormatPartTypes) => shown.get(name) ?? 0;
  const date = new Date(0);
  date.setUTCFullYear(field('year'), field('month') - 1, field('day'));
  date.setUTCHours(field('hour'), field('minute'), field('second'), new Date(time).getUTCMilliseconds());
  return date;
}

function offsetOf(zone: string): number | undefined {
  const [, sign, hours, minutes] = /^([+-]?)(\d\d):(\d\d)$/.exec(zone) ?? [];
  return hours === undefined ? undefined : (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -MINUTE : MINUTE);
}

/** By zone name. Names are literals in expressions, so there are few. */
const formatters = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATTERS = 100;

function formatterOf(zone: string): Intl.DateTimeFormat | undefined {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  try {
    const formatter = new Intl.DateTimeFormat('en-US', {
      hourCycle: 'h23',
      timeZone: zone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formatters.size >= MAX_FORMATTERS) formatters.clear();
    formatters.set(zone, formatter);
    return formatter;
  } catch {
    return undefined;
  }
}
