/** A summary as support reads it: made from counted rows, with what the numbers cannot see said beside them. Pure. */

import { OUTCOMES } from '../../attempts/attempt.ts';
import { DAY_MS } from '../../platform/duration.ts';
import { STEPS } from '../../sign-in/steps.ts';
import { dayOf } from './parts.ts';
import type { Dimensions, Interval } from './questions.ts';
import { INTERVAL_MS, type SummaryRange } from './range.ts';
import { type Compared, comparison, type ShadowCounts, shadowCoverage } from './shadow-report.ts';

type Counts = Readonly<Record<string, number>>;

export interface Summary {
  /** Inclusive, exclusive: what was asked, rounded outwards to whole hours or days (UTC). */
  readonly from: string;
  readonly to: string;
  readonly interval: Interval;
  /** When the numbers were read. */
  readonly asOf: string;
  /** True when the database did not answer and these are the numbers of an earlier moment. */
  readonly stale?: true;
  readonly totals: {
    readonly attempts: number;
    /** Distinct objectIds at the token step. */
    readonly people?: number;
    readonly byStep: Counts;
    readonly byOutcome: Counts;
  };
  /** Every hour or day of the range, also those without attempts. */
  readonly series: readonly {
    readonly start: string;
    readonly attempts: number;
    readonly byStep: Counts;
    readonly byOutcome: Counts;
  }[];
  readonly topRules: readonly { readonly rule: string; readonly attempts: number }[];
  readonly byApplication: readonly {
    readonly clientId: string;
    readonly attempts: number;
    readonly byOutcome: Counts;
  }[];
  readonly byIssuer: readonly { readonly issuer: string; readonly attempts: number; readonly byOutcome: Counts }[];
  /** Upper bounds; null when there are no attempts, or where `coverage` says that they are left out. */
  readonly durationMs: { readonly p50: number | null; readonly p95: number | null; readonly p99: number | null };
  /** How the shadow policies' decisions compare with those that counted; absent where none ran. */
  readonly shadow?: readonly ShadowCounts[];
  readonly coverage: readonly string[];
}

/** What the database counted. Times are in seconds since 1970. */
export interface Counted {
  readonly asOf: number;
  readonly series: readonly (readonly [start: number, step: string, outcome: string, attempts: number])[];
  readonly rules: readonly (readonly [rule: string, attempts: number])[];
  readonly applications: readonly (readonly [clientId: string, outcome: string, attempts: number])[];
  readonly issuers: readonly (readonly [issuer: string, outcome: string, attempts: number])[];
  /** Or the sentence that says why they are left out. */
  readonly people: number | string;
  /** Or the sentence that says why they are left out. */
  readonly durationMs: Summary['durationMs'] | string;
  /** Or the sentence that says why it is left out. */
  readonly shadow: Compared;
  /** Hours of the range with late attempts that are in no sum yet. */
  readonly waiting: number;
  /** The range that was asked for, and the one that is known. */
  readonly asked: SummaryRange;
  readonly range: SummaryRange;
  /** The one that was asked for. */
  readonly step: string | undefined;
  /** Attempts and people before this are no longer kept, only counts. */
  readonly keptSince: Date;
}

const MAX_RULES = 20;
const MAX_GROUPS = 100;

export function summarise(counted: Counted): Summary {
  const { range, series, durationMs } = counted;
  const everything = series.map(([, step, outcome, attempts]) => ({ step, outcome, attempts }));
  const rules = counted.rules.filter(([rule]) => rule !== '').map(([rule, attempts]) => ({ rule, attempts }));
  const applications = grouped(counted.applications).map(({ name, ...counts }) => ({ clientId: name, ...counts }));
  const issuers = grouped(counted.issuers).map(({ name, ...counts }) => ({ issuer: name, ...counts }));
  const cut = rules.length > MAX_RULES || applications.length > MAX_GROUPS || issuers.length > MAX_GROUPS;
  return {
    from: range.from.toISOString(),
    to: range.to.toISOString(),
    interval: range.interval,
    asOf: new Date(Math.floor(counted.asOf * 1_000)).toISOString(),
    totals: {
      attempts: total(everything),
      ...(typeof counted.people === 'number' ? { people: counted.people } : {}),
      byStep: by('step', everything, STEPS),
      byOutcome: by('outcome', everything, OUTCOMES),
    },
    series: seriesOf(counted),
    topRules: rules.sort((a, b) => b.attempts - a.attempts || (a.rule < b.rule ? -1 : 1)).slice(0, MAX_RULES),
    byApplication: applications.slice(0, MAX_GROUPS),
    byIssuer: issuers.slice(0, MAX_GROUPS),
    durationMs: typeof durationMs === 'string' ? { p50: null, p95: null, p99: null } : durationMs,
    ...comparison(counted.shadow),
    coverage: coverage(counted, cut),
  };
}

interface Some {
  readonly step: string;
  readonly outcome: string;
  readonly attempts: number;
}

const total = (some: readonly { readonly attempts: number }[]) => some.reduce((sum, { attempts }) => sum + attempts, 0);

