/**
 * The report on completeness: whether every call that was answered is in the log, hour by hour. Pure.
 * `queries/completeness-counts.ts` counts.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../platform/duration.ts';
import {
  CANNOT_SEE,
  type CompletenessFound,
  completenessCoverage,
  SETTLED_AFTER_MS,
  VERDICTS,
} from './completeness-sentences.ts';
import type { Stretch } from './parts.ts';
import { MAX_COMPLETENESS_DAYS } from './range.ts';
import type { Backlog, Waiting } from './waiting-messages.ts';

/** Between the arrival of a call and the time at which its message is in the queue, and between two clocks. */
const SENT_WITHIN_MS = 2 * MINUTE_MS;
/** A message is in the first queue for about a day before it is in the second. */
const IN_FIRST_QUEUE_MS = 2 * DAY_MS;

export interface HourCounts {
  /** Attempts in the log. */
  readonly stored: number;
  /** Those of them without a number: an earlier version wrote them, and a loss among them cannot be seen. */
  readonly unnumbered: number;
  /** Lost attempts: their numbers are missing. */
  readonly gaps: number;
  /** Missing numbers that may still arrive, or be those of attempts without a number. */
  readonly unsure: number;
  /** Calls of connectors that were refused before there was an attempt. */
  readonly refused: number;
  /** Messages that the database refused; null when KV did not answer. */
  readonly deadLetters: number | null;
}

/**
 * `complete`: no number is missing. `incomplete`: attempts are lost, or are dead letters. `unsettled`: some may still
 * arrive. `unknown`: the attempts have no numbers, or are deleted.
 */
export type CompletenessStatus = 'complete' | 'incomplete' | 'unsettled' | 'unknown';

export interface CompletenessReport {
  /** Whole hours (UTC). `from` is inclusive, `to` exclusive. */
  readonly from: string;
  readonly to: string;
  /** Time of reading. */
  readonly asOf: string;
  readonly status: CompletenessStatus;
  /** A sentence to read out. */
  readonly verdict: string;
  readonly totals: HourCounts;
  /** Every hour, oldest first. */
  readonly hours: readonly ({ readonly start: string } & HourCounts)[];
  /** Messages in the two queues at the time of reading; null when the queue did not say. */
  readonly waiting: {
    readonly messages: number | null;
    /** Messages that could not be delivered within a day. */
    readonly longer: number | null;
    /** When the oldest of all was sent. */
    readonly oldest: string | null;
  };
  /** Summaries count the hours before this from the aggregates; null when none is aggregated. */
  readonly summedUntil: string | null;
  /** Losses that no number shows. */
  readonly cannotSee: string;
  readonly coverage: readonly string[];
}

/** Dead letters. `at` is in milliseconds since 1970. */
export interface Letters {
  readonly all: readonly {
    readonly at: number;
    readonly isolate: string | undefined;
    readonly sequence: number | undefined;
  }[];
  /** Whether KV listed all of them. */
  readonly known: 'all' | 'some' | 'none';
}

type ByHour<Counts extends number[]> = ReadonlyMap<number, Counts>;

/** Counts from the database, by the start of the hour in milliseconds since 1970. */
export interface CompletenessCounts {
  readonly stored: ByHour<number[]>;
  /** Lost, unsure, and hidden: attempts of a version without numbers may have them. */
  readonly missing: ByHour<number[]>;
  readonly refused: ByHour<number[]>;
  /** Number of isolates of which it is unknown whether numbers before the first one are missing. */
  readonly undecided: number;
  readonly asked: Stretch;
  /** The part of `asked` whose attempts are kept; undefined when there is none. */
  readonly range: Stretch | undefined;
  /** Earlier attempts are deleted. */
  readonly keptSince: Date;
  /** Hours before this are aggregated. */
  readonly until: Date;
  readonly waiting: Waiting;
  readonly letters: Letters;
}

/**
 * A gap before an attempt at or after this time may still be filled; undefined: every gap may. The queue says since
 * when its oldest message waits.
 */
export function unsureSince({ first, second }: Waiting, now: number): Date | undefined {
  const since = Math.min(now - SETTLED_AFTER_MS, calledSince(first), calledSince(second, IN_FIRST_QUEUE_MS));
  return since === Number.NEGATIVE_INFINITY ? undefined : new Date(since);
}

