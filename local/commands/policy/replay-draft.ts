/** The policy that attempts are run through, with what each of its expressions reads. */
import { parse } from '@bufbuild/cel';
import type { CheckedPolicy } from '../../../src/desk/policies/check.ts';
import type { CheckedRule } from '../../../src/desk/policies/check-rules.ts';
import { compilePolicy } from '../../../src/desk/policies/compile-plan.ts';
import type { Expression } from '../../../src/policy/expressions/expression.ts';
import { askedFor } from '../../../src/policy/expressions/facts.ts';
import type { Scope } from '../../../src/policy/expressions/scope.ts';
import { childrenOf, type Node, pathOf } from '../../../src/policy/expressions/tree.ts';
import type { ClaimNames } from '../../../src/policy/load.ts';
import type { Policy, Rule } from '../../../src/policy/policy.ts';
import { STEPS, type UserFlowStep } from '../../../src/sign-in/steps.ts';

export interface DraftExpression {
  readonly expression: Expression;
  /** The claims whose value it reads: of one that is only asked for by `has()` the name is enough. */
  readonly values: readonly string[];
}

export interface DraftRule {
  readonly rule: Rule<Scope>;
  /** Undefined: always. */
  readonly when: DraftExpression | undefined;
  /** By the claim as it is sent. */
  readonly set: readonly (readonly [claim: string, value: DraftExpression])[];
}

export interface Draft {
  readonly policy: Policy<Scope>;
  readonly rules: { readonly [S in UserFlowStep]: readonly DraftRule[] };
  /** Every claim that a rule of the step reads or asks for. */
  readonly claims: { readonly [S in UserFlowStep]: readonly string[] };
}

export function draftOf(checked: CheckedPolicy, names: ClaimNames): Draft {
  const policy = compilePolicy(checked, 0, names);
  const sources = new Map(checked.rules.map((rule) => [rule.document.id, rule]));
  const rules = byStep((step) =>
    (policy.steps.get(step)?.rules ?? []).map((rule) => draftRule(rule, sources.get(rule.id))),
  );
  const claims = byStep((step) => [
    ...new Set(rules[step].flatMap(expressionsOf).flatMap(({ expression }) => expression.reads.claims)),
  ]);
  return { policy, rules, claims };
}

const byStep = <T>(make: (step: UserFlowStep) => T) =>
  Object.fromEntries(STEPS.map((step) => [step, make(step)])) as { [S in UserFlowStep]: T };

function draftRule(rule: Rule<Scope>, source: CheckedRule | undefined): DraftRule {
  const { document, when, set = [] } = source ?? {};
  const sent = rule.effect.kind === 'set' ? rule.effect.claims : [];
  return {
    rule,
    when: when && draftExpression(document?.when ?? '', when),
    // The compiled rule has them in the same order, under the names that are sent.
    set: sent.flatMap(([name], index) => {
      const [claim, value] = set[index] ?? [];
      return claim === undefined || value === undefined
        ? []
        : [[name, draftExpression(document?.set?.[claim] ?? '', value)] as const];
    }),
  };
}

const expressionsOf = ({ when, set }: DraftRule): DraftExpression[] => [
  ...(when === undefined ? [] : [when]),
  ...set.map(([, value]) => value),
];

/** `source` is what `expression` was compiled from. */
function draftExpression(source: string, expression: Expression): DraftExpression {
  const values = new Set<string>();
  const nodes: (Node | undefined)[] = [parse(source).expr];
  for (const node of nodes) {
    if (node === undefined || askedFor(node) !== undefined) continue;
    const [variable, claim] = pathOf(node) ?? [];
    if (variable === 'claims' && claim !== undefined) values.add(claim);
    else nodes.push(...childrenOf(node));
  }
  return { expression, values: [...values] };
}
