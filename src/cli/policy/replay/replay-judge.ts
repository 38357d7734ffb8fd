/** Evaluates a draft on a recorded call with unknown inputs and returns its decision with the recorded one. */
import { ERASED } from '../../../attempts/notes.ts';
import type { CheckedPolicy } from '../../../desk/policies/check.ts';
import type { CheckedRule } from '../../../desk/policies/check-rules.ts';
import type { CompiledExpression } from '../../../desk/policies/compile-expression.ts';
import { compilePolicy } from '../../../desk/policies/compile-plan.ts';
import { openScope, type Scope } from '../../../expressions/scope.ts';
import { UNKNOWN } from '../../../expressions/values.ts';
import { rolesIn } from '../../../gate/sent-roles.ts';
import { readEvent } from '../../../gate/user-flow/request.ts';
import { evaluateRules, type RuleTrace, type Verdict } from '../../../policy/decide.ts';
import { exchangeKey } from '../../../policy/exchange.ts';
import type { ClaimNames } from '../../../policy/load-plan.ts';
import {
  DECIDED_WITHOUT_RULE,
  type ExpressionResult,
  NOTHING_HELD,
  type Policy,
  type Rule,
  type RunnableExpression,
} from '../../../policy/policy.ts';
import type { SignInEvent } from '../../../sign-in/event.ts';
import { USER_FLOW } from '../../../sign-in/steps.ts';
import type { StoredAttempt } from './replay-attempts.ts';
import {
  type KnownCall,
  type KnownInput,
  knownCall,
  knownInputs,
  type ReplayedStep,
  withInputs,
} from './replay-known.ts';

/** A decision as stored in attempts: rule and message are `''` unless the person is turned away. */
export interface Turn {
  readonly outcome: Verdict['kind'];
  readonly rule: string;
  readonly messageKey: string;
}

export interface ReplayDecision extends Turn {
  /** The roles in the token; undefined at other steps and without a roles claim. */
  readonly roles: readonly string[] | undefined;
}

export interface RuleSeen {
  readonly id: string;
  /** `notReached`: an earlier rule certainly ended the call; `notJudged`: undecided. */
  readonly became: 'applied' | 'didNotApply' | 'notReached' | 'notJudged';
  /** The unknown inputs that would decide it. */
  readonly lacks: readonly KnownInput[];
}

export type Replayed =
  /** No policy decided this attempt. `why` is the attempt's reason, or a text. */
  | { readonly kind: 'skipped'; readonly why: string }
  | {
      readonly kind: 'judged';
      readonly recorded: ReplayDecision;
      /** Undefined: undecided. */
      readonly draft: ReplayDecision | undefined;
      /** The rules of the step in order. */
      readonly rules: readonly RuleSeen[];
    };

export interface ReplayDraft {
  /** The policy if no undecided rule applied, and if all of them applied. */
  readonly fewest: Policy<Scope>;
  readonly most: Policy<Scope>;
  /** The claims that rules read. */
  readonly claims: ReadonlySet<string>;
  /** By rule: the inputs of its condition, and of its values if it sets the roles. Other claims are not compared. */
  readonly reads: ReadonlyMap<string, readonly KnownInput[]>;
}

/** These replace unknown results. */
const SKIPS: ExpressionResult = { ok: true, value: false };
const FAILS: ExpressionResult = { ok: false, why: 'it depends on a value that was not stored' };
const APPLIES: ExpressionResult = { ok: true, value: true };
const ANY_VALUE: ExpressionResult = { ok: true, value: '' };

export async function draftOf(checked: CheckedPolicy, names: ClaimNames): Promise<ReplayDraft> {
  const rules = checked.rules.map(({ when, set, ...rule }) => ({
    ...rule,
    when: when && readingInputs(when),
    set: set.map(([claim, value]) => [claim, readingInputs(value)] as const),
  }));
  const policy = await compilePolicy({ ...checked, rules }, 0, names);
  const reads = checked.rules.map((rule) => {
    const setsRoles = rule.set.some(([claim]) => claim.toLowerCase() === names.rolesClaim.toLowerCase());
    return [rule.document.id, expressionsOf(rule, setsRoles).flatMap(({ tree }) => knownInputs(tree))] as const;
  });
  return {
    fewest: assuming(policy, SKIPS, FAILS),
    most: assuming(policy, APPLIES, ANY_VALUE),
    claims: new Set(checked.rules.flatMap((rule) => expressionsOf(rule, true).flatMap(({ reads }) => reads.claims))),
    reads: new Map(reads),
  };
}

const readingInputs = (expression: CompiledExpression) => ({ ...expression, tree: withInputs(expression.tree) });

const expressionsOf = ({ when, set }: CheckedRule, withValues: boolean) => [
  ...(when === undefined ? [] : [when]),
  ...(withValues ? set.map(([, value]) => value) : []),
];

function assuming(policy: Policy<Scope>, condition: ExpressionResult, value: ExpressionResult): Policy<Scope> {
  const assumed = ({ when, effect, ...rule }: Rule<Scope>): Rule<Scope> => ({
    ...rule,
    when: when && instead(when, condition),
    effect:
      effect.kind === 'set'
        ? { kind: 'set', claims: effect.claims.map(([claim, set]) => [claim, instead(set, value)]) }
        : effect,
  });
  const steps = [...policy.steps].map(([step, at]) => [step, { ...at, rules: at.rules.map(assumed) }] as const);
  return { ...policy, steps: new Map(steps) };
}

