/** How the decision of a shadow differs from the one that counted. Pure. */
import type { Decision } from './decide.ts';

/** A second policy's decision on a call, beside the one that was replied. */
export interface ShadowDecision {
  readonly version: number;
  readonly outcome: Decision['kind'];
  readonly rule: string;
  readonly messageKey: string;
  /** Whether B2C would have got another reply. */
  readonly differs: boolean;
  /** Names of the claims whose values differ, as they would be sent: values are nobody's business. */
  readonly claims: readonly string[];
}

export function compareDecisions(version: number, real: Decision, shadow: Decision): ShadowDecision {
  const claims = real.kind === 'continue' && shadow.kind === 'continue' ? differentClaims(real, shadow) : [];
  const turned = shadow.kind === 'continue' ? { rule: '', messageKey: '' } : shadow;
  return {
    version,
    outcome: shadow.kind,
    rule: turned.rule,
    messageKey: turned.messageKey,
    differs: real.kind !== shadow.kind || wordsOf(real) !== wordsOf(shadow) || claims.length > 0,
    claims,
  };
}

const wordsOf = (decision: Decision): string => (decision.kind === 'continue' ? '' : decision.message);

function differentClaims({ claims: a }: Decision, { claims: b }: Decision): string[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => a[name] !== b[name]);
}
