/** The consumer of both queues. It acknowledges a message only once Neon or the dead letters have it. */
import { isMessage, type Message, NOT_A_MESSAGE } from '../../attempts/attempt.ts';
import { configOf } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { withTimeout } from '../../platform/timeout.ts';
import { markDue } from '../aggregates/due.ts';
import type { DeskEnv } from '../env.ts';
import { moveToDeadLetters } from './dead-letters.ts';
import { writeMessages } from './write-messages.ts';

/** A KV that hangs must not block the batch, and with it one of ten consumers. */
const LIMITS = { writeMs: 20_000, kvMs: 5_000 };

const FIRST_RETRY_SECONDS = 5;
/** The 100 retries that Cloudflare allows then last 23 hours. */
const MAX_RETRY_SECONDS = 15 * 60;
/** The second queue takes messages that the first could not deliver (`dead_letter_queue` in wrangler.toml). */
const SECOND_QUEUE = /-waiting$/;
/** 100 retries then last 16 days: longer than the 14 for which Cloudflare keeps a message. */
const SECOND_QUEUE_RETRY_SECONDS = 4 * 60 * 60;

/** Seconds until a message is retried in this queue after its `tries`-th delivery failed. */
export const retryDelaySeconds = (queue: string, tries: number): number =>
  SECOND_QUEUE.test(queue)
    ? SECOND_QUEUE_RETRY_SECONDS
    : Math.min(MAX_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** (Math.min(tries, 20) - 1));

/** Acknowledges or retries each message separately, so that one does not delay another. */
export async function consume(batch: MessageBatch, env: DeskEnv, limits = LIMITS): Promise<void> {
  const messages = batch.messages.map(({ body }) => body).filter(isMessage);
  // First Neon: KV may be slow.
  const refused = await writeAll(env, messages, limits.writeMs);
  await Promise.all(
    batch.messages.map(async (delivery) => {
      const { body } = delivery;
      const reason = isMessage(body) ? refused?.get(body) : NOT_A_MESSAGE;
      const done = reason === undefined ? refused !== undefined : await tryToMove(env, delivery, reason, limits.kvMs);
      if (done) delivery.ack();
      else delivery.retry({ delaySeconds: retryDelaySeconds(batch.queue, delivery.attempts) });
    }),
  );
  if (messages.length === 0 || refused === undefined) return;
  try {
    await withTimeout(limits.kvMs, () => markDue(env.GATEHOUSE, Date.now()));
  } catch (error) {
    log('sums-not-marked-due', errorFields(error));
  }
}

/** Reasons by refused message; all other messages are written. Undefined when Neon failed and possibly none is. */
async function writeAll(env: DeskEnv, messages: readonly Message[], limitMs: number) {
  const reasons = new Map<Message, string>();
  if (messages.length === 0) return reasons;
  try {
    const { refused } = await writeMessages(configOf(env), messages, limitMs);
    for (const { message, reason } of refused) reasons.set(message, reason);
    return reasons;
  } catch (error) {
    log('attempts-not-written', { messages: messages.length, ...errorFields(error) });
    return undefined;
  }
}

/** Moves a message at fault to the dead letters; false when KV does not take it in time. */
async function tryToMove(
  env: DeskEnv,
  { id, body }: globalThis.Message,
  reason: string,
  limitMs: number,
): Promise<boolean> {
  try {
    await withTimeout(limitMs, () => moveToDeadLetters(env.GATEHOUSE, configOf(env), ownId(body) ?? id, reason, body));
    return true;
  } catch (error) {
    log('dead-letter-not-written', { id, ...errorFields(error) });
    return false;
  }
}

/** The attempt's own id, so that a message delivered twice becomes one dead letter. */
function ownId(body: unknown): string | undefined {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined;
  return typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id) ? id : undefined;
}