/** The earliest time of the call of a waiting message: infinite without messages, and minus infinite if unknown. */
function calledSince(backlog: Backlog | undefined, beforeMs = SENT_WITHIN_MS): number {
  if (backlog === undefined || backlog.messages === 0) return Number.POSITIVE_INFINITY;
  return backlog.oldest === undefined ? Number.NEGATIVE_INFINITY : backlog.oldest.getTime() - beforeMs;
}

export function completenessReport(counts: CompletenessCounts, now: number): CompletenessReport {
  const { asked, range = { from: asked.to, to: asked.to }, waiting, letters, until } = counts;
  const hours: CompletenessReport['hours'][number][] = [];
  let hidden = 0;
  const dead = Map.groupBy(letters.all, ({ at }) => Math.floor(at / HOUR_MS) * HOUR_MS);
  for (let start = range.from.getTime(); start < range.to.getTime(); start += HOUR_MS) {
    const [stored = 0, unnumbered = 0] = counts.stored.get(start) ?? [];
    const [gaps = 0, arriving = 0, hiddenHere = 0] = counts.missing.get(start) ?? [];
    const unsure = arriving + hiddenHere;
    hidden += hiddenHere;
    const [refused = 0] = counts.refused.get(start) ?? [];
    const deadLetters = letters.known === 'none' ? null : (dead.get(start)?.length ?? 0);
    hours.push({ start: new Date(start).toISOString(), stored, unnumbered, gaps, unsure, refused, deadLetters });
  }
  const sum = (name: keyof HourCounts) => hours.reduce((total, hour) => total + (hour[name] ?? 0), 0);
  const totals = {
    stored: sum('stored'),
    unnumbered: sum('unnumbered'),
    gaps: sum('gaps'),
    unsure: sum('unsure'),
    refused: sum('refused'),
    deadLetters: letters.known === 'none' ? null : sum('deadLetters'),
  };
  const oldest = oldestOf(waiting);
  const found = { counts, totals, hours, hidden, late: lateMessages(counts, now) };
  const status = statusOf(found);
  return {
    from: asked.from.toISOString(),
    to: asked.to.toISOString(),
    asOf: new Date(now).toISOString(),
    status,
    verdict: VERDICTS[status](found),
    totals,
    hours,
    waiting: {
      messages: waiting.first?.messages ?? null,
      longer: waiting.second?.messages ?? null,
      oldest: oldest?.toISOString() ?? null,
    },
    summedUntil: until.getUTCFullYear() > 2000 ? until.toISOString() : null,
    cannotSee: CANNOT_SEE,
    coverage: completenessCoverage(counts, totals),
  };
}

function oldestOf({ first, second }: Waiting): Date | undefined {
  const times = [first?.oldest, second?.oldest].filter((time) => time !== undefined);
  return times.toSorted((a, b) => a.getTime() - b.getTime())[0];
}

function lateMessages({ asked, waiting: { first, second } }: CompletenessCounts, now: number): number {
  // A message that was sent a moment ago is no reason to ask again.
  const end = Math.min(asked.to.getTime(), now - 2 * SENT_WITHIN_MS);
  return [
    calledSince(first) < end ? first : undefined,
    calledSince(second, IN_FIRST_QUEUE_MS) < end ? second : undefined,
  ]
    .map((backlog) => backlog?.messages ?? 0)
    .reduce((sum, messages) => sum + messages, 0);
}

function statusOf({ counts: { range }, totals, hidden, late }: CompletenessFound): CompletenessStatus {
  if (range === undefined) return 'unknown';
  if (totals.gaps > 0 || (totals.deadLetters ?? 0) > 0) return 'incomplete';
  if (totals.unsure > hidden || late > 0) return 'unsettled';
  if (hidden > 0) return 'unknown';
  return totals.stored > 0 && totals.unnumbered === totals.stored ? 'unknown' : 'complete';
}

/** The address of this report for a range, or for the end of one that is too long. */
export function completenessAddress({ from, to }: Stretch): string {
  const start = new Date(Math.max(from.getTime(), to.getTime() - MAX_COMPLETENESS_DAYS * DAY_MS));
  return `/reports/completeness?from=${start.toISOString()}&to=${to.toISOString()}`;
}
