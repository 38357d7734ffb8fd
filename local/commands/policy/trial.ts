/** One call tried on this machine: by a policy in a file, without any Gatehouse. */
import type { Step } from '../../../src/connectors/event.ts';
import { eventOf, heldBy, type TriedEntitlements, tryCall } from '../../../src/connectors/user-flow/trial.ts';
import type { Decision } from '../../../src/policy/decide.ts';
import { NOTHING_HELD, type Policy, type Result } from '../../../src/policy/policy.ts';
import type { Traced, Tried } from './server.ts';

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
  const notes: string[] = [];
  if (event.step === undefined)
    notes.push('neither the body nor --step names a step that we know: no rule was looked at');
  if (event.unexpectedClaims.length > 0)
    notes.push(
      `as if absent, since their values are of no type that a claim has: ${event.unexpectedClaims.join(', ')}`,
    );
  return {
    policyVersion: 'draft',
    reply,
    decision,
    supportCode,
    notes,
    trace: trace.map((entry): Traced => {
      if (!entry.reached) return entry;
      const { rule, reached, applied, when, set } = entry;
      return {
        rule,
        reached,
        applied,
        ...(when === undefined ? {} : { when: shown(when) }),
        ...(set === undefined
          ? {}
          : { set: Object.fromEntries(Object.entries(set).map(([name, value]) => [name, shown(value)])) }),
      };
    }),
  };
}

const shown = (result: Result) => (result.ok ? { value: result.value } : { error: result.why });
