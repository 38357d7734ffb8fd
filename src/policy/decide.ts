/**
 * Decides one call. Pure: no I/O, no clock, no randomness. Rules arrive compiled (`load-plan.ts`), so this file does
 * not depend on the expression language.
 */
import { comparableName } from '../sign-in/claim-names.ts';
import type { SignInEvent } from '../sign-in/event.ts';
import type { StepAllows } from '../sign-in/steps.ts';
import { messageFor, type Quote } from './messages.ts';
import {
  DECIDED_WITHOUT_RULE,
  type Effect,
  type ExpressionResult,
  NOTHING_HELD,
  type PersonEntitlements,
  type Policy,
  type SentValue,
} from './policy.ts';
import { limitClaims } from './reply-limit.ts';

/** A condition or a value of a rule that failed. */
export interface RuleFailure {
  readonly rule: string;
  readonly part: 'condition' | 'set';
  /** Contains no values. */
  readonly why: string;
  /** False when saving found no failure, and the rule has no `onError`. */
  readonly isForeseen: boolean;
}

interface ReplyClaims {
  readonly failures?: readonly RuleFailure[];
  /** Claims that rules set and the reply has no room for. */
  readonly leftOut?: readonly string[];
  /** Sent with Continue. A block or invalid that the step does not accept becomes a Continue with these claims. */
  readonly claims: { readonly [name: string]: SentValue };
}

/** A decision without its message. A message may need a support code, which costs a signature. */
export type Verdict =
  | ({ readonly kind: 'continue' } & ReplyClaims)
  | ({ readonly kind: 'block' | 'invalid' } & Refusal & ReplyClaims);

interface Refusal {
  /** `''` when no rule refused. */
  readonly rule: string;
  readonly messageKey: string;
  readonly developerMessage?: string | undefined;
}

export type Decision =
  | ({ readonly kind: 'continue' } & ReplyClaims)
  | ({
      readonly kind: 'block' | 'invalid';
      readonly message: string;
      /** BCP 47 tag of the message. */
      readonly language: string;
    } & Refusal &
      ReplyClaims);

/** The result of one evaluated rule. */
export interface RuleTrace {
  readonly rule: string;
  readonly applied: boolean;
  /** Absent when the rule has no condition. */
  readonly when: ExpressionResult | undefined;
  /** By the sent name of the claim. Absent when the rule sets no claims or its condition is not met. */
  readonly set: { readonly [name: string]: ExpressionResult } | undefined;
}

/** `now` is in milliseconds since 1970. Messages of a refusal show `supportCode`. */
export function decide(
  event: SignInEvent,
  entitlements: PersonEntitlements,
  policy: Policy,
  now: number,
  supportCode: string,
): Decision {
  return renderMessage(evaluateRules(event, entitlements, policy, now), event, policy, supportCode);
}

/** Decides. It calls `watch` for each evaluated rule, in order. */
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
  if (isUnlisted(event, allows, policy)) return unlisted(event, allows, policy);
  const claims = rolesClaims(event, allows, entitlements, policy);
  const isPersonMissing = !entitlements.known && at.asksPerson;
  if (allows.block && isPersonMissing && at.whenUnavailable === 'block')
    return { kind: 'block', rule: DECIDED_WITHOUT_RULE.personUnknown, messageKey: unavailableAt(allows), claims };
  // Without the person's data, an exchange sends no claims, so that no rule grants what KV could not confirm.
  if (allows.claims === 'journey' && isPersonMissing) return { kind: 'continue', claims: {} };
  if (rules.length === 0) return { kind: 'continue', claims };

  const scope: unknown = policy.open(event, entitlements, now);
  const failures: RuleFailure[] = [];
  for (const rule of rules) {
    const when = rule.when?.run(scope);
    if (when?.ok === false)
      failures.push({ rule: rule.id, part: 'condition', why: when.why, isForeseen: rule.isFailureForeseen });
    const matches = when === undefined || (when.ok ? when.value === true : rule.onError === 'apply');
    const { effect } = rule;
    if (effect.kind !== 'set') {
      watch?.({ rule: rule.id, applied: matches, when, set: undefined });
      if (matches) return refusedBy(rule.id, effect, sent(claims, policy, failures));
    } else {
      const set = matches ? effect.claims.map(([name, value]) => [name, value.run(scope)] as const) : undefined;
      const failed = set?.find(([, { ok }]) => !ok)?.[1];
      if (failed?.ok === false) failures.push({ rule: rule.id, part: 'set', why: failed.why, isForeseen: true });
      const applied = set !== undefined && failed === undefined;
      if (applied) for (const [name, result] of set) if (result.ok) put(claims, name, result.value);
      watch?.({ rule: rule.id, applied, when, set: set === undefined ? undefined : Object.fromEntries(set) });
    }
  }
  // A rule may grant roles when an entitlement is missing. It must not grant them because KV did not respond.
  if (allows.claims === 'token' && isPersonMissing && policy.rolesClaim !== '') claims[policy.rolesClaim] = '';
  return { kind: 'continue', ...sent(claims, policy, failures) };
}

/** No reply has an empty list: B2C keeps the claim's default instead. */
function put(claims: { [name: string]: SentValue }, name: string, value: SentValue): void {
  if (typeof value === 'object' && value.length === 0) delete claims[name];
  else claims[name] = value;
}

