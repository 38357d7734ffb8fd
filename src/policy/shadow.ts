/** Compares the decision of a shadow policy with the real one. Pure. */
import type { Decision } from './decide.ts';

/** The shadow policy's decision on a call. */
export interface ShadowDecision {
  readonly version: number;
  readonly outcome: Decision['kind'];
  readonly rule: string;
  readonly messageKey: string;
  /** Whether the shadow's reply would differ. */
  readonly differs: boolean;
  /** Sent names of the claims whose values differ. The values are not recorded. */
  readonly claims: readonly string[];
}

export function compareDecisions(version: number, real: Decision, shadow: Decision): ShadowDecision {
  const claims = real.kind === 'continue' && shadow.kind === 'continue' ? differentClaims(real, shadow) : [];
  const refusal = shadow.kind === 'continue' ? { rule: '', messageKey: '' } : shadow;
  return {
    version,
    outcome: shadow.kind,
    rule: refusal.rule,
    messageKey: refusal.messageKey,
    differs: real.kind !== shadow.kind || messageOf(real) !== messageOf(shadow) || claims.length > 0,
    claims,
  };
}

const messageOf = (decision: Decision): string => (decision.kind === 'continue' ? '' : decision.message);

function differentClaims({ claims: a }: Decision, { claims: b }: Decision): string[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}
