/** One call tried on this machine: by a policy in a file, without any Gatehouse. */
import type { Step } from '../../../src/connectors/event.ts';
import {
  eventOf,
  heldBy,
  notesOn,
  shownEntry,
  type TriedEntitlements,
  tryCall,
} from '../../../src/connectors/user-flow/trial.ts';
import type { Decision } from '../../../src/policy/decide.ts';
import { NOTHING_HELD, type Policy } from '../../../src/policy/policy.ts';
import type { Tried } from './server.ts';

/** Stands for the code that a person would be shown: of its form, and nobody's. */
export const SAMPLE_CODE = 'TEST0-C0DE0';

export interface LocalTrial {
  readonly policy: Policy;
  readonly call: Record<string, unknown>;
  /** The step in the address. */
  readonly step: Step | undefined;
  /** Undefined: the store cannot say what is held. */
  readonly entitlements: TriedEntitlements | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export async function tryHere(trial: LocalTrial): Promise<Tried & { readonly decision: Decision }> {
  const event = await eventOf(trial.call, trial.step);
  const entitlements =
    trial.entitlements === undefined ? { ...NOTHING_HELD, known: false } : heldBy(event, trial.entitlements);
  const { policy, now } = trial;
  const { reply, decision, supportCode, trace } = tryCall({
    event,
    policy,
    entitlements,
    now,
    supportCode: SAMPLE_CODE,
  });
  return {
    policyVersion: 'draft',
    reply,
    decision,
    supportCode,
    notes: notesOn(event, policy),
    trace: trace.map(shownEntry),
  };
}