/** An application that the policy does not list. An exchange need not name the application. */
const isUnlisted = ({ clientId }: SignInEvent, allows: StepAllows, { onlyThese }: Policy): boolean =>
  onlyThese !== undefined && !onlyThese.has(clientId) && !(allows.claims === 'journey' && clientId === '');

const refusedBy = (
  rule: string,
  { kind, messageKey, developerMessage }: Exclude<Effect<unknown>, { kind: 'set' }>,
  reply: ReplyClaims,
): Verdict => ({ kind, rule, messageKey, ...(developerMessage !== undefined && { developerMessage }), ...reply });

function sent(
  all: { readonly [name: string]: SentValue },
  { rolesClaim }: Policy,
  failures: readonly RuleFailure[],
): ReplyClaims {
  const { claims, leftOut } = limitClaims(all, rolesClaim);
  return { claims, ...(failures.length > 0 && { failures }), ...(leftOut.length > 0 && { leftOut }) };
}

/** Adds the message in the person's language. `quote` can replace what it shows of a claim. */
export function renderMessage(
  verdict: Verdict,
  event: Pick<SignInEvent, 'claims' | 'email' | 'languages'>,
  { messages }: Pick<Policy, 'messages'>,
  supportCode: string,
  quote?: Quote,
): Decision {
  if (verdict.kind === 'continue') return verdict;
  const fill = { ...event.claims, email: event.email, supportCode };
  const { text, language } = messageFor(messages, verdict.messageKey, event.languages, fill, quote);
  return { ...verdict, message: text, language };
}

/** For an unlisted application: a block, or no roles when the step cannot refuse. */
function unlisted(event: SignInEvent, allows: StepAllows, policy: Policy): Verdict {
  const claims = rolesClaims(event, allows, NOTHING_HELD, policy);
  if (!allows.block) return { kind: 'continue', claims };
  return {
    kind: 'block',
    rule: DECIDED_WITHOUT_RULE.foreignApplication,
    messageKey: allows.claims === 'journey' ? 'exchange-blocked' : 'unknown-application',
    claims,
  };
}

/**
 * The token step always sends the roles claim: otherwise the token would contain the directory's value, which a profile
 * page may let the person edit. Before the user is created, an empty value replaces a typed one.
 */
function rolesClaims(
  event: SignInEvent,
  allows: StepAllows,
  { roles }: PersonEntitlements,
  { rolesClaim, sendsRoles }: Policy,
): { [name: string]: SentValue } {
  if (rolesClaim === '') return {};
  if (allows.claims === 'token') return { [rolesClaim]: sendsRoles ? roles.join(' ') : '' };
  if (allows.claims === 'directory' && carries(event, rolesClaim)) return { [rolesClaim]: '' };
  return {};
}

/** Matches the short or long name, in any case and with any type, since B2C could store the value. */
function carries(event: SignInEvent, rolesClaim: string): boolean {
  const wanted = comparableName(rolesClaim);
  return [...event.claimNames, ...event.unexpectedClaims].some((name) => comparableName(name) === wanted);
}

/**
 * The reason why there is no decision: an unreadable body, a timeout (`late`), a failed or missing dependency, or an
 * exchange that the policy does not declare.
 */
export type WithoutPolicy = 'unreadable-body' | 'late' | 'unavailable' | 'unknown-exchange';

/**
 * The reply when rules cannot decide. The token step continues with empty roles, since B2C accepts nothing else.
 * Sign-up is refused, except after a timeout when the policy continues (contract line 42). An exchange follows its
 * `whenUnavailable`, whatever the reason.
 */
export function decideWithoutPolicy(
  { step, languages }: Pick<SignInEvent, 'step' | 'languages'>,
  policy: Pick<Policy, 'rolesClaim' | 'messages' | 'steps'>,
  reason: WithoutPolicy,
  supportCode: string,
): Decision {
  const { rolesClaim } = policy;
  const at = step === undefined ? undefined : policy.steps.get(step);
  if (at?.allows.claims === 'journey' && at.whenUnavailable === 'continue') return { kind: 'continue', claims: {} };
  // The body may contain a typed roles claim, which B2C must not store.
  const claims = rolesClaim === '' || at?.allows.claims === 'page' ? {} : { [rolesClaim]: '' };
  if (at?.allows.block === false) return { kind: 'continue', claims };
  if (reason === 'late' && at?.whenUnavailable === 'continue') return { kind: 'continue', claims };
  const kind = reason === 'unreadable-body' && at?.allows.invalid !== false ? 'invalid' : 'block';
  const messageKey = messageKeyOf(reason, at?.allows);
  const { text, language } = messageFor(policy.messages, messageKey, languages, { supportCode });
  return { kind, rule: '', messageKey, message: text, language, claims: {} };
}

function messageKeyOf(reason: WithoutPolicy, allows: StepAllows | undefined): string {
  if (reason === 'unknown-exchange' || allows?.claims === 'journey') return 'exchange-unavailable';
  return reason === 'late' ? 'unavailable' : reason;
}

/** The built-in text of a sign-up does not fit an exchange. */
const unavailableAt = ({ claims }: StepAllows): string =>
  claims === 'journey' ? 'exchange-unavailable' : 'unavailable';
