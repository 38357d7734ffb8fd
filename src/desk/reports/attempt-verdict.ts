/** What one attempt means for the person, and whose fault it was, as far as the attempt tells. Pure. */
import type { ErrorReason } from '../../attempts/error-reasons.ts';
import { DECIDED_WITHOUT_RULE } from '../../policy/policy.ts';
import { SIGN_IN_COMPLETED } from '../../sign-in/steps.ts';
import type { AdviceKey } from './advice-texts.ts';
import type { AttemptRow } from './queries/columns.ts';

/**
 * `none`: the person was let in, or may still be trying. `rule`: a decision, and no fault. `unknown`: what Gatehouse
 * saw does not tell.
 */
export const FAULTS = ['none', 'us', 'microsoft', 'provider', 'application', 'rule', 'person', 'unknown'] as const;
export type WhoseFault = (typeof FAULTS)[number];

/** What decides about an attempt. */
export type Judged = Pick<
  AttemptRow,
  'channel' | 'step' | 'outcome' | 'reason' | 'reply' | 'rule' | 'messageKey' | 'failedRules' | 'degraded'
>;

export interface AttemptVerdict {
  readonly fault: WhoseFault;
  /** What to say where the rule has no advice. */
  readonly advice: AdviceKey;
}

/** Whether the call gave a token. */
export const isToken = ({ step, reply }: Pick<Judged, 'step' | 'reply'>): boolean =>
  step === 'PreTokenIssuance' && reply === 'Continue';

/** Whether the person came in with this call. */
export const isLetIn = (call: Judged): boolean =>
  isToken(call) ||
  (call.channel === 'custom-policy' &&
    call.step.toLowerCase() === SIGN_IN_COMPLETED.toLowerCase() &&
    call.reply !== 'Refusal');

/** Whether Microsoft got a reply that ends the journey or returns the person to the page. */
export const isStopped = ({ outcome, reply }: Pick<Judged, 'outcome' | 'reply'>): boolean =>
  outcome === 'block' || outcome === 'invalid' || (outcome === 'error' && reply !== 'Continue' && reply !== 'Claims');

export function attemptVerdict(call: Judged): AttemptVerdict {
  const { outcome, rule, failedRules, degraded, step } = call;
  if (isLetIn(call)) {
    const isWhole = outcome === 'continue' && degraded === '' && failedRules.length === 0;
    return isWhole ? { fault: 'none', advice: 'let-in' } : { fault: 'us', advice: 'roles-missing' };
  }
  if (outcome === 'error') return FAILED[reasonOf(call)] ?? { fault: 'unknown', advice: 'failed-on-the-way' };
  if (outcome !== 'block' && outcome !== 'invalid') return { fault: 'unknown', advice: 'went-on' };
  if (rule === DECIDED_WITHOUT_RULE.foreignApplication) return { fault: 'application', advice: 'unknown-application' };
  if (rule === DECIDED_WITHOUT_RULE.personUnknown || isFault(call)) return { fault: 'us', advice: 'failed-here' };
  // After federation, claims come from the provider only.
  if (failedRules.includes(rule))
    return { fault: step === 'PostFederationSignup' ? 'provider' : 'us', advice: 'rule-failed' };
  return outcome === 'block' ? { fault: 'rule', advice: 'blocked' } : { fault: 'person', advice: 'correct-input' };
}

/** A refusal without a rule: a fault of Gatehouse. */
const isFault = ({ rule, messageKey }: Judged) =>
  rule === '' && (messageKey === 'unavailable' || messageKey === 'exchange-unavailable');

const HERE = { fault: 'us', advice: 'failed-here' } as const;
const SETUP = { fault: 'us', advice: 'failed-setup' } as const;
const ON_THE_WAY = { fault: 'unknown', advice: 'failed-on-the-way' } as const;

const FAILED: { readonly [reason in ErrorReason]: AttemptVerdict } & { readonly [other: string]: AttemptVerdict } = {
  'too-large': SETUP,
  'cut-off': ON_THE_WAY,
  compressed: ON_THE_WAY,
  'not-utf-8': ON_THE_WAY,
  'not-json': ON_THE_WAY,
  'not-an-object': ON_THE_WAY,
  'nested-too-deep': ON_THE_WAY,
  'unknown-step': SETUP,
  'unknown-exchange': SETUP,
  'no-policy': HERE,
  deadline: HERE,
  exception: HERE,
};

/** A reason that this version does not know is its own failure: only Gatehouse writes reasons. */
const reasonOf = ({ reason }: Pick<Judged, 'reason'>): string => (Object.hasOwn(FAILED, reason) ? reason : 'exception');

/** Whether a call with this reason failed in Gatehouse, and not because of its sender or of the setup. */
export const isOurFailure = (reason: string): boolean => FAILED[reasonOf({ reason })] === HERE;
