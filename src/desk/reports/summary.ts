/** Builds a summary from counted rows, with sentences on what the numbers cover. Pure. */

import { OUTCOMES } from '../../attempts/attempt.ts';
import { DAY_MS } from '../../platform/duration.ts';
import { STEPS } from '../../sign-in/steps.ts';
import { dayOf } from './parts.ts';
import type { RefusedKind } from './queries/refused.ts';
import type { Dimensions, Interval } from './questions.ts';
import { INTERVAL_MS, type SummaryRange } from './range.ts';
import { type Compared, comparison, type ShadowCounts, shadowCoverage } from './shadow-report.ts';
import { type CountedSignIns, type SignIns, signInCoverage, signInsOf } from './sign-in-summary.ts';

type Counts = Readonly<Record<string, number>>;

export interface Summary {
  /** The requested range, rounded outwards to whole hours or days (UTC). `from` is inclusive, `to` exclusive. */
  readonly from: string;
  readonly to: string;
  readonly interval: Interval;
  /** Time of reading. */
  readonly asOf: string;
  /** True when the database did not answer and the numbers come from the snapshot. */
  readonly stale?: true;
  readonly totals: {
    readonly attempts: number;
    /** Distinct objectIds at the token step. */
    readonly people?: number;
    readonly byStep: Counts;
    readonly byOutcome: Counts;
  };
  /** Every hour or day of the range, including those without attempts. */
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
  /** Upper bounds; null without attempts, or when `coverage` says that they are left out. */
  readonly durationMs: { readonly p50: number | null; readonly p95: number | null; readonly p99: number | null };
  /** The shadow policies' decisions compared with the real ones; absent if no shadow policy ran. */
  readonly shadow?: readonly ShadowCounts[];
  /** Absent with filters, and when `coverage` says that it is left out. */
  readonly signIns?: SignIns;
  /** Calls that were refused before there was an attempt, by kind, whatever the filters. */
  readonly refusedCalls: readonly RefusedKind[];
  readonly coverage: readonly string[];
}

/** Counts from the database. Times are in seconds since 1970. */
export interface Counted {
  readonly asOf: number;
  readonly series: readonly (readonly [start: number, step: string, outcome: string, attempts: number])[];
  readonly rules: readonly (readonly [rule: string, attempts: number])[];
  readonly applications: readonly (readonly [clientId: string, outcome: string, attempts: number])[];
  readonly issuers: readonly (readonly [issuer: string, outcome: string, attempts: number])[];
  /** In this and the next three members, a string says why the member is left out. */
  readonly people: number | string;
  readonly durationMs: Summary['durationMs'] | string;
  readonly shadow: Compared;
  readonly signIns: CountedSignIns;
  readonly refused: readonly RefusedKind[];
  /** Number of hours in the range with late attempts that are not summed yet. */
  readonly waiting: number;
  /** The requested range. */
  readonly asked: SummaryRange;
  /** The range of the numbers. */
  readonly range: SummaryRange;
  /** The requested step, and the channels of its calls. */
  readonly step: string | undefined;
  readonly channels: readonly string[];
  /** Before this, only counts are retained, no attempts and people. */
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
  const truncated = rules.length > MAX_RULES || applications.length > MAX_GROUPS || issuers.length > MAX_GROUPS;
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
    refusedCalls: counted.refused,
    ...comparison(counted.shadow),
    ...signInsOf(counted.signIns),
    coverage: coverage(counted, truncated),
  };
}

interface Some {
  readonly step: string;
  readonly outcome: string;
  readonly attempts: number;
}

const total = (some: readonly { readonly attempts: number }[]) => some.reduce((sum, { attempts }) => sum + attempts, 0);

/** A Map, because a step may have any name, such as `__proto__`. Known names are present with 0. */
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
 * Attempts may arrive this late after the longest outage that queues bridge. By then retention may have deleted the
 * person's preceding visit.
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
    return '"people" is left out: it is counted only without filters or with clientId alone. Remove the other filters.';
  }
  const days = (range.to.getTime() - range.from.getTime()) / DAY_MS;
  if (range.from >= keptSince || days <= retentionDays - LATEST_DAYS) return undefined;
  return `"people" is left out: people are known only since ${dayOf(keptSince)}. Choose a later "from".`;
}

export const PEOPLE_TOO_SLOW =
  '"people" is left out: counting different people took too long. Choose a shorter range or try again later.';
export const PEOPLE_UNKNOWN =
  '"people" is left out: some of these days have only counts of attempts. Choose a later "from".';
export const DURATIONS_TOO_MANY =
  '"durationMs" is left out: a combination of clientId, issuer and rule is counted from the attempts, and these are too many. Choose a shorter range or only one of the three.';

/** Custom policies name exchanges. In a user flow, Microsoft has three steps. */
function aboutStep({ step, channels }: Counted): string[] {
  if (step === undefined || STEPS.some((known) => known === step)) return [];
  if (channels.length === 0)
    return [
      `No call has the step "${step}". User flows have ${STEPS.join(', ')}; custom policies have the exchanges of the policy, in exactly its letters. Check it for typing errors.`,
    ];
  if (!channels.includes('user-flow')) return [];
  return [
    `The step "${step}" is none of the three of user flows (${STEPS.join(', ')}), and calls of a user flow had it in their body. Only calls with exactly this step are counted. Check the URL of the API connector.`,
  ];
}

function coverage(counted: Counted, truncated: boolean): string[] {
  const { asked, range, people, durationMs, waiting, keptSince } = counted;
  const sentences = [
    'The numbers count calls. A sign-up or sign-in makes one to three calls in a user flow, and as many as it has exchanges in a custom policy. A call that Microsoft retries counts twice.',
    ...signInCoverage(counted.signIns),
    typeof people === 'string'
      ? people
      : '"people" counts the different accounts (objectIds) that reached the token step. It does not include people who were stopped during sign-up.',
    typeof durationMs === 'string'
      ? durationMs
      : '"durationMs" is the time in which Gatehouse replied to 50 %, 95 % and 99 % of the calls, at most 10 % too high. It does not include the network between Microsoft and Gatehouse.',
  ];
  sentences.push(...shadowCoverage(counted.shadow));
  sentences.unshift(...aboutStep(counted));
  if (range.from < keptSince) {
    sentences.push(
      `Attempts before ${dayOf(keptSince)} are deleted: they are counted here, but can no longer be listed.`,
    );
  }
  if (range.interval !== asked.interval) {
    sentences.push(
      `Before ${dayOf(keptSince)}, numbers for a rule together with clientId or issuer exist only by day. The interval was changed to day.`,
    );
  } else if (range.from < asked.from || range.to > asked.to) {
    sentences.push(
      `Before ${dayOf(keptSince)}, numbers exist only for whole days. The range was extended to whole days.`,
    );
  }
  if (waiting > 0) {
    sentences.push(
      `Attempts that arrived late in ${waiting} hours of the range are not counted yet. They are counted within a few minutes.`,
    );
  }
  if (truncated) {
    sentences.push(
      `Only the ${MAX_RULES} most frequent rules and the ${MAX_GROUPS} most frequent applications and issuers are listed. The totals include all.`,
    );
  }
  return sentences;
}
