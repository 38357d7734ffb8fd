/**
 * Chooses the stretches of time that a page of a list reads: those for which the aggregates count matches, newest
 * first, until they have enough matches for the page or too many rows to read. Pure.
 */
import type { Stretch } from './parts.ts';

export interface ListLimits {
  /** Maximum of attempts read for a page, matches or not (150,000 take about 200 ms). */
  readonly attempts: number;
  /** The same for one person, code or correlation id, where an index leads to each row separately. */
  readonly rows: number;
  /** Each stretch is a part of the statement and adds to its planning time. */
  readonly stretches: number;
}
export const LIST_LIMITS: ListLimits = { attempts: 150_000, rows: 20_000, stretches: 40 };
/** A count is beside the list and must not take longer than it. */
export const COUNT_LIMITS: ListLimits = { attempts: 50_000, rows: 20_000, stretches: 40 };
/** A page of a file has more rows and a longer time limit. */
export const FILE_LIMITS: ListLimits = { attempts: 1_500_000, rows: 20_000, stretches: 200 };

/** A stretch that may have matches. */
export interface Candidate extends Stretch {
  /** Number of matches in the aggregates; 0 when unknown. */
  readonly matches: number;
  /** Number of attempts to read to find them. */
  readonly attempts: number;
}

export interface Reading {
  /** Newest first. */
  readonly stretches: readonly Stretch[];
  /** End of reading when older candidates remain; undefined when none does. */
  readonly searchedTo: Date | undefined;
}

/**
 * `candidates` do not overlap and are ordered newest first. They are clipped to `from` (inclusive) and `to`
 * (exclusive). `wanted` is the number of matches that is enough.
 */
export function readingOf(
  candidates: readonly Candidate[],
  { from, to }: Stretch,
  wanted: number,
  limits: Pick<ListLimits, 'attempts' | 'stretches'>,
): Reading {
  const stretches: Stretch[] = [];
  let [matches, attempts] = [0, 0];
  for (const candidate of candidates.flatMap((whole) => sliced(whole, limits.attempts))) {
    const clipped = {
      from: candidate.from > from ? candidate.from : from,
      to: candidate.to < to ? candidate.to : to,
    };
    if (clipped.from >= clipped.to) continue;
    const last = stretches.at(-1);
    const adjoins = last?.from.getTime() === clipped.to.getTime();
    const enough = matches >= wanted || (attempts > 0 && attempts + candidate.attempts > limits.attempts);
    if (last && (enough || (!adjoins && stretches.length === limits.stretches)))
      return { stretches, searchedTo: last.from };
    if (last && adjoins) stretches[stretches.length - 1] = { from: clipped.from, to: last.to };
    else stretches.push(clipped);
    attempts += candidate.attempts;
    // The number of matches in a clipped stretch is unknown.
    if (clipped.from === candidate.from && clipped.to === candidate.to) matches += candidate.matches;
  }
  return { stretches, searchedTo: undefined };
}

/** Splits a stretch with more attempts than the limit into equal parts, newest first. */
function sliced({ from, to, matches, attempts }: Candidate, most: number): Candidate[] {
  const parts = Math.ceil(attempts / most);
  if (parts <= 1) return [{ from, to, matches, attempts }];
  const length = to.getTime() - from.getTime();
  const bound = (part: number) => new Date(from.getTime() + Math.round((length * part) / parts));
  return Array.from({ length: parts }, (_, part) => ({
    from: bound(parts - 1 - part),
    to: bound(parts - part),
    matches: 0,
    attempts: attempts / parts,
  }));
}
