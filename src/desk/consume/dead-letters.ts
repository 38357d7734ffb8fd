/**
 * Dead letters: messages that cannot be written. KV holds them under `dead-letter:refused:` until an administrator
 * replays or removes them. An earlier version also stored messages of an outage, under `dead-letter:outage:`; they are
 * treated the same until the last one expires (`RETENTION_DAYS`).
 */
import * as z from 'zod/mini';
import { isMessage } from '../../attempts/attempt.ts';
import { containsToken } from '../../attempts/token-shape.ts';
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
  /** The number of the attempt (`attempts/attempt-number.ts`); absent for other messages and earlier versions. */
  readonly isolate?: string;
  readonly sequence?: number;
}
type Metadata = Omit<DeadLetter, 'id' | 'kind'>;
const UNKNOWN: Metadata = { reason: '', diedAt: '' };

/** Each takes 3 of the 1,000 operations of an invocation (https://developers.cloudflare.com/kv/platform/limits/). */
const MAX_REPLAYED = 300;
/** The key must be deleted before the consumer can write it again, and KV may take a minute to show a change. */
const REPLAY_DELAY_SECONDS = 60;
const SECONDS_A_DAY = 86_400;
const PREFIX = 'dead-letter:';

const keyOf = (kind: DeadLetterKind, id: string) => `${PREFIX}${kind}:${id}`;

/** A replacer for `JSON.stringify`. An attempt has no tokens; a message that is not Gatehouse's may have some. */
function withoutTokens(_: string, value: unknown): unknown {
  if (typeof value === 'string') return containsToken(value) ? '…' : value;
  if (typeof value !== 'object' || value === null || !Object.keys(value).some(containsToken)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [containsToken(name) ? '…' : name, member]));
}

/** A message that is refused may have anything in its place. */
const numbered = z.object({ isolate: z.uuid(), sequence: z.int32().check(z.positive()) });

/** Stores a message for the retention time of attempts. The same `id` overwrites the same dead letter. */
export async function moveToDeadLetters(kv: KVNamespace, config: Config, id: string, reason: string, body: unknown) {
  const metadata: Metadata = { reason, diedAt: new Date().toISOString(), ...numbered.safeParse(body).data };
  const expirationTtl = config.RETENTION_DAYS * SECONDS_A_DAY;
  await kv.put(keyOf('refused', id), JSON.stringify(body, withoutTokens), { expirationTtl, metadata });
  log('dead-letter', { id, reason });
}

/** A page of at most `limit` dead letters, and the cursor of the next page. */
export async function listDeadLetters(kv: KVNamespace, limit: number, cursor: string | null = null) {
  const page = await kv.list<Metadata>({ prefix: PREFIX, limit, cursor });
  const letters = page.keys.map(({ name, metadata }): DeadLetter => {
    const [kind, ...id] = name.slice(PREFIX.length).split(':');
    return { id: id.join(':'), kind: kind === 'outage' ? kind : 'refused', ...UNKNOWN, ...metadata };
  });
  return { letters, next: page.list_complete ? undefined : page.cursor };
}

/** The dead letter with this id and its message, unchanged; undefined when there is none. */
export async function readDeadLetter(kv: KVNamespace, id: string) {
  for (const kind of DEAD_LETTER_KINDS) {
    const { value, metadata } = await kv.getWithMetadata<Metadata>(keyOf(kind, id));
    if (value !== null) return { id, kind, ...UNKNOWN, ...metadata, message: bodyOfLetter(value) };
  }
  return undefined;
}

/** The stored texts of dead letters, at most 100 (one bulk read of KV), with what {@link listDeadLetters} returned. */
export async function readDeadLetterTexts(
  kv: KVNamespace,
  letters: readonly DeadLetter[],
): Promise<(DeadLetter & { readonly text: string })[]> {
  if (letters.length === 0) return [];
  const texts = await kv.get(letters.map(({ kind, id }) => keyOf(kind, id)));
  return letters.flatMap((letter) => {
    const text = texts.get(keyOf(letter.kind, letter.id));
    return typeof text === 'string' ? [{ ...letter, text }] : [];
  });
}

/** Deletes a dead letter for good. False when there is none with this id. `by` names the administrator. */
export async function removeDeadLetter(kv: KVNamespace, id: string, by: string): Promise<boolean> {
  const letter = await readDeadLetter(kv, id);
  if (letter === undefined) return false;
  await Promise.all(DEAD_LETTER_KINDS.map((kind) => kv.delete(keyOf(kind, id))));
  log('dead-letter-removed', { id, kind: letter.kind, reason: letter.reason, by });
  return true;
}

/**
 * Sends at most {@link MAX_REPLAYED} dead letters to the queue again. `written` counts those that the queue took; they
 * are deleted. `refused` counts those that are not messages of this version; they stay. A message that Postgres refuses
 * again becomes a dead letter again. Throws when KV or the queue fails; it is safe to call again.
 */
export async function replayDeadLetters({ GATEHOUSE: kv, ATTEMPTS: queue }: DeskEnv, kind?: DeadLetterKind) {
  const { keys } = await kv.list({ prefix: kind === undefined ? PREFIX : keyOf(kind, ''), limit: MAX_REPLAYED });
  const replayed = { written: 0, refused: 0 };
  const replay = async (key: string) => {
    const value = await kv.get(key);
    // Expired or removed meanwhile.
    if (value === null) return;
    const message = bodyOfLetter(value);
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

/** The parsed JSON, or the text itself when it is not JSON. */
export function bodyOfLetter(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
