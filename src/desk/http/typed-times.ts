/** Times as people type them in a query string or a body: moments, dates in a zone, and how long ago. */
import * as z from 'zod/mini';
import { DAY_MS, HOUR_MS } from '../../platform/duration.ts';
import { firstShowing, isZoneName, nearZone, shownAt } from './time-zone.ts';
import { refuseTyped, typed } from './typed-values.ts';

const UTC = 'UTC';

/** `from` is included, `to` is not. */
export interface Period {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

/** A time that is not one moment before its zone and the clock are known. */
interface TypedTime {
  readonly typed: string;
  readonly at: (zone: string, now: number) => Date;
  /** `moving`: another moment at each request. `local`: clocks of a zone show it. */
  readonly kind: 'fixed' | 'moving' | 'local';
}

/** The members of a question about a period. {@link periodOf} reads them. */
export interface TypedPeriod {
  readonly from?: TypedTime | undefined;
  readonly to?: TypedTime | undefined;
  readonly tz?: string | undefined;
}

const TIME_RULE =
  'not a time: give a date (2026-11-21), today or yesterday, which begin at midnight UTC or in the zone "tz"; ' +
  'how long ago (-30m, -24h, -7d); or a time with Z or an offset (2026-11-21T08:00:00Z, 2026-11-21T09:00:00+01:00)';
const WITHOUT_ZONE = 'a time without a zone: add Z for UTC, an offset such as +01:00, or "tz" such as Europe/Berlin';

const moment = z.union([z.iso.datetime({ offset: true }), z.iso.datetime({ offset: true, precision: -1 })]);
const local = z.union([z.iso.datetime({ local: true }), z.iso.datetime({ local: true, precision: -1 })]);

const DAYS: ReadonlyMap<string, number> = new Map([
  ['today', 0],
  ['yesterday', -1],
]);
const AGO = /^-(\d{1,7})([mhd])$/;
const UNIT_MS: Readonly<Record<string, number>> = { m: HOUR_MS / 60, h: HOUR_MS, d: DAY_MS };

function readTime(text: string): Omit<TypedTime, 'typed'> | undefined {
  const days = DAYS.get(text.toLowerCase());
  if (days !== undefined)
    return { at: (zone, now) => startOf(shownAt(now, zone) + days * DAY_MS, zone), kind: 'moving' };
  const [, count, unit = ''] = AGO.exec(text) ?? [];
  if (count !== undefined) {
    const ago = Number(count) * (UNIT_MS[unit] ?? 0);
    return { at: (_, now) => new Date(now - ago), kind: 'moving' };
  }
  if (z.iso.date().safeParse(text).success) return { at: (zone) => startOf(Date.parse(text), zone), kind: 'fixed' };
  if (moment.safeParse(text).success) return { at: () => new Date(text), kind: 'fixed' };
  if (!local.safeParse(text).success) return undefined;
  return { at: (zone) => new Date(firstShowing(Date.parse(`${text}Z`), zone)), kind: 'local' };
}

/** The start of the day of a time that clocks show. */
const startOf = (wall: number, zone: string) => new Date(firstShowing(Math.floor(wall / DAY_MS) * DAY_MS, zone));

/** A `+` that was not percent-encoded arrives as a space. */
const time = typed((text, context): TypedTime => {
  const whole = text.replace(/ (?=\d\d:\d\d$)/, '+');
  const read = readTime(whole);
  return read === undefined ? refuseTyped(context, TIME_RULE) : { typed: whole.toLowerCase(), ...read };
});

const zone = typed((typed, context) => {
  if (isZoneName(typed)) return typed;
  const near = nearZone(typed);
  const hint = near === undefined ? '' : `. Did you mean ${near}?`;
  return refuseTyped(context, `not a time zone: give a name of the IANA database, such as Europe/Berlin${hint}`);
});

export const period = { from: z.optional(time), to: z.optional(time), tz: z.optional(zone) };

/** A period, and the values by which a later page of the same question is known. */
export interface ReadPeriod extends Period {
  readonly signed: { readonly from: unknown; readonly to: unknown };
}

/**
 * Reads the period at `now`; undefined when the issues of `context` say what is wrong. The order is not checked for a
 * later page: by then the clock may have passed the end of a period that was right.
 */
export function periodOf(
  { from, to, tz }: TypedPeriod,
  now: number,
  { issues }: Pick<z.core.ParsePayload, 'issues'>,
  isFirst = true,
): ReadPeriod | undefined {
  const before = issues.length;
  const refuse = (name: 'from' | 'to', message: string) =>
    issues.push({ code: 'custom', input: undefined, path: [name], message });
  const read = (name: 'from' | 'to', typed: TypedTime | undefined) => {
    if (typed === undefined) return undefined;
    if (typed.kind === 'local' && tz === undefined) refuse(name, WITHOUT_ZONE);
    const at = typed.at(tz ?? UTC, now);
    const isReadable = at.getUTCFullYear() >= 2000 && at.getUTCFullYear() < 2200;
    if (!isReadable) refuse(name, 'not between the years 2000 and 2199');
    return at;
  };
  const times = { from: read('from', from), to: read('to', to) };
  if (isFirst && issues.length === before && times.from && times.to && times.from >= times.to)
    refuse('from', 'not before "to", which is not included: give an earlier "from", or a later "to"');
  if (issues.length > before) return undefined;
  const signed = (typed: TypedTime | undefined, at: Date | undefined) =>
    typed?.kind === 'moving' ? [typed.typed, tz] : at;
  return { ...times, signed: { from: signed(from, times.from), to: signed(to, times.to) } };
}

/** Last step of a schema of a question without pages: the period as moments, at the time of the request. */
export const inPeriod = <Asked extends TypedPeriod>() =>
  z.transform(({ from, to, tz, ...rest }: Asked, context): Omit<Asked, keyof TypedPeriod> & Period => {
    const read = periodOf({ from, to, tz }, Date.now(), context);
    return read === undefined ? z.NEVER : { ...rest, from: read.from, to: read.to };
  });
