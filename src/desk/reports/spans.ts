/**
 * Which stretches of time a page of a list reads, newest first: those in which the aggregates know matches, until they hold
 * enough for the page or reading them would take too long. Pure.
 */
import type { Stretch } from './parts.ts';

export interface ListLimits {
  /** A page ends once so many attempts are read, whether they match or not (150,000 take about 200 ms). */
  readonly attempts: number;
  /** The same for the attempts of one person, code or correlation id: each is a row to fetch. */
  readonly rows: number;
  /** Each stretch is a part of the statement, which has to be planned. */
  readonly stretches: number;
}
export const LIST_LIMITS: ListLimits = { attempts: 150_000, rows: 20_000, stretches: 40 };
/** A page of a file has more rows, and more time. */
export const FILE_LIMITS: ListLimits = { attempts: 1_500_000, rows: 20_000, stretches: 200 };

/** A stretch in which matches may be. */
export interface Candidate extends Stretch {
  /** As the aggregates count them; 0 where they do not know. */
  readonly matches: number;
  /** How many attempts have to be read to find them. */
  readonly attempts: number;
}

export interface Reading {
  /** Newest first. */
  readonly stretches: readonly Stretch[];
  /** Where reading ends though older candidates are left; undefined when none is. */
  readonly searchedTo: Date | undefined;
}

/**
 * `candidates` do not overlap and run newest first. Read is what lies from `from` (inclusive) to `to` (exclusive). `wanted` is
 * how many matches are enough.
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
    // Of a stretch that is cut nobody knows how many of its matches are left.
    if (clipped.from === candidate.from && clipped.to === candidate.to) matches += candidate.matches;
  }
  return { stretches, searchedTo: undefined };
}

/** A stretch that holds more than may be read at once, in equal parts, newest first. */
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
