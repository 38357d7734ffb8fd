/** The consumer's side of the queue: a batch becomes rows, and no message is let go before it lies in Neon or among the dead letters. */
import { configOf } from '../config.ts';
import { errorFields, log } from '../log.ts';
import { markDue } from '../summaries/schedule.ts';
import { within } from '../within.ts';
import { isMessage, type Message } from './attempt.ts';
import { layAside } from './dead-letters.ts';
import { writeMessages } from './store.ts';

const WRITE_TIMEOUT_MS = 20_000;
/** A KV that hangs must not hold the batch, and with it one of ten consumers. */
const KV_TIMEOUT_MS = 5_000;
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
  const unreadable: globalThis.Message[] = [];
  for (const delivery of batch.messages) {
    const { body } = delivery;
    if (isMessage(body)) readable.push({ delivery, message: body });
    else unreadable.push(delivery);
  }
  // What can be written first: KV, where the others go, may be slow.
  if (readable.length > 0) await writeOrRetry(env, readable);
  await Promise.all(unreadable.map((delivery) => layAsideOrRetry(env, delivery, 'refused', 'not-a-message')));
}

async function writeOrRetry(
  env: Env,
  readable: readonly { delivery: globalThis.Message; message: Message }[],
): Promise<void> {
  let reasons: Map<Message, string>;
  try {
    const messages = readable.map(({ message }) => message);
    const { refused } = await writeMessages(configOf(env), messages, WRITE_TIMEOUT_MS);
    reasons = new Map(refused.map(({ message, reason }) => [message, reason]));
  } catch (error) {
    log('attempts-not-written', { messages: readable.length, ...errorFields(error) });
    await Promise.all(readable.map(({ delivery }) => layAsideOrRetry(env, delivery, 'outage', 'neon-away')));
    return;
  }
  for (const { delivery, message } of readable) if (!reasons.has(message)) delivery.ack();
  const refused = readable.filter(({ message }) => reasons.has(message));
  await Promise.all(
    refused.map(({ delivery, message }) => layAsideOrRetry(env, delivery, 'refused', reasons.get(message) ?? '')),
  );
  try {
    await within(KV_TIMEOUT_MS, () => markDue(env.GATEHOUSE, Date.now()));
  } catch (error) {
    log('sums-not-marked-due', errorFields(error));
  }
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
    await within(KV_TIMEOUT_MS, () =>
      layAside(env.GATEHOUSE, configOf(env), idOf(delivery), kind, reason, delivery.body),
    );
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