const instead = (compiled: RunnableExpression<Scope>, assumed: ExpressionResult): RunnableExpression<Scope> => ({
  run(scope) {
    const result = compiled.run(scope);
    return 'unknown' in result ? assumed : result;
  },
});

/** The step of an attempt; undefined when the draft has none of this name in its channel. */
function stepOf({ channel, step }: StoredAttempt, { exchanges }: Policy): ReplayedStep | undefined {
  if (channel === 'user-flow') return USER_FLOW.has(step) ? { channel, name: step, inputs: undefined } : undefined;
  const exchange = channel === 'custom-policy' ? exchanges.get(exchangeKey(step)) : undefined;
  return exchange && { channel: 'custom-policy', name: exchange.name, inputs: exchange.inputs };
}

export async function replayed(attempt: StoredAttempt, draft: ReplayDraft): Promise<Replayed> {
  const { outcome, reason, rule, messageKey, clientId } = attempt;
  if (outcome === 'error') return { kind: 'skipped', why: reason };
  if (attempt.notes.includes(ERASED)) return { kind: 'skipped', why: 'erased' };
  const step = stepOf(attempt, draft.fewest);
  if (step === undefined) return { kind: 'skipped', why: 'not a step of the draft' };
  const areRolesCompared = step.name === 'PreTokenIssuance' && draft.fewest.rolesClaim !== '';
  const recorded = { outcome, rule, messageKey, roles: areRolesCompared ? attempt.roles : undefined };
  const event = { ...(await readEvent({}, undefined)), channel: step.channel, step: step.name, clientId };
  const call = knownCall(attempt, step, draft.claims);
  return { kind: 'judged', recorded, ...judged(event, call, draft, areRolesCompared) };
}

/**
 * Evaluates the rules twice: as if no undecided rule applied, and as if all of them applied. A result that is the same
 * both times is certain, since the first rule that turns away ends the call and the last rule that sets the roles wins.
 * The cost limit is ignored: only texts far longer than people type reach it.
 */
function judged(event: SignInEvent, call: KnownCall, draft: ReplayDraft, areRolesCompared: boolean) {
  const { rolesClaim, onlyThese, steps } = draft.fewest;
  const undecided = (id: string, reads: readonly KnownInput[]): RuleSeen => {
    return { id, became: 'notJudged', lacks: [...new Set(reads)].filter((input) => call.unknown.has(input)) };
  };
  if (onlyThese !== undefined && call.unknown.has('request.clientId'))
    return { draft: undefined, rules: [undecided(DECIDED_WITHOUT_RULE.foreignApplication, ['request.clientId'])] };
  const fewest = evaluated(draft.fewest, event, call);
  const most = evaluated(draft.most, event, call);
  const seen = (id: string, few: RuleTrace | undefined, many: RuleTrace | undefined): RuleSeen => {
    if (few === undefined) return { id, became: 'notReached', lacks: [] };
    const { applied, when, set } = few;
    const holds = many?.applied ?? (applied || set !== undefined);
    const areRolesUnknown = areRolesCompared && set?.[rolesClaim] !== undefined && holds !== applied;
    if (when === SKIPS || areRolesUnknown) return undecided(id, draft.reads.get(id) ?? []);
    return { id, became: holds ? 'applied' : 'didNotApply', lacks: [] };
  };
  const roles = areRolesCompared ? rolesIn(fewest.verdict.claims[rolesClaim]) : undefined;
  const isSure = isSameTurn(fewest.turn, most.turn) && (!areRolesCompared || fewest.rolesBy === most.rolesBy);
  return {
    draft: isSure ? { ...fewest.turn, roles } : undefined,
    rules: steps.get(event.step ?? '')?.rules.map(({ id }, at) => seen(id, fewest.traces[at], most.traces[at])) ?? [],
  };
}

export const isSameTurn = (a: Turn, b: Turn) =>
  a.outcome === b.outcome && a.rule === b.rule && a.messageKey === b.messageKey;

function evaluated(policy: Policy<Scope>, event: SignInEvent, { inputs, isPersonKnown }: KnownCall) {
  const named = policy.open(event, NOTHING_HELD, inputs.now).request('application');
  const application = typeof inputs.clientId === 'string' ? String(named) : UNKNOWN;
  const open = () => openScope({ ...inputs, application, lists: policy.lists });
  const traces: RuleTrace[] = [];
  const held = { ...NOTHING_HELD, known: isPersonKnown };
  const verdict = evaluateRules(event, held, { ...policy, open }, inputs.now, (trace) => traces.push(trace));
  const { rule, messageKey } = verdict.kind === 'continue' ? { rule: '', messageKey: '' } : verdict;
  return {
    verdict,
    traces,
    turn: { outcome: verdict.kind, rule, messageKey },
    rolesBy: traces.findLast(({ applied, set }) => applied && set?.[policy.rolesClaim] !== undefined)?.rule,
  };
}
