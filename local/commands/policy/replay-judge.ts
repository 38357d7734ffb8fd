/** What a draft would decide about a call of which not everything is known, beside what was decided then. */
import { rolesIn } from '../../../src/gate/attempt.ts';
import { judge, type Verdict } from '../../../src/policy/decide.ts';
import type { Compiled, Result, Rule } from '../../../src/policy/policy.ts';
import type { ClaimValue } from '../../../src/sign-in/event.ts';
import { STEPS, type UserFlowStep } from '../../../src/sign-in/steps.ts';
import type { KeptAttempt } from './replay-attempts.ts';
import type { Draft, DraftExpression, DraftRule } from './replay-draft.ts';
import { type Gap, type KnownCall, knownCall } from './replay-known.ts';
import { evaluator, type Knowledge } from './replay-scope.ts';

/** A decision as attempts keep it. */
export interface Decided {
  readonly outcome: Verdict['kind'];
  /** `''` where nobody was turned away. */
  readonly rule: string;
  readonly messageKey: string;
  /** What the token carries as roles; undefined at the other steps, and where no claim is for them. */
  readonly roles: readonly string[] | undefined;
}

/** What became of a rule that was looked at. */
export interface RuleSeen {
  readonly id: string;
  /** Undefined: it could not be judged. */
  readonly applies: boolean | undefined;
  /** What would have to be known to judge it. */
  readonly gaps: readonly Gap[];
}

export type Replayed =
  /** No policy had decided. `why` is the attempt's reason, or says it in words. */
  | { readonly kind: 'skipped'; readonly why: string }
  | {
      readonly kind: 'judged';
      readonly recorded: Decided;
      /** Undefined: it could not be judged. */
      readonly draft: Decided | undefined;
      readonly looked: readonly RuleSeen[];
      /** Ids of the rules behind one that ends the call for sure. */
      readonly notReached: readonly string[];
      /** What would have to be known beside what the rules lack. */
      readonly gaps: readonly Gap[];
    };

export async function replayed(attempt: KeptAttempt, draft: Draft): Promise<Replayed> {
  const { outcome, reason, rule, messageKey } = attempt;
  const step = STEPS.find((known) => known === attempt.step);
  if (outcome === 'error') return { kind: 'skipped', why: reason };
  if (step === undefined || attempt.channel !== 'user-flow') return { kind: 'skipped', why: 'not of a user flow' };
  const roles = carriesRoles(step, draft.policy.rolesClaim) ? attempt.roles : undefined;
  return {
    kind: 'judged',
    recorded: { outcome, rule, messageKey, roles },
    ...judged(await knownCall(attempt, step), draft),
  };
}

/**
 * Decides twice, by the code that decides calls: as if no rule that cannot be judged applied, and as if all of them did. What
 * comes out both times is sure, since the first rule that turns away ends.
 */
function judged(call: KnownCall, draft: Draft) {
  const { step } = call;
  const { onlyThese, rolesClaim } = draft.policy;
  const know = evaluator(draft, call);
  const compared = carriesRoles(step, rolesClaim) ? rolesClaim : '';
  const rules = draft.rules[step].map((rule) => settled(rule, know, compared));
  const gaps = onlyThese === undefined ? [] : call.gaps.filter(({ path }) => path === 'request.clientId');

  const decideIf = (unknownApply: boolean, watch?: () => void) => {
    const policy = {
      ...draft.policy,
      onlyThese: gaps.length === 0 ? onlyThese : unknownApply ? NO_APPLICATION : undefined,
      steps: new Map(
        [...draft.policy.steps].map(([name, at]) => [
          name,
          name === step ? { ...at, rules: rules.map((rule) => assume(rule, unknownApply)) } : at,
        ]),
      ),
      open: () => undefined,
    };
    return judge(call.event, call.entitlements, policy, call.now, watch);
  };
  let looked = 0;
  const fewest = decideIf(false, () => {
    looked += 1;
  });
  return {
    draft: isSure(fewest, decideIf(true), step, rolesClaim) ? decided(fewest, step, rolesClaim) : undefined,
    looked: rules.slice(0, looked),
    notReached: rules.slice(looked).map(({ id }) => id),
    gaps,
  };
}

