/** What the bench found, and how it is told: the one place that knows the table. */
import { table } from '../commands/table.ts';

export interface Finding {
  readonly what: string;
  /** Figures with their units. */
  readonly measured: string;
  /** As in the design's list of budgets; absent where none is set and the figure is only told. */
  readonly budget?: string;
  /** Present exactly where `budget` is. */
  readonly within?: boolean;
}

/** A finding with a budget of at most `most`. */
export const against = (what: string, value: number, most: number, unit: string, measured: string): Finding => ({
  what,
  measured,
  budget: `≤ ${most} ${unit}`,
  within: value <= most,
});

export function shown(findings: readonly Finding[]): string {
  const rows = findings.map(({ what, measured, budget = '', within }) => [what, measured, budget, verdict(within)]);
  return table(['what', 'measured', 'budget', ''], rows);
}

const verdict = (within: boolean | undefined) => (within === undefined ? '' : within ? 'within' : 'NOT WITHIN');
