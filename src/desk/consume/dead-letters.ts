/**
 * Dead letters: messages that cannot be written as they are, in KV under `dead-letter:refused:` until an administrator
 * replays or removes them. An earlier version kept messages here too that an outage held up, under `dead-letter:outage:`:
 * these are treated alike, for as long as any can be left (`RETENTION_DAYS`).
 */

import { isMessage } from '../../attempts/attempt.ts';
import type { Config } from '../../platform/config.ts';
import { log } from '../../platform/log.ts';
import type { DeskEnv } from '../env.ts';

export const DEAD_LETTER_KINDS = ['refused', 'outage'] as const;
export type DeadLetterKind = (typeof DEAD_LETTER_KINDS)[number];

export interface DeadLetter {
  readonly id: string;
  readonly kind: DeadLetterKind;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly diedAt: string;
}
type Metadata = Pick<DeadLetter, 'reason' | 'diedAt'>;
const UNKNOWN: Metadata = { reason: '', diedAt: '' };

/** Each costs three operations, and Cloudflare allows 1,000 an invocation (https://developers.cloudflare.com/kv/platform/limits/). */
const MAX_REPLAYED = 300;
/** The letter must be gone before the consumer can keep a new one under its key; KV may take a minute to show a change. */
const REPLAY_DELAY_SECONDS = 60;
const SECONDS_A_DAY = 86_400;
const PREFIX = 'dead-letter:';

const keyOf = (kind: DeadLetterKind, id: string) => `${PREFIX}${kind}:${id}`;

/** Keeps a message for as long as an attempt would be kept. The same message again is the same letter. */
export async function moveToDeadLetters(kv: KVNamespace, config: Config, id: string, reason: string, body: unknown) {
  const metadata: Metadata = { reason, diedAt: new Date().toISOString() };
  const expirationTtl = config.RETENTION_DAYS * SECONDS_A_DAY;
  await kv.put(keyOf('refused', id), JSON.stringify(body), { expirationTtl, metadata });
  log('dead-letter', { id, reason });
}

/** A page of at most `limit` letters, and the cursor of the next page. */
export async function listDeadLetters(kv: KVNamespace, limit: number, cursor: string | null = null) {
  const page = await kv.list<Metadata>({ prefix: PREFIX, limit, cursor });
  const letters = page.keys.map(({ name, metadata }): DeadLetter => {
    const [kind, ...id] = name.slice(PREFIX.length).split(':');
    return { id: id.join(':'), kind: kind === 'outage' ? kind : 'refused', ...UNKNOWN, ...metadata };
  });
  return { letters, next: page.list_complete ? undefined : page.cursor };
}

/** The letter of this id with its message as it was; undefined when there is none. */
export async function readDeadLetter(kv: KVNamespace, id: string) {
  for (const kind of DEAD_LETTER_KINDS) {
    const { value, metadata } = await kv.getWithMetadata<Metadata>(keyOf(kind, id));
    if (value !== null) return { id, kind, ...UNKNOWN, ...metadata, message: bodyOf(value) };
  }
  return undefined;
}

/** Gives a message up: it will never be written. False when there is no letter of this id. `by` names who does it. */
export async function removeDeadLetter(kv: KVNamespace, id: string, by: string): Promise<boolean> {
  const letter = await readDeadLetter(kv, id);
  if (letter === undefined) return false;
  await Promise.all(DEAD_LETTER_KINDS.map((kind) => kv.delete(keyOf(kind, id))));
  log('dead-letter-removed', { id, kind: letter.kind, reason: letter.reason, by });
  return true;
}

/**
 * Sends at most {@link MAX_REPLAYED} letters to the queue again. Those that it took are gone (`written`); those that are no
 * messages of this version stay (`refused`). A message that Postgres refuses again is a letter again. Throws when KV or the
 * queue fails: what was not removed is there for the next time, and a message that is sent twice is one row.
 */
export async function replayDeadLetters({ GATEHOUSE: kv, ATTEMPTS: queue }: DeskEnv, kind?: DeadLetterKind) {
  const { keys } = await kv.list({ prefix: kind === undefined ? PREFIX : keyOf(kind, ''), limit: MAX_REPLAYED });
  const replayed = { written: 0, refused: 0 };
  const replay = async (key: string) => {
    const value = await kv.get(key);
    // Expired, or removed meanwhile.
    if (value === null) return;
    const message = bodyOf(value);
    if (!isMessage(message)) {
      replayed.refused += 1;
      return;
    }
    await queue.send(message, { delaySeconds: REPLAY_DELAY_SECONDS });
    await kv.delete(key);
    replayed.written += 1;
  };
  await Promise.all(keys.map(({ name }) => replay(name)));
  return replayed;
}

/** JSON as it was, or the text when it is none. */
function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
