/** Runs the shadow policy for a call that was answered: by now nothing of it can reach the reply. */
import { errorFields, log } from '../log.ts';
import { judge, worded } from '../policy/decide.ts';
import { compareDecisions, type ShadowDecision } from '../policy/shadow.ts';
import { shadowPolicy } from '../policy/store.ts';
import { type Answer, type Call, entitlementsOf } from './answer.ts';

/**
 * What the shadow would have decided, for its share of the calls; undefined where there is none, or nothing was decided by a
 * policy. `chance` is from 0 to 1. Never rejects.
 */
export async function shadowDecision(call: Call, answer: Answer, chance: number): Promise<ShadowDecision | undefined> {
  const { seen, reason, decision, supportCode } = answer;
  const { event, inForce } = seen;
  const shadow = inForce?.shadow;
  if (shadow === undefined || event?.step === undefined || reason !== '' || chance >= shadow.sample) return undefined;
  try {
    const policy = await shadowPolicy({ ...call, now: call.startedAt }, shadow.number);
    if (policy === undefined) return undefined;
    // The policy that decided may not have asked about the person.
    const asks = seen.lookup === undefined && policy.asksPerson[event.step];
    const entitlements = asks ? await entitlementsOf(call, event) : seen.entitlements;
    const verdict = judge(event, entitlements, policy, call.startedAt);
    return compareDecisions(shadow.number, decision, worded(verdict, event, policy, supportCode));
  } catch (error) {
    log('shadow-failed', { version: shadow.number, ...errorFields(error) });
    return undefined;
  }
}
