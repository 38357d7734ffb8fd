/** What happened while everything ran at once. */
import { type Finding, finding } from './finding.ts';

/** What happened, beside what it left in the database. */
export interface WriteTally {
  readonly written: Set<string>;
  readonly lateWritten: Set<string>;
  rolledBack: number;
  retried: number;
  sums: number;
  days: number;
  marked: number;
  reads: number;
  cleanHours: number;
  readonly wrongReads: string[];
  readonly errors: string[];
}

export function newWriteTally(): WriteTally {
  return {
    written: new Set(),
    lateWritten: new Set(),
    rolledBack: 0,
    retried: 0,
    sums: 0,
    days: 0,
    marked: 0,
    reads: 0,
    cleanHours: 0,
    wrongReads: [],
    errors: [],
  };
}

/** `sumsAtOnce` is how many loops summed. */
export function whatHappened(tally: WriteTally, sumsAtOnce: number): Finding[] {
  const { reads, cleanHours, wrongReads, errors, sums, days, marked, rolledBack, retried } = tally;
  return [
    finding(
      'an hour that is not dirty is exact at any moment',
      wrongReads.length === 0 && cleanHours > 0,
      some(wrongReads, `${reads} reads of ${cleanHours} such hours`),
    ),
    finding(
      `${sumsAtOnce} sums at a time, and all hours marked between`,
      sums >= sumsAtOnce && days > 0 && marked > 0,
      `${sums} sums of ${days} days, ${marked} hours marked`,
    ),
    finding(
      'rolled back rows were there to be missed',
      rolledBack > 0,
      `${rolledBack} rows, ${retried} batches retried`,
    ),
    finding('nothing failed', errors.length === 0, some(errors, 'no error')),
  ];
}

const some = (list: readonly string[], none: string) =>
  list.length === 0 ? none : `${list.length}: ${list.slice(0, 3).join('; ')}`;
