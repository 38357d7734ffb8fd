/** One call tried on this machine, by a policy in a file; and what became of each rule, as a table. */
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
import { table } from '../table.ts';
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
  return {
    policyVersion: 'draft',
    reply,
    decision,
    supportCode,
    notes: notesOn(event, policy),
    trace: trace.map(shownEntry),
  };
}

const MAX_VALUE_CHARS = 80;
const NONE = '-';

export const traceTable = (trace: readonly Traced[]): string =>
  table(
    ['RULE', 'APPLIED', 'CONDITION', 'EFFECT'],
    trace.map((entry) => [entry.rule, appliedOf(entry), resultOf(entry.when), effectOf(entry)]),
  );

function appliedOf({ reached, applied }: Traced): string {
  if (!reached) return 'not reached';
  return applied === true ? 'yes' : 'no';
}

/** What a rule that sets nothing does when it applies is to end it. */
function effectOf({ applied, set }: Traced): string {
  if (set === undefined) return applied === true ? 'turns away' : NONE;
  return Object.entries(set)
    .map(([claim, result]) => `${claim} ${'error' in result ? '' : '= '}${resultOf(result)}`)
    .join(', ');
}

/** A failure is told whole: it says what to write instead. */
function resultOf(result: Traced['when']): string {
  if (result === undefined) return NONE;
  if ('error' in result) return `failed: ${result.error}`;
  const text = JSON.stringify(result.value);
  return text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS)}…`;
}
