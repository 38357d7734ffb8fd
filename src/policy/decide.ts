/**
 * Decides one call. Pure: no I/O, no clock, no chance; the same inputs give the same decision. Rules come compiled
 * (`compile.ts`), so that nothing here knows the language they are written in.
 */
import { byName } from '../sign-in/by-name.ts';
import { shortName } from '../sign-in/claim-names.ts';
import type { ClaimValue, SignInEvent } from '../sign-in/event.ts';
import type { StepAllows } from '../sign-in/steps.ts';
import { messageFor } from './messages.ts';
import {
  DECIDED_WITHOUT_RULE,
  type ExpressionResult,
  NOTHING_HELD,
  type PersonEntitlements,
  type Policy,
} from './policy.ts';

/** A condition that failed although it was never seen to fail when it was saved, and nothing says what happens then. */
export interface UnforeseenFailure {
  readonly rule: string;
  /** In words that quote no value. */
  readonly why: string;
}

interface ReplyClaims {
  readonly failures?: readonly UnforeseenFailure[];
  /** Sent with Continue; also with a block or invalid that the step does not allow, where Continue is all that B2C takes. */
  readonly claims: { readonly [name: string]: ClaimValue };
}

/** A decision that has no words yet: those may need a support code, which costs a signature. */
export type Verdict =
  | ({ readonly kind: 'continue' } & ReplyClaims)
  | ({ readonly kind: 'block' | 'invalid'; readonly rule: string; readonly messageKey: string } & ReplyClaims);

export type Decision =
  | ({ readonly kind: 'continue' } & ReplyClaims)
  | ({
      readonly kind: 'block' | 'invalid';
      readonly rule: string;
      readonly messageKey: string;
      readonly message: string;
      /** BCP 47 tag of the text that is shown. */
      readonly language: string;
    } & ReplyClaims);

/** What became of one rule that was looked at. */
export interface RuleTrace {
  readonly rule: string;
  readonly applied: boolean;
  /** Absent where the rule has no condition. */
  readonly when: ExpressionResult | undefined;
  /** By the claim as it is sent; absent where the rule sets none, or was not reached. */
  readonly set: { readonly [name: string]: ExpressionResult } | undefined;
}

/** `now` is in milliseconds since 1970; `supportCode` is shown when somebody is turned away. */
export function decide(
  event: SignInEvent,
  entitlements: PersonEntitlements,
  policy: Policy,
  now: number,
  supportCode: string,
): Decision {
  return renderMessage(evaluateRules(event, entitlements, policy, now), event, policy, supportCode);
}

/** Decides; `watch` is told of each rule that was looked at, in order. */
export function evaluateRules(
  event: SignInEvent,
  entitlements: PersonEntitlements,
  policy: Policy,
  now: number,
  watch?: (trace: RuleTrace) => void,
): Verdict {
  const at = event.step === undefined ? undefined : policy.steps.get(event.step);
  if (at === undefined) return { kind: 'continue', claims: {} };
  const { allows, rules } = at;
  if (policy.onlyThese !== undefined && !policy.onlyThese.has(event.clientId)) return foreign(event, allows, policy);
  const claims = rolesClaims(event, allows, entitlements, policy);
  const isPersonMissing = !entitlements.known && at.asksPerson;
  if (allows.block && isPersonMissing && at.whenUnavailable === 'block')
    return { kind: 'block', rule: DECIDED_WITHOUT_RULE.personUnknown, messageKey: 'unavailable', claims };
  if (rules.length === 0) return { kind: 'continue', claims };

  const scope: unknown = policy.open(event, entitlements, now);
  const failures: UnforeseenFailure[] = [];
  for (const rule of rules) {
    const when = rule.when?.run(scope);
    if (when?.ok === false && !rule.isFailureForeseen) failures.push({ rule: rule.id, why: when.why });
    const holds = when === undefined || (when.ok ? when.value === true : rule.onError === 'apply');
    const { effect } = rule;
    if (effect.kind !== 'set') {
      watch?.({ rule: rule.id, applied: holds, when, set: undefined });
      if (holds)
        return { kind: effect.kind, rule: rule.id, messageKey: effect.messageKey, claims, ...having(failures) };
    } else {
      const set = holds ? effect.claims.map(([name, value]) => [name, value.run(scope)] as const) : undefined;
      const applied = set?.every(([, result]) => result.ok) ?? false;
      if (set !== undefined && applied) for (const [name, result] of set) if (result.ok) claims[name] = result.value;
      watch?.({ rule: rule.id, applied, when, set: set === undefined ? undefined : Object.fromEntries(set) });
    }
  }
  // A rule that grants unless something is held must not grant because the store did not answer.
  if (allows.claims === 'token' && isPersonMissing && policy.rolesClaim !== '') claims[policy.rolesClaim] = '';
  return { kind: 'continue', claims, ...having(failures) };
}

