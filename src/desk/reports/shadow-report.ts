/** How a shadow policy's decisions compare with those that counted, as a summary shows it. Pure. */

const MAX_DIFFERENCES = 20;

export interface ShadowCounts {
  readonly version: number;
  /** Attempts for which it was asked, and those where B2C would have got another reply. */
  readonly compared: number;
  readonly different: number;
  /** Most frequent first: what was decided, and what the shadow decided instead. */
  readonly differences: readonly {
    readonly outcome: string;
    readonly rule: string;
    readonly shadowOutcome: string;
    readonly shadowRule: string;
    readonly attempts: number;
  }[];
}

/** `differs` rows name the decisions; the others of a version are counted together, with empty names. */
export type ShadowRow = readonly [
  version: number,
  differs: boolean,
  outcome: string,
  rule: string,
  shadowOutcome: string,
  shadowRule: string,
  attempts: number,
];

/** What the database counted, or the sentence that says why it is left out. */
export type Compared = readonly ShadowRow[] | string;

/** The part of a summary; nothing where no shadow was asked. */
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
  '"shadow" is left out: comparing the shadow policy took too long. Ask for a shorter time, or try again later.';

/** What a reader of the comparison must know. */
export function shadowCoverage(compared: Compared): string[] {
  if (typeof compared === 'string') return [compared];
  if (compared.length === 0) return [];
  return [
    '"shadow" compares a policy that was only tried with the one that decided, for the share of calls it was asked about. Nobody was turned away or let in by it.',
  ];
}
