/**
 * The producer. It sends a message to the queue. If the queue refuses or hangs, it writes to Neon directly. If that
 * fails too, it logs one line, which intentionally contains a part only.
 */
import { errorFields, log } from '../platform/log.ts';
import { type WithTimeout, withTimeout } from '../platform/timeout.ts';
import { guidOf } from '../sign-in/normal-form.ts';
import { stepNamed } from '../sign-in/steps.ts';
import type { Attempt, Change, Probe } from './attempt.ts';
import { occurredAtOf } from './text-limits.ts';

/** A slower queue counts as failed. If it delivers the message anyway, the row's key prevents a duplicate. */
const QUEUE_TIMEOUT_MS = 5_000;
/** The rest of the 30 s that Cloudflare allows for work after the reply. */
const DIRECT_WRITE_TIMEOUT_MS = 20_000;

type Message = Attempt | Change | Probe;
type Producer = Pick<Queue, 'send'>;
/** Writes a message to the database; false when the database refuses it. May reject. */
type WriteDirectly<M extends Message> = (message: M) => Promise<boolean>;

/** Records one attempt. Never throws. */
export async function record(
  attempt: Attempt,
  queue: Producer,
  write: WriteDirectly<Attempt>,
  limited: WithTimeout = withTimeout,
): Promise<void> {
  if (await sendOrWrite(attempt, queue, write, limited)) return;
  // Logs must not contain an e-mail or claims: a call may have any text as its step and objectId.
  log('attempt-lost', {
    id: attempt.id,
    at: new Date(occurredAtOf(attempt.id)).toISOString(),
    // The name of an exchange is the policy's, unless the call failed before one was found.
    step: attempt.channel === 'custom-policy' && attempt.outcome !== 'error' ? attempt.step : stepNamed(attempt.step),
    outcome: attempt.outcome,
    rule: attempt.rule,
    objectId: guidOf(attempt.objectId),
  });
}

/** Records one probe. Never throws. `npm run connect -- check` says when a probe is not recorded. */
export async function recordProbe(probe: Probe, queue: Producer, write: WriteDirectly<Probe>): Promise<void> {
  if (!(await sendOrWrite(probe, queue, write, withTimeout))) log('probe-lost', { id: probe.id });
}

/** Records one change for the audit log; false when both queue and database failed. Never throws. */
export async function recordChange(change: Change, queue: Producer, write: WriteDirectly<Change>): Promise<boolean> {
  if (await sendOrWrite(change, queue, write, withTimeout)) return true;
  log('change-lost', { id: change.id, changedBy: change.changedBy });
  return false;
}

async function sendOrWrite<M extends Message>(
  message: M,
  queue: Producer,
  write: WriteDirectly<M>,
  limited: WithTimeout,
): Promise<boolean> {
  try {
    await limited(QUEUE_TIMEOUT_MS, () => queue.send(message));
    return true;
  } catch (error) {
    log('queue-refused', { kind: message.kind, ...errorFields(error) });
  }
  try {
    return await withTimeout(DIRECT_WRITE_TIMEOUT_MS, () => write(message));
  } catch (error) {
    log('direct-write-failed', { kind: message.kind, ...errorFields(error) });
    return false;
  }
}
