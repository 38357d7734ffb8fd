/** Time zones by their IANA name. Pure. Times are in milliseconds since 1970. */
import { inZone, isZone } from '../../expressions/dates.ts';
import { closest } from '../../platform/closest-name.ts';
import { DAY_MS } from '../../platform/duration.ts';

/** An offset is no zone: it does not know when clocks change. */
export const isZoneName = (typed: string): boolean => /^[a-z]/i.test(typed) && isZone(typed);

/** The zone that an unknown name probably means: `berlin`, `New York` and `Europe/Berlim` are not names of zones. */
export function nearZone(typed: string): string | undefined {
  const known = Intl.supportedValuesOf('timeZone');
  const wanted = plain(typed);
  return (
    known.find((zone) => plain(zone) === wanted) ??
    known.find((zone) => plain(zone.slice(zone.lastIndexOf('/') + 1)) === wanted) ??
    closest(typed, known)
  );
}
const plain = (name: string) => name.toLowerCase().replace(/[\s_-]+/g, '');

/** What clocks in the zone show at a time: a time in UTC with the same fields. */
export const shownAt = (time: number, zone: string): number => inZone(time, zone)?.getTime() ?? time;

/**
 * The first moment at which clocks in the zone show `wall` (a time in UTC with the same fields) or later. So a time
 * that clocks show twice is the earlier one, and one that they skip is the moment in which they skip it.
 */
export function firstShowing(wall: number, zone: string): number {
  const offsetAt = (time: number) => shownAt(time, zone) - time;
  const found = [-DAY_MS, DAY_MS].map((around) => wall - offsetAt(wall + around));
  const [early = wall, late = wall] = found.toSorted((a, b) => a - b);
  if (shownAt(early, zone) === wall) return early;
  if (shownAt(late, zone) === wall) return late;
  // Clocks skip it between the two.
  let [before, after] = [early, late];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (shownAt(middle, zone) < wall) before = middle;
    else after = middle;
  }
  return after;
}
