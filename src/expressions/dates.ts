/** Dates as people type them and as connectors send them. Pure: `now` is in milliseconds since 1970; all days are UTC's. */

const MINUTE = 60_000;
/** RFC 3339: full-date, or date-time. */
const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:T([01]\d|2[0-3]):([0-5]\d):(?:[0-5]\d|60)(?:\.\d+)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d)))?$/i;

/** Whole years from that day to `now`'s; negative when it is to come; undefined for what is no day of the calendar. */
export function ageOf(text: string, now: number): number | undefined {
  const [, year, month, day, hours = '0', minutes = '0', sign, offsetHours = '0', offsetMinutes = '0'] =
    DATE.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(0);
  // Date.UTC takes years below 100 for those of the twentieth century.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1);
  const born = new Date(date.getTime() + (Number(hours) * 60 + Number(minutes) - offset) * MINUTE);
  const today = new Date(now);
  const years = today.getUTCFullYear() - born.getUTCFullYear();
  return dayOfYear(today) < dayOfYear(born) ? years - 1 : years;
}

/** Orders the days of any two years. Who was born on 29 February is a year older on 1 March. */
const dayOfYear = (date: Date) => date.getUTCMonth() * 100 + date.getUTCDate();

/** Whether a time can be told in that zone: an offset as in `+02:00`, or a name as in `Europe/Berlin`. */
export const isZone = (zone: string): boolean => offsetOf(zone) !== undefined || formatterOf(zone) !== undefined;

/**
 * A date whose UTC fields are what a clock in that zone shows. The library goes by way of this machine's own zone, where an
 * hour is missing every spring.
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

/** By the names in expressions, which are literals: as many as somebody wrote. */
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
