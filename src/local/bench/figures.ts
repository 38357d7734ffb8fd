/** The figures of the bench, their budgets and their format. Budgets are changed here only. */
import { table } from '../../cli/table.ts';
import { spreadOf } from './turns.ts';

interface Kind {
  readonly what: string;
  readonly unit: string;
  /** The budget; a figure without one is shown for comparison. */
  readonly most?: number;
  /** For a noise control: the allowed distance from 1. */
  readonly noise?: number;
}

const BY_HAND = '× by hand';
const STARTS = '× an empty start';

/**
 * CPU figures are ratios, since milliseconds of one machine mean nothing on another. Reports are in milliseconds, since
 * a person waits for them; their budgets are for two cores and ten million attempts.
 */
const KINDS = {
  callTwin: { what: 'a hand-written call, compared with itself', unit: BY_HAND, noise: 0.03 },
  callBuiltIn: { what: 'a call, built-in policy', unit: BY_HAND, most: 1.15 },
  callTrusted: { what: 'the same with a trusted e-mail', unit: BY_HAND, most: 1.3 },
  callStored: { what: 'a call, 50 rules and 100,000 entries', unit: BY_HAND, most: 1.25 },
  exchange: { what: 'an exchange, same policy and claims', unit: '× a user-flow call', most: 1.15 },
  startTwin: { what: 'an empty start, compared with itself', unit: STARTS, noise: 0.03 },
  startPad: { what: 'an empty start with a text as large as the bundle, minus an empty start', unit: STARTS },
  start: { what: 'a start, minus an empty start', unit: STARTS, most: 0.5 },
  startStored: { what: 'the same with a first call, 50 rules', unit: STARTS, most: 1 },
  startEntries: { what: 'the same with 100,000 entries, minus the previous figure', unit: STARTS, most: 0.2 },
  memory: { what: 'memory of ten cold calls at once, largest policy, minus an empty Worker', unit: 'MB', most: 100 },
  bundle: { what: 'the bundle, gzip', unit: 'KiB', most: 76 },
  summary: { what: 'summary', unit: 'ms', most: 300 },
  list: { what: 'list of 50', unit: 'ms', most: 200 },
  lookUp: { what: 'look-up', unit: 'ms', most: 100 },
  completeness: { what: 'completeness', unit: 'ms', most: 300 },
  // It reads all attempts of its range.
  longCompleteness: { what: 'completeness', unit: 'ms' },
  cold: { what: 'first call', unit: 'ms', most: 1_200 },
  traffic: { what: 'summary of 30 whole days at 10 × the traffic', unit: '× at 1 ×', most: 1.5 },
  sumHour: { what: 'aggregating an hour of an old day again', unit: 'ms', most: 1_000 },
  sumHourGrowth: { what: 'the same with all attempts stored', unit: '× with four days stored', most: 2 },
  insert: { what: 'inserting 100 attempts', unit: '× without marks and later indexes', most: 1.15 },
} as const satisfies Record<string, Kind>;

export interface Figure {
  readonly kind: keyof typeof KINDS;
  readonly value: number;
  readonly detail: string;
  /** Distinguishes figures of one kind. */
  readonly name?: string;
  /** Whether it belongs to the bundle of `--against`, which has no budget. */
  readonly older?: boolean;
}

/** The median of the values of all rounds as a figure. */
export function figureOf(kind: Figure['kind'], values: readonly number[], older = false): Figure {
  const { median, quartiles } = spreadOf(values);
  const [low, high] = quartiles.map((value) => value.toFixed(2));
  return { kind, value: median, detail: `middle half ${low} to ${high}, ${values.length} turns`, older };
}

type Verdict = 'ok' | 'over' | 'quiet' | 'too noisy' | '';

function verdictOn({ kind, value, older = false }: Figure): Verdict {
  const { most, noise }: Kind = KINDS[kind];
  if (noise !== undefined) return Math.abs(value - 1) <= noise ? 'quiet' : 'too noisy';
  if (most === undefined || older) return '';
  return value <= most ? 'ok' : 'over';
}

/** 0: every figure is within its budget; 1: one is over; 3: a noise control failed, so no figure is valid. */
export function exitCodeOf(figures: readonly Figure[]): 0 | 1 | 3 {
  const verdicts = new Set(figures.map(verdictOn));
  if (verdicts.has('too noisy')) return 3;
  return verdicts.has('over') ? 1 : 0;
}

/** One line for each figure. */
export function figureRow(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { what, unit, most, noise }: Kind = KINDS[figure.kind];
    const budget = noise !== undefined ? `1.00 ± ${noise}` : most === undefined || figure.older ? '' : `≤ ${most}`;
    const full = figure.name === undefined ? what : `${what}: ${figure.name}`;
    const name = figure.older ? `  older bundle: ${full}` : full;
    return [verdictOn(figure), name, `${figure.value.toFixed(2)} ${unit}`, budget, figure.detail];
  });
  return table(['', 'figure', 'measured', 'budget', ''], rows);
}
