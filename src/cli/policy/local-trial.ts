/** Evaluates one call against a policy file on this machine, without a Gatehouse. */

import { heldBy, shownEntry, type TriedEntitlements, tryCall } from '../../gate/trial.ts';
import type { Decision } from '../../policy/decide.ts';
import { NOTHING_HELD, type Policy } from '../../policy/policy.ts';
import type { Step } from '../../sign-in/event.ts';
import type { RemoteTried } from './policy-api.ts';

/** Replaces the support code of a person. It has the same form and belongs to no attempt. */
export const SAMPLE_CODE = 'TEST0-C0DE0';

export interface LocalTrial {
  readonly policy: Policy;
  readonly call: Record<string, unknown>;
  /** The step in the URL. */
  readonly step: Step | undefined;
  /** Undefined: the store is unavailable. */
  readonly entitlements: TriedEntitlements | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export async function tryHere(trial: LocalTrial): Promise<RemoteTried & { readonly decision: Decision }> {
  const { entitlements } = trial;
  const { reply, decision, supportCode, notes, trace } = await tryCall({
    body: trial.call,
    urlStep: trial.step,
    policy: trial.policy,
    entitlements: (event) =>
      entitlements === undefined ? { ...NOTHING_HELD, known: false } : heldBy(event, entitlements),
    now: trial.now,
    supportCode: async () => SAMPLE_CODE,
  });
  return { policyVersion: 'draft', reply, decision, supportCode, notes: [...notes], trace: trace.map(shownEntry) };
}
