/** What happens after the reply: the shadow policy, and the attempt on its way to the queue. */
import { v7 as uuidv7 } from 'uuid';
import { record } from '../attempts/enqueue.ts';
import { heldIn } from '../entitlements/look-up.ts';
import { configOf } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import { evaluateRules, renderMessage } from '../policy/decide.ts';
import { compareDecisions, type ShadowDecision } from '../policy/shadow.ts';
import { type Answered, type FrontDoor, stepOf } from './answer.ts';
import { attemptOf, outcomeOf } from './compose-attempt.ts';
import type { GateEnv } from './env.ts';
import type { KvWorld } from './know.ts';

/** Records an answered call. Never rejects: what fails is a log line. */
export async function remember(env: GateEnv, door: FrontDoor, world: KvWorld, answered: Answered): Promise<void> {
  const { reached } = answered;
  const id = uuidv7({ msecs: reached.startedAt });
  try {
    const shadow = await shadowDecision(world, answered);
    const attempt = await attemptOf(configOf(env), answered, door.recorded(reached), id, shadow);
    await record(attempt, env.ATTEMPTS, (lost) => env.RECORDER.record(lost), reached.withTimeout);
  } catch (error) {
    log('attempt-lost', {
      id,
      at: new Date(reached.startedAt).toISOString(),
      step: stepOf(reached),
      outcome: outcomeOf(answered),
      objectId: reached.event?.objectId,
      ...errorFields(error),
    });
  }
}

/**
 * What the shadow would have decided, for its share of the calls; undefined where there is none, or no policy decided. Never
 * rejects. By now nothing of it can reach the reply.
 */
async function shadowDecision(world: KvWorld, answered: Answered): Promise<ShadowDecision | undefined> {
  const { reached, reason, decision, supportCode } = answered;
  const { event, person, lookup, inForce, startedAt } = reached;
  const shadow = inForce?.shadow;
  if (shadow === undefined || event?.step === undefined || person === undefined || reason !== '') return undefined;
  await replyIsOut();
  if (Math.random() >= shadow.sample) return undefined;
  try {
    const policy = await world.shadowPolicy(shadow.number, event.step);
    if (policy === undefined) return undefined;
    // The policy that decided may not have asked about the person.
    const isUnasked = lookup === undefined && policy.steps.get(event.step)?.asksPerson === true;
    const held = isUnasked ? heldIn(await world.lookUp(event), event.clientId).person : person;
    const verdict = evaluateRules(event, held, policy, startedAt);
    return compareDecisions(shadow.number, decision, renderMessage(verdict, event, policy, supportCode));
  } catch (error) {
    log('shadow-failed', { version: shadow.number, ...errorFields(error) });
    return undefined;
  }
}

/** A timer runs when the reply is out; a microtask would run before it (measured). */
const replyIsOut = () => new Promise((resolve) => setTimeout(resolve, 0));
