/** Breakdowns of a summary: attempts by the values of one attribute, each by outcome. Pure. */

import { OUTCOMES } from '../../attempts/attempt.ts';
import type { Facet } from '../aggregates/facets.ts';
import type { AnswerOf } from '../http/operation.ts';
import { providerNameOf } from './provider-names.ts';
import type { Summary } from './summary.ts';
import type { breakdownMembers, countsAnswer, facetMembers, groupAnswer } from './summary-answer.ts';

export type Counts = AnswerOf<typeof countsAnswer>;

/** Attempts with one value of an attribute. */
export type Group = AnswerOf<typeof groupAnswer>;

/** The longest list of a breakdown. */
export const MAX_GROUPS = 100;

export const total = (some: readonly { readonly attempts: number }[]): number =>
  some.reduce((sum, { attempts }) => sum + attempts, 0);

/** A Map, because a step may have any name, such as `__proto__`. Known names are present with 0. */
export function by<Name extends string>(
  name: Name,
  some: readonly ({ readonly [Key in Name]: string } & { readonly attempts: number })[],
  known: readonly string[],
): Counts {
  const counts = new Map(known.map((value) => [value, 0]));
  for (const one of some) counts.set(one[name], (counts.get(one[name]) ?? 0) + one.attempts);
  return Object.fromEntries(counts);
}

export type OutcomeRow = readonly [value: string, outcome: string, attempts: number];

/** The groups of all rows, most attempts first. */
export function groupsOf(rows: readonly OutcomeRow[]): (Group & { readonly value: string })[] {
  const groups = Map.groupBy(
    rows.map(([value, outcome, attempts]) => ({ value, outcome, attempts })),
    ({ value }) => value,
  );
  return [...groups]
    .map(([value, some]) => ({ value, attempts: total(some), byOutcome: by('outcome', some, OUTCOMES) }))
    .sort((a, b) => b.attempts - a.attempts || (a.value < b.value ? -1 : 1));
}

/** The breakdowns that every summary has. */
export type Breakdowns = Pick<Summary, keyof typeof breakdownMembers>;

export interface BreakdownRows {
  readonly steps: readonly (readonly [channel: string, step: string, outcome: string, attempts: number])[];
  readonly rules: readonly OutcomeRow[];
  readonly applications: readonly OutcomeRow[];
  readonly issuers: readonly OutcomeRow[];
}

/** The breakdowns, and whether one of them was truncated. `names` has application names by client id. */
export function breakdownsOf(
  { steps, rules, applications, issuers }: BreakdownRows,
  names: ReadonlyMap<string, string>,
): { readonly breakdowns: Breakdowns; readonly truncated: boolean } {
  const bySteps = groupsOf(steps.map(([, step, ...rest]) => [step, ...rest]));
  const byChannels = groupsOf(steps.map(([channel, , ...rest]) => [channel, ...rest]));
  const byRules = groupsOf(rules.filter(([rule]) => rule !== ''));
  const byApplications = groupsOf(applications);
  const byIssuers = groupsOf(issuers);
  return {
    truncated: [bySteps, byRules, byApplications, byIssuers].some(({ length }) => length > MAX_GROUPS),
    breakdowns: {
      byStep: first(bySteps).map(({ value, ...group }) => ({ step: value, ...group })),
      byChannel: first(byChannels).map(({ value, ...group }) => ({ channel: value, ...group })),
      byRule: first(byRules).map(({ value, ...group }) => ({ rule: value, ...group })),
      byApplication: first(byApplications).map(({ value, ...group }) => ({
        clientId: value,
        ...named('application', names.get(value)),
        ...group,
      })),
      byIssuer: first(byIssuers).map(({ value, ...group }) => ({
        issuer: value,
        ...named('provider', providerNameOf(value)),
        ...group,
      })),
    },
  };
}

const first = <Item>(groups: readonly Item[]): Item[] => groups.slice(0, MAX_GROUPS);
const named = <Member extends string>(member: Member, name: string | undefined) =>
  (name === undefined ? {} : { [member]: name }) as { [Key in Member]?: string };

/** Facets of a summary: attempts without a value are in no group. */
export const SUMMARY_FACETS = [
  'reason',
  'caller',
  'language',
  'degraded',
  'policy-version',
  'failed-rule',
] as const satisfies readonly Facet[];
type SummaryFacet = (typeof SUMMARY_FACETS)[number];

export type FacetBreakdowns = Required<Pick<Summary, keyof typeof facetMembers>>;

export type FacetRow = readonly [facet: SummaryFacet, value: string, outcome: string, attempts: number];

/** Whether a facet has more values than its breakdown shows. */
export const isTruncated = (rows: readonly FacetRow[]): boolean =>
  SUMMARY_FACETS.some((facet) => {
    const values = rows.filter(([one]) => one === facet).map(([, value]) => value);
    return new Set(values).size > MAX_GROUPS;
  });

export function facetBreakdownsOf(rows: readonly FacetRow[]): FacetBreakdowns {
  const of = (facet: SummaryFacet) => first(groupsOf(rows.filter(([one]) => one === facet).map(([, ...row]) => row)));
  return {
    byReason: of('reason').map(({ value, ...group }) => ({ reason: value, ...group })),
    byCaller: of('caller').map(({ value, ...group }) => ({ caller: value, ...group })),
    byLanguage: of('language').map(({ value, ...group }) => ({ language: value, ...group })),
    byDegraded: of('degraded').map(({ value, ...group }) => ({ degraded: value, ...group })),
    byPolicyVersion: of('policy-version').map(({ value, ...group }) => ({ policyVersion: Number(value), ...group })),
    byFailedRule: of('failed-rule').map(({ value, ...group }) => ({ rule: value, ...group })),
  };
}
