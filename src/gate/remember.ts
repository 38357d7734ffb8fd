/** Runs after the reply: evaluates the shadow policy and records the attempt. */
import { v7 as uuidv7 } from 'uuid';
import type { AttemptNumber } from '../attempts/attempt-number.ts';
import { record, recordProbe } from '../attempts/enqueue.ts';
import { probedBy, probeOf } from '../attempts/probe.ts';
import { heldIn } from '../entitlements/look-up.ts';
import { configOf } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import { evaluateRules, renderMessage } from '../policy/decide.ts';
import { compareDecisions, type ShadowDecision } from '../policy/shadow.ts';
import { guidOf } from '../sign-in/normal-form.ts';
import { type Answered, type FrontDoor, stepOf } from './answer.ts';
import { attemptOf, outcomeOf } from './compose-attempt.ts';
import type { GateEnv } from './env.ts';
import type { KvWorld } from './know.ts';
import { withPersonId } from './person-id.ts';

/** Records an answered call under its number. Never rejects: it logs failures. */
export async function remember(
  env: GateEnv,
  door: Pick<FrontDoor, 'recorded'>,
  world: KvWorld,
  answered: Answered,
  number: AttemptNumber,
): Promise<void> {
  const { reached } = answered;
  const id = uuidv7({ msecs: reached.startedAt });
  try {
    const run = probedBy(reached.request);
    const shadow = run === undefined ? await shadowDecision(world, answered) : undefined;
    const attempt = await attemptOf(configOf(env), answered, door.recorded(reached), id, number, shadow);
    if (run !== undefined) await recordProbe(probeOf(attempt, run), env.ATTEMPTS, (lost) => env.RECORDER.record(lost));
    else await record(attempt, env.ATTEMPTS, (lost) => env.RECORDER.record(lost), reached.withTimeout);
  } catch (error) {
    log('attempt-lost', {
      id,
      at: new Date(reached.startedAt).toISOString(),
      step: stepOf(reached),
      outcome: outcomeOf(answered),
      objectId: guidOf(reached.event?.objectId ?? ''),
      ...errorFields(error),
    });
  }
}

/**
 * Evaluates the shadow policy for its share of the calls; undefined when it does not run or no policy decided. Never
 * rejects. It starts after the reply and cannot change it.
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
    // The active policy may not have needed the person's records.
    const isUnread = lookup === undefined && policy.steps.get(event.step)?.asksPerson === true;
    const entitlements = isUnread ? heldIn(await world.lookUp(event), event.clientId).person : person;
    const whole = await withPersonId(entitlements, event, policy, (of) => world.personId(of));
    const verdict = evaluateRules(event, whole, policy, startedAt);
    return compareDecisions(shadow.number, decision, renderMessage(verdict, event, policy, supportCode));
  } catch (error) {
    log('shadow-failed', { version: shadow.number, ...errorFields(error) });
    return undefined;
  }
}

/** A timer fires after the reply is sent; a microtask would run before (measured). */
const replyIsOut = () => new Promise((resolve) => setTimeout(resolve, 0));
