/** Writes one message that the queue refused. */
import type { Message } from '../../attempts/attempt.ts';
import { configOf } from '../../platform/config.ts';
import { log } from '../../platform/log.ts';

/** Most of the 30 s that Cloudflare gives work after a reply. */
const WRITE_LIMIT_MS = 20_000;

/** False when Postgres refuses the message. Rejects when the database does not answer. */
export async function writeDirectly(env: object, message: Message): Promise<boolean> {
  const { writeMessages } = await import('./write-messages.ts');
  const { refused } = await writeMessages(configOf(env), [message], WRITE_LIMIT_MS);
  if (refused.length > 0) log('direct-write-refused', { kind: message.kind, reason: refused[0]?.reason });
  return refused.length === 0;
}