const having = (failures: readonly UnforeseenFailure[]) => (failures.length === 0 ? {} : { failures });

/** The verdict with the text that the person reads, in their language. */
export function renderMessage(
  verdict: Verdict,
  event: Pick<SignInEvent, 'claims' | 'email' | 'locale'>,
  { messages }: Pick<Policy, 'messages'>,
  supportCode: string,
): Decision {
  if (verdict.kind === 'continue') return verdict;
  const { text, language } = messageFor(messages, verdict.messageKey, event.locale, {
    ...event.claims,
    email: event.email,
    supportCode,
  });
  return { ...verdict, message: text, language };
}

/** Where a step cannot refuse, an application that is not ours gets no roles. */
function foreign(event: SignInEvent, allows: StepAllows, policy: Policy): Verdict {
  const claims = rolesClaims(event, allows, NOTHING_HELD, policy);
  if (!allows.block) return { kind: 'continue', claims };
  return {
    kind: 'block',
    rule: DECIDED_WITHOUT_RULE.foreignApplication,
    messageKey: 'unknown-application',
    claims,
  };
}

/**
 * At the token step the roles claim is in every reply: left out, the directory's value, which a profile page may let the
 * person edit, would reach the token. Before the user is created, a typed-in value is blanked so that it is not stored.
 */
function rolesClaims(
  event: SignInEvent,
  allows: StepAllows,
  { roles }: PersonEntitlements,
  { rolesClaim, sendsRoles }: Policy,
): { [name: string]: ClaimValue } {
  if (rolesClaim === '') return {};
  if (allows.claims === 'token') return { [rolesClaim]: sendsRoles ? roles.join(' ') : '' };
  if (allows.claims === 'directory' && carries(event, rolesClaim)) return { [rolesClaim]: '' };
  return {};
}

/** By short or long name, in any case, and whatever its type: this is about what could be stored. */
function carries(event: SignInEvent, rolesClaim: string): boolean {
  const wanted = comparable(rolesClaim);
  return [...event.claimNames, ...event.unexpectedClaims].some((name) => comparable(name) === wanted);
}

const comparable = byName((name) => shortName(name).toLowerCase());

/** Why there is no decision: the body is unusable, time ran out, or something failed or is not there. */
export type WithoutPolicy = 'unreadable-body' | 'late' | 'unavailable';

/**
 * The decision when there can be none. The token step goes on with empty roles, since B2C accepts nothing else; sign-up is
 * refused, since nobody checked it, unless time ran out and the policy says to go on then (contract line 42).
 */
export function decideWithoutPolicy(
  { step, locale }: Pick<SignInEvent, 'step' | 'locale'>,
  policy: Pick<Policy, 'rolesClaim' | 'messages' | 'steps'>,
  reason: WithoutPolicy,
  supportCode: string,
): Decision {
  const { rolesClaim } = policy;
  const at = step === undefined ? undefined : policy.steps.get(step);
  // Whether the body carries the claim is not always known: typed in, it must not be stored.
  const claims = rolesClaim === '' || at?.allows.claims === 'page' ? {} : { [rolesClaim]: '' };
  if (at?.allows.block === false) return { kind: 'continue', claims };
  if (reason === 'late' && at?.whenUnavailable === 'continue') return { kind: 'continue', claims };
  const kind = reason === 'unreadable-body' && at?.allows.invalid !== false ? 'invalid' : 'block';
  const messageKey = reason === 'late' ? 'unavailable' : reason;
  const { text, language } = messageFor(policy.messages, messageKey, locale, { supportCode });
  return { kind, rule: '', messageKey, message: text, language, claims: {} };
}