const NO_APPLICATION: ReadonlySet<string> = new Set();

/** A rule with its expressions evaluated. */
interface Settled extends RuleSeen {
  readonly rule: Rule<never>;
  /** What it sets when it applies for sure; values that are not known are left out. */
  readonly values: ReadonlyMap<string, ClaimValue>;
}

/**
 * As `judge` has it: a condition that fails is what `onError` says, and a rule sets all of its claims or none. Of a rule that
 * sets none but claims that nobody compares, nothing is asked but its condition: it applies unless a value is known to fail.
 */
function settled({ rule, when, set }: DraftRule, know: (one: DraftExpression) => Knowledge, compared: string): Settled {
  const condition = when === undefined ? ALWAYS : know(when);
  const holds = condition.result && holdsBy(condition.result, rule.onError);
  const gaps = new Set<Gap>(condition.gaps);
  const seen = { id: rule.id, rule, values: new Map<string, ClaimValue>() };
  if (holds === false) return { ...seen, applies: false, gaps: [] };
  const matters = set.some(([claim]) => claim === compared);
  for (const [claim, value] of set) {
    const known = know(value);
    if (known.result?.ok === false) return { ...seen, applies: false, gaps: [] };
    if (known.result !== undefined) seen.values.set(claim, known.result.value);
    else if (matters) for (const gap of known.gaps) gaps.add(gap);
  }
  return { ...seen, applies: gaps.size === 0 ? holds : undefined, gaps: [...gaps] };
}

const ALWAYS: Knowledge = { result: { ok: true, value: true }, gaps: [] };

const holdsBy = (result: Result, onError: 'skip' | 'apply') =>
  result.ok ? result.value === true : onError === 'apply';

/** No expression comes to it, and it equals nothing: what a claim is that some rule may have set. */
const ANYTHING = Number.NaN;

/** The rule with its uncertainty taken away. */
function assume({ rule, applies, values }: Settled, unknownApply: boolean): Rule<unknown> {
  const { id, onError, effect } = rule;
  const when = comesTo(applies ?? unknownApply);
  if (effect.kind !== 'set') return { id, onError, when, effect };
  const setTo = (claim: string) => comesTo(applies === true ? (values.get(claim) ?? ANYTHING) : ANYTHING);
  const claims = effect.claims.map(([claim]) => [claim, setTo(claim)] as const);
  return { id, onError, when, effect: { kind: 'set', claims } };
}

const comesTo = (value: ClaimValue): Compiled<unknown> => ({ run: () => ({ ok: true, value }) });

/** `''` is the name of no claim. */
const carriesRoles = (step: UserFlowStep, rolesClaim: string) => step === 'PreTokenIssuance' && rolesClaim !== '';

function isSure(a: Verdict, b: Verdict, step: UserFlowStep, rolesClaim: string): boolean {
  const [one, other] = [turnedAway(a), turnedAway(b)];
  if (a.kind !== b.kind || one.rule !== other.rule || one.messageKey !== other.messageKey) return false;
  return !carriesRoles(step, rolesClaim) || a.claims[rolesClaim] === b.claims[rolesClaim];
}

const turnedAway = (verdict: Verdict) => (verdict.kind === 'continue' ? { rule: '', messageKey: '' } : verdict);

function decided(verdict: Verdict, step: UserFlowStep, rolesClaim: string): Decided {
  const { rule, messageKey } = turnedAway(verdict);
  const roles = carriesRoles(step, rolesClaim) ? rolesIn(verdict.claims[rolesClaim]) : undefined;
  return { outcome: verdict.kind, rule, messageKey, roles };
}
