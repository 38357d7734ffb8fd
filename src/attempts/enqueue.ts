/**
 * The producer's side: a message goes to the queue; when the queue refuses or hangs, straight to Neon; failing that, one log
 * line says that it happened. Three nets, the last knowingly partial.
 */
import { errorFields, log } from '../platform/log.ts';
import { type WithTimeout, withTimeout } from '../platform/timeout.ts';
import type { Attempt, Change } from './attempt.ts';
import { occurredAtOf } from './text-limits.ts';

/** After this the queue counts as refusing. Should it take the message after all, the row's key keeps it single. */
const QUEUE_TIMEOUT_MS = 5_000;
/** What is left of the 30 s that Cloudflare gives work after the reply. */
const DIRECT_WRITE_TIMEOUT_MS = 20_000;

type Message = Attempt | Change;
/** Where messages go: the queue. */
type Producer = Pick<Queue, 'send'>;
/** Writes a message to the database without the queue; false when the database refuses it. May reject. */
type WriteDirectly<M extends Message> = (message: M) => Promise<boolean>;

/** Remembers one attempt; `keepTo` keeps the limits. Never throws. */
export async function record(
  attempt: Attempt,
  queue: Producer,
  write: WriteDirectly<Attempt>,
  keepTo: WithTimeout = withTimeout,
): Promise<void> {
  if (await sendOrWrite(attempt, queue, write, keepTo)) return;
  // No e-mail and no claims: this line is the last trace, and logs are not the place for more.
  log('attempt-lost', {
    id: attempt.id,
    at: new Date(occurredAtOf(attempt.id)).toISOString(),
    step: attempt.step,
    outcome: attempt.outcome,
    rule: attempt.rule,
    objectId: attempt.objectId,
  });
}

/** Remembers who changed what; false when neither queue nor database took it. Never throws. */
export async function recordChange(change: Change, queue: Producer, write: WriteDirectly<Change>): Promise<boolean> {
  if (await sendOrWrite(change, queue, write, withTimeout)) return true;
  log('change-lost', { id: change.id, changedBy: change.changedBy });
  return false;
}

async function sendOrWrite<M extends Message>(
  message: M,
  queue: Producer,
  write: WriteDirectly<M>,
  keepTo: WithTimeout,
): Promise<boolean> {
  try {
    await keepTo(QUEUE_TIMEOUT_MS, () => queue.send(message));
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
