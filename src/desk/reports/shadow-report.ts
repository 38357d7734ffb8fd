/** Compares the shadow policy's decisions with the real ones, as a part of a summary. Pure. */
import type { AnswerOf } from '../http/operation.ts';
import type { shadowCountsAnswer } from './summary-answer.ts';

const MAX_DIFFERENCES = 20;

export type ShadowCounts = AnswerOf<typeof shadowCountsAnswer>;

/** Rows with `differs` have the decisions. The other rows of a version are counted together, with empty names. */
export type ShadowRow = readonly [
  version: number,
  differs: boolean,
  outcome: string,
  rule: string,
  shadowOutcome: string,
  shadowRule: string,
  attempts: number,
];

/** The counted rows, or the sentence that says why they are left out. */
export type Compared = readonly ShadowRow[] | string;

/** The `shadow` member of a summary; absent if no shadow policy was evaluated. */
export function comparison(rows: Compared): { shadow?: ShadowCounts[] } {
  if (typeof rows === 'string' || rows.length === 0) return {};
  const versions = [...new Set(rows.map(([version]) => version))].sort((a, b) => b - a);
  return {
    shadow: versions.map((version) => {
      const all = rows.filter(([of]) => of === version);
      const differences = all
        .filter(([, differs]) => differs)
        .map(([, , outcome, rule, shadowOutcome, shadowRule, attempts]) => ({
          outcome,
          rule,
          shadowOutcome,
          shadowRule,
          attempts,
        }))
        .sort((a, b) => b.attempts - a.attempts);
      return {
        version,
        compared: all.reduce((sum, row) => sum + row[6], 0),
        different: differences.reduce((sum, { attempts }) => sum + attempts, 0),
        differences: differences.slice(0, MAX_DIFFERENCES),
      };
    }),
  };
}

export const SHADOW_TOO_SLOW =
  '"shadow" is left out: comparing the shadow policy took too long. Choose a shorter range or try again later.';

export function shadowCoverage(compared: Compared): string[] {
  if (typeof compared === 'string') return [compared];
  if (compared.length === 0) return [];
  return [
    '"shadow" compares the decisions of the shadow policy with the real ones, for the share of calls on which it ran. It had no effect on any call.',
  ];
}
