/**
 * Messages that could not be written, in KV under `dead-letter:`. `outage` ones waited about a day for Neon, and the cron
 * writes them when it answers; `refused` ones are at fault themselves, and wait for somebody to look and replay them by hand.
 */
import type { Config } from '../config.ts';
import { log } from '../log.ts';
import { isMessage, type Message } from './attempt.ts';

export const DEAD_LETTER_PREFIX = 'dead-letter:';
export type DeadLetterKind = 'outage' | 'refused';

export interface DeadLetter {
  readonly id: string;
  readonly kind: DeadLetterKind;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly diedAt: string;
}

/** A letter with the message in it, as it was. */
export interface OpenedLetter extends DeadLetter {
  readonly message: unknown;
}

interface Metadata {
  readonly reason: string;
  readonly diedAt: string;
}

/** One bulk read, and one insert, at a time. */
const PAGE = 100;
/**
 * Each letter costs a deletion, and a write when it is refused; Cloudflare allows 1,000 operations an invocation (https://developers.cloudflare.com/kv/platform/limits/):
 * a long outage is caught up with over several ticks.
 */
const MAX_PAGES_PER_REPLAY = 4;
const REPLAY_TIMEOUT_MS = 20_000;
const SECONDS_A_DAY = 86_400;

/** Lays a message aside for as long as an attempt would be kept. The same message again is the same letter. */
export async function layAside(
  kv: KVNamespace,
  config: Config,
  id: string,
  kind: DeadLetterKind,
  reason: string,
  body: unknown,
): Promise<void> {
  const metadata: Metadata = { reason, diedAt: new Date().toISOString() };
  const expirationTtl = config.RETENTION_DAYS * SECONDS_A_DAY;
  await kv.put(`${DEAD_LETTER_PREFIX}${kind}:${id}`, JSON.stringify(body), { expirationTtl, metadata });
  log('dead-letter', { id, kind, reason });
}

/** A page of at most `limit` letters, of one kind or of both, and the cursor of the next page. */
export async function listDeadLetters(kv: KVNamespace, limit: number, cursor?: string, kind?: DeadLetterKind) {
  const page = await listPage(kv, limit, cursor, kind);
  const letters = page.keys.map(({ name, metadata }): DeadLetter => {
    const [kind = '', ...id] = name.slice(DEAD_LETTER_PREFIX.length).split(':');
    return {
      id: id.join(':'),
      kind: kind === 'outage' ? 'outage' : 'refused',
      reason: metadata?.reason ?? '',
      diedAt: metadata?.diedAt ?? '',
    };
  });
  return { letters, next: page.list_complete ? undefined : page.cursor };
}

const listPage = (kv: KVNamespace, limit: number, cursor: string | undefined, kind: DeadLetterKind | undefined) =>
  kv.list<Metadata>({
    prefix: kind === undefined ? DEAD_LETTER_PREFIX : prefixOf(kind),
    limit,
    ...(cursor === undefined ? {} : { cursor }),
  });

/** The letter of this id; undefined when there is none. */
export async function readDeadLetter(kv: KVNamespace, id: string): Promise<OpenedLetter | undefined> {
  const read = async (kind: DeadLetterKind): Promise<OpenedLetter | undefined> => {
    const { value, metadata } = await kv.getWithMetadata<Metadata>(prefixOf(kind) + id);
    if (value === null) return undefined;
    return { id, kind, reason: metadata?.reason ?? '', diedAt: metadata?.diedAt ?? '', message: bodyOf(value) };
  };
  // A replay that broke off may have left both: the refused one is the later.
  const [refused, outage] = await Promise.all([read('refused'), read('outage')]);
  return refused ?? outage;
}

/** Gives a message up: it will never be written. False when there is no letter of this id. `by` names who does it. */
export async function removeDeadLetter(kv: KVNamespace, id: string, by: string): Promise<boolean> {
  const letter = await readDeadLetter(kv, id);
  if (letter === undefined) return false;
  await Promise.all([kv.delete(prefixOf('refused') + id), kv.delete(prefixOf('outage') + id)]);
  log('dead-letter-removed', { id, kind: letter.kind, reason: letter.reason, by });
  return true;
}

export interface Replayed {
  readonly written: number;
  /** Still at fault; they stay where they are. */
  readonly refused: number;
}

/** Writes letters to Neon and removes those that went in. Throws when Neon fails: what is not removed is there for the next time. */
export async function replayDeadLetters(kv: KVNamespace, config: Config, kind?: DeadLetterKind): Promise<Replayed> {
  let written = 0;
  let refused = 0;
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES_PER_REPLAY; pages += 1) {
    const page = await listPage(kv, PAGE, cursor, kind);
    const keys = page.keys.map(({ name }) => name);
    if (keys.length > 0) {
      const done = await replayPage(kv, config, keys);
      written += done.written;
      refused += done.refused;
    }
    if (page.list_complete) break;
    cursor = page.cursor;
  }
  return { written, refused };
}

/**
 * What an outage laid aside was never seen by Postgres: when that refuses it, it goes to the refused ones, so that it neither
 * wakes Neon at each tick nor stands before the others for ever.
 */
async function replayPage(kv: KVNamespace, config: Config, keys: string[]): Promise<Replayed> {
  const { writeMessages } = await import('./store.ts');
  const values = await kv.get(keys);
  const letters = keys.map((key) => ({ key, text: values.get(key) ?? null }));
  const readable = letters.flatMap(({ key, text }) => {
    const message = readMessage(text);
    return message === undefined ? [] : [{ key, message }];
  });
  const messages = readable.map(({ message }) => message);
  const { refused } = await writeMessages(config, messages, REPLAY_TIMEOUT_MS);
  const reasons = new Map(refused.map(({ message, reason }) => [message.id, reason]));
  const written = new Set(readable.filter(({ message }) => !reasons.has(message.id)).map(({ key }) => key));
  const ids = new Map(readable.map(({ key, message }) => [key, message.id]));
  // A letter without a value has expired, or was removed by another replay.
  const left = letters.filter(({ key, text }) => text !== null && !written.has(key));
  await Promise.all([
    ...[...written].map((key) => kv.delete(key)),
    ...left
      .filter(({ key }) => key.startsWith(prefixOf('outage')))
      .map(async ({ key, text }) => {
        const id = key.slice(prefixOf('outage').length);
        const reason = reasons.get(ids.get(key) ?? '') ?? 'not-a-message';
        await layAside(kv, config, id, 'refused', reason, bodyOf(text));
        await kv.delete(key);
      }),
  ]);
  return { written: written.size, refused: left.length };
}

const prefixOf = (kind: DeadLetterKind) => `${DEAD_LETTER_PREFIX}${kind}:`;

/** JSON as it was, or the text when it is none. */
function bodyOf(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return text;
  }
}

function readMessage(text: string | null): Message | undefined {
  const body = text === null ? undefined : bodyOf(text);
  return isMessage(body) ? body : undefined;
}