/** Through a Map: a step may be called anything, `__proto__` too. Known names are there with 0. */
function by<Name extends string>(
  name: Name,
  some: readonly ({ readonly [Key in Name]: string } & { readonly attempts: number })[],
  known: readonly string[],
): Counts {
  const counts = new Map(known.map((value) => [value, 0]));
  for (const one of some) counts.set(one[name], (counts.get(one[name]) ?? 0) + one.attempts);
  return Object.fromEntries(counts);
}

function seriesOf({ range, series }: Counted): Summary['series'] {
  const points = new Map<number, Some[]>();
  const stepMs = INTERVAL_MS[range.interval];
  for (let at = range.from.getTime(); at < range.to.getTime(); at += stepMs) points.set(at, []);
  for (const [start, step, outcome, attempts] of series) points.get(start * 1_000)?.push({ step, outcome, attempts });
  return [...points].map(([start, some]) => ({
    start: new Date(start).toISOString(),
    attempts: total(some),
    byStep: by('step', some, STEPS),
    byOutcome: by('outcome', some, OUTCOMES),
  }));
}

/** Most attempts first. */
function grouped(rows: readonly (readonly [name: string, outcome: string, attempts: number])[]) {
  const groups = new Map<string, { outcome: string; attempts: number }[]>();
  for (const [name, outcome, attempts] of rows) {
    const group = groups.get(name) ?? [];
    group.push({ outcome, attempts });
    groups.set(name, group);
  }
  return [...groups]
    .map(([name, some]) => ({ name, attempts: total(some), byOutcome: by('outcome', some, OUTCOMES) }))
    .sort((a, b) => b.attempts - a.attempts || (a.name < b.name ? -1 : 1));
}

/**
 * Attempts may arrive this late, after the longest outage that queues bridge. By then their person's visit before may be gone,
 * when that was almost as long ago as attempts are retained.
 */
const LATEST_DAYS = 15;

/** Why distinct people cannot be counted for this question; undefined when they can. */
export function whyNoPeople(
  range: SummaryRange,
  { clientId: _, ...others }: Dimensions,
  keptSince: Date,
  retentionDays: number,
): string | undefined {
  if (Object.values(others).some((filter) => filter !== undefined)) {
    return '"people" is left out: different people can only be counted without filters, or with clientId alone.';
  }
  const days = (range.to.getTime() - range.from.getTime()) / DAY_MS;
  if (range.from >= keptSince || days <= retentionDays - LATEST_DAYS) return undefined;
  return `"people" is left out: who was here is only known since ${dayOf(keptSince)}, and you asked for an earlier time.`;
}

export const PEOPLE_TOO_SLOW =
  '"people" is left out: counting different people took too long. Ask for a shorter time, or try again later.';
export const PEOPLE_UNKNOWN =
  '"people" is left out: of some of these days only the counts are known, not who was here. Ask for a later time.';
export const DURATIONS_TOO_MANY =
  '"durationMs" is left out: for more than one of clientId, issuer and rule it is counted anew each time, and these are too many attempts. Ask for a shorter time, or with one of the three.';

function coverage(counted: Counted, cut: boolean): string[] {
  const { asked, range, step, people, durationMs, waiting, keptSince } = counted;
  const sentences = [
    'Counted are the calls that reached us: somebody signing up or in makes one to three of them, and one that Microsoft tried twice counts twice.',
    'Wrong passwords, pages left before the end and silent refreshes (an app renewing a session by itself) never reach us, so they are in none of these numbers.',
    typeof people === 'string'
      ? people
      : '"people" counts the different accounts (objectIds) that got as far as the token step; who was stopped while signing up is not among them.',
    typeof durationMs === 'string'
      ? durationMs
      : '"durationMs" says how long we took at most for half, 95 % and 99 % of the calls, up to 10 % too high; the way between Microsoft and us is not in it.',
  ];
  sentences.push(...shadowCoverage(counted.shadow));
  if (step !== undefined && !STEPS.some((known) => known === step)) {
    sentences.unshift(
      `You asked for the step "${step}", which is none of the three that Microsoft has (${STEPS.join(', ')}): counted are only calls whose body named exactly that. Check it for typing errors.`,
    );
  }
  if (range.from < keptSince) {
    sentences.push(
      `Single attempts are kept since ${dayOf(keptSince)}: earlier ones are counted here but can no longer be looked at.`,
    );
  }
  if (range.interval !== asked.interval) {
    sentences.push(
      `By day only before ${dayOf(keptSince)}: hours of earlier attempts are not known for a rule together with clientId or issuer.`,
    );
  } else if (range.from < asked.from || range.to > asked.to) {
    sentences.push(
      `Only whole days are known before ${dayOf(keptSince)}: the range is rounded outwards to whole days there.`,
    );
  }
  if (waiting > 0) {
    sentences.push(
      `Attempts that arrived late in ${waiting} hours of the range are not counted yet. The next sum counts them, within some minutes.`,
    );
  }
  if (cut) {
    sentences.push(
      `Only the ${MAX_RULES} most frequent rules and the ${MAX_GROUPS} most frequent applications and issuers are listed; the totals count all.`,
    );
  }
  return sentences;
}
