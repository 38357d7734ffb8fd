/** Counts what happened during a concurrent run. */
import { type Finding, finding } from './finding.ts';

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

/** `sumsAtOnce` is the number of concurrent aggregations. */
export function whatHappened(tally: WriteTally, sumsAtOnce: number): Finding[] {
  const { reads, cleanHours, wrongReads, errors, sums, days, marked, rolledBack, retried } = tally;
  return [
    finding(
      'a clean hour is exact at any moment',
      wrongReads.length === 0 && cleanHours > 0,
      some(wrongReads, `${reads} reads of ${cleanHours} such hours`),
    ),
    finding(
      `${sumsAtOnce} aggregations at a time, and all hours marked between`,
      sums >= sumsAtOnce && days > 0 && marked > 0,
      `${sums} aggregations of ${days} days, ${marked} hours marked`,
    ),
    finding('some rows were rolled back', rolledBack > 0, `${rolledBack} rows, ${retried} batches retried`),
    finding('nothing failed', errors.length === 0, some(errors, 'no error')),
  ];
}

const some = (list: readonly string[], none: string) =>
  list.length === 0 ? none : `${list.length}: ${list.slice(0, 3).join('; ')}`;
