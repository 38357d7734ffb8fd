/**
 * The producer's side: a message goes to the queue; when the queue refuses or hangs, straight to Neon; failing that, one log
 * line says that it happened. Three nets, the last knowingly partial.
 */
import { configOf } from '../config.ts';
import { errorFields, log } from '../log.ts';
import { type Within, within } from '../within.ts';
import type { Attempt, Change } from './attempt.ts';
import { occurredAtOf } from './bounds.ts';

/** After this the queue counts as refusing. Should it take the message after all, the row's key keeps it single. */
const QUEUE_TIMEOUT_MS = 5_000;
/** What is left of the 30 s that Cloudflare gives work after the reply. */
const DIRECT_WRITE_TIMEOUT_MS = 20_000;

/** Remembers one attempt; `keepTo` keeps the limits. Never throws. */
export async function record(env: Env, attempt: Attempt, keepTo: Within = within): Promise<void> {
  if (await sendOrWrite(env, attempt, keepTo)) return;
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

/** Remembers who changed what; false when neither queue nor Neon took it. Never throws. */
export async function recordChange(env: Env, change: Change): Promise<boolean> {
  if (await sendOrWrite(env, change, within)) return true;
  log('change-lost', { id: change.id, changedBy: change.changedBy });
  return false;
}

async function sendOrWrite(env: Env, message: Attempt | Change, keepTo: Within): Promise<boolean> {
  try {
    await keepTo(QUEUE_TIMEOUT_MS, () => env.ATTEMPTS.send(message));
    return true;
  } catch (error) {
    log('queue-refused', { kind: message.kind, ...errorFields(error) });
    return writeDirectly(env, message);
  }
}

/** Whether the message is in Neon now. Never throws. */
async function writeDirectly(env: Env, message: Attempt | Change): Promise<boolean> {
  try {
    const { writeMessages } = await import('./store.ts');
    const { refused } = await writeMessages(configOf(env), [message], DIRECT_WRITE_TIMEOUT_MS);
    if (refused.length > 0) log('direct-write-refused', { kind: message.kind, reason: refused[0]?.reason });
    return refused.length === 0;
  } catch (error) {
    log('direct-write-failed', { kind: message.kind, ...errorFields(error) });
    return false;
  }
}
