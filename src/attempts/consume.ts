/** The consumer's side of the queue: a batch becomes rows, and no message is let go before it lies in Neon or among the dead letters. */
import { configOf } from '../config.ts';
import { errorFields, log } from '../log.ts';
import { markDue } from '../summaries/schedule.ts';
import { type Message, messageSchema } from './attempt.ts';
import { layAside } from './dead-letters.ts';
import { writeMessages } from './store.ts';

const WRITE_TIMEOUT_MS = 20_000;
const FIRST_RETRY_SECONDS = 5;
const MAX_RETRY_SECONDS = 15 * 60;
/**
 * With waits of 5 s doubling to 15 minutes this is about a day. Below `max_retries` in wrangler.toml (100), so that a KV that
 * fails at that moment leaves some tries.
 */
const LAST_TRY = 97;

/** The wait before the next try after the `tries`-th one failed. */
export const retryDelaySeconds = (tries: number): number =>
  Math.min(MAX_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.max(0, Math.min(tries, 20) - 1));

export async function consume(batch: MessageBatch, env: Env): Promise<void> {
  const readable: { delivery: globalThis.Message; message: Message }[] = [];
  for (const delivery of batch.messages) {
    const parsed = messageSchema.safeParse(delivery.body);
    if (parsed.success) readable.push({ delivery, message: parsed.data });
    else await layAsideOrRetry(env, delivery, 'refused', 'not-a-message');
  }
  if (readable.length === 0) return;
  try {
    const messages = readable.map(({ message }) => message);
    const { refused } = await writeMessages(configOf(env), messages, WRITE_TIMEOUT_MS);
    const reasons = new Map(refused.map(({ message, reason }) => [message, reason]));
    for (const { delivery, message } of readable) {
      const reason = reasons.get(message);
      if (reason === undefined) delivery.ack();
      else await layAsideOrRetry(env, delivery, 'refused', reason);
    }
  } catch (error) {
    log('attempts-not-written', { messages: readable.length, ...errorFields(error) });
    for (const { delivery } of readable) await layAsideOrRetry(env, delivery, 'outage', 'neon-away');
    return;
  }
  await markDue(env.GATEHOUSE, Date.now()).catch((error: unknown) => log('sums-not-marked-due', errorFields(error)));
}

/** A message at fault goes aside at once; one that an outage holds up, after about a day. When KV fails too, it is tried again. */
async function layAsideOrRetry(
  env: Env,
  delivery: globalThis.Message,
  kind: 'refused' | 'outage',
  reason: string,
): Promise<void> {
  const wait = { delaySeconds: retryDelaySeconds(delivery.attempts) };
  if (kind === 'outage' && delivery.attempts < LAST_TRY) return delivery.retry(wait);
  try {
    await layAside(env.GATEHOUSE, configOf(env), idOf(delivery), kind, reason, delivery.body);
    delivery.ack();
  } catch (error) {
    log('dead-letter-not-kept', { id: delivery.id, ...errorFields(error) });
    delivery.retry(wait);
  }
}

/** The attempt's own id where there is one, so that a message delivered twice is one letter. */
function idOf({ body, id }: globalThis.Message): string {
  const own = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined;
  return typeof own === 'string' && /^[0-9a-f-]{36}$/.test(own) ? own : id;
}
