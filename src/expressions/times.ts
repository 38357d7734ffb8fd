/** Timestamps and durations: conversion from and to text, and calendar fields. */
import { inZone } from './dates.ts';
import { Fail, Span, Time, type Value } from './values.ts';

/** The years 1 to 9999, in nanoseconds since 1970. */
const [FIRST, LAST] = [-62_135_596_800_000_000_000n, 253_402_300_799_999_999_999n];
/** 64 bits of nanoseconds, as in CEL for Go: 292 years. */
const MAX_SPAN = 2n ** 63n - 1n;

export const timeAt = (ns: bigint): Time | Fail =>
  ns >= FIRST && ns <= LAST ? new Time(ns) : new Fail('not a time of the years 1 to 9999');
export const spanAt = (ns: bigint): Span | Fail =>
  ns <= MAX_SPAN && ns >= -MAX_SPAN - 1n ? new Span(ns) : new Fail('the duration is too long');
export const timeOfMilliseconds = (ms: number): Time | Fail =>
  timeAt(Number.isFinite(ms) ? BigInt(Math.floor(ms)) * MS : LAST + 1n);

const MS = 1_000_000n;
const SECOND = 1_000_000_000n;

export const millisecondsOf = ({ ns }: Time): number => Number(floorOf(ns, MS));
export const secondsOf = ({ ns }: Time): bigint => floorOf(ns, SECOND);
export const timeOfSeconds = (seconds: bigint): Time | Fail => timeAt(seconds * SECOND);
const floorOf = (a: bigint, b: bigint) => (a - (((a % b) + b) % b)) / b;

const RFC3339 =
  /^(\d{4}-\d{2}-\d{2})T((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

export function timeOf(text: string): Time | Fail {
  const [, day = '', clock = '', fraction = '', zone = ''] = RFC3339.exec(text) ?? [];
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // V8 parses 30 February as 2 March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day)
    return new Fail('not a time such as 2026-01-31T00:00:00Z');
  return timeAt(BigInt(Date.parse(`${day}T${clock}${zone}`)) * MS + BigInt(fraction.padEnd(9, '0')));
}

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['h', 3_600n * SECOND],
  ['m', 60n * SECOND],
  ['s', SECOND],
  ['ms', MS],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['ns', 1n],
]);
const DURATION = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|\u00b5s|ns))+$/;
const MAX_DURATION_TEXT = 60;

/** Parses a duration such as `1h30m`. `0` needs no unit. */
export function spanOf(text: string): Span | Fail {
  if (/^[+-]?0$/.test(text)) return new Span(0n);
  if (text.length > MAX_DURATION_TEXT || !DURATION.test(text)) return new Fail('not a duration such as 24h');
  let ns = 0n;
  for (const [, whole = '', fraction = '', name = ''] of text.matchAll(/(\d*)(?:\.(\d*))?(h|ms|m|s|us|\u00b5s|ns)/g)) {
    const unit = UNITS.get(name) ?? 0n;
    ns += BigInt(whole) * unit + (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
  }
  return spanAt(text.startsWith('-') ? -ns : ns);
}

/** A fraction of 3, 6 or 9 digits, as in protobuf's JSON. */
const fractionOf = (ns: bigint) => {
  const digits = `${((ns % SECOND) + SECOND) % SECOND}`.padStart(9, '0').replace(/(?:000)+$/, '');
  return digits === '' ? '' : `.${digits}`;
};

export const timeText = (time: Time): string =>
  `${new Date(millisecondsOf(time)).toISOString().slice(0, 19)}${fractionOf(time.ns)}Z`;

/** CEL writes durations in seconds. */
export function spanText({ ns }: Span): string {
  const size = ns < 0n ? -ns : ns;
  return `${ns < 0n ? '-' : ''}${size / SECOND}${fractionOf(size)}s`;
}

const DAY = 86_400_000;

export type Clock = (date: Date) => number;
export const CLOCK: Readonly<Record<string, Clock>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - new Date(date).setUTCMonth(0, 1)) / DAY),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

/** Reads a calendar field in UTC, or in a zone such as `Europe/Berlin` or `+02:00`. */
export function readClock(time: Time, clock: Clock, zone?: string): Value {
  const date = inZone(millisecondsOf(time), zone);
  return date === undefined ? new Fail('not a time zone') : BigInt(clock(date));
}

export const wholeSecondsOf = ({ ns }: Span): bigint => ns / SECOND;

/** The whole duration in a unit; getMilliseconds returns the part below a second only. */
export const SPANS: Readonly<Record<string, (span: Span) => bigint>> = {
  getHours: ({ ns }) => ns / (3_600n * SECOND),
  getMinutes: ({ ns }) => ns / (60n * SECOND),
  getSeconds: wholeSecondsOf,
  getMilliseconds: ({ ns }) => (ns / MS) % 1_000n,
};
