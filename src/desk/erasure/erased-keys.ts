/**
 * Remembers the keys of erased persons as keyed digests, so that the messages of earlier calls, which still wait in a
 * queue, are blinded in the transaction that writes them. A call after the erasure begins a new history.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Message } from '../../attempts/attempt.ts';
import { occurredAtOf } from '../../attempts/text-limits.ts';
import type { Database } from '../../database/connect.ts';
import { erasedKeys } from '../../database/schema.ts';
import type { Config } from '../../platform/config.ts';
import { hexOf, hmac } from '../../platform/digest.ts';
import { blindAttempts, blindChanges, noteAttempts } from './blinding.ts';

/** So that no other signature under the same secret is one of a key. */
const PURPOSE = 'gatehouse: erased key';
const encoder = new TextEncoder();
type Secrets = Pick<Config, 'SUPPORT_CODE_KEY' | 'DATABASE_URL'>;

/** Digest of a person key: 64 hexadecimal digits. Without the key, under another secret that all isolates have. */
export const digestOfKey = async ({ SUPPORT_CODE_KEY, DATABASE_URL }: Secrets, key: string): Promise<string> =>
  hexOf(await hmac(SUPPORT_CODE_KEY || DATABASE_URL, encoder.encode(`${PURPOSE}\n${key}`)));

/** What blinding derives pseudonyms from: 64 hexadecimal digits. */
export const pseudonymSecret = (secrets: Secrets): Promise<string> => digestOfKey(secrets, 'correlation id');

/** The person keys of a message, whatever types its members have. */
export function keysOfMessage(message: Message): string[] {
  const { oidKey, idpKey, emailKey, otherKeys, subject }: Record<string, unknown> = { ...message };
  const others: unknown[] = Array.isArray(otherKeys) ? otherKeys : [];
  const own = message.kind === 'change' ? [subject] : [oidKey, idpKey, emailKey, ...others];
  return own.filter((key): key is string => typeof key === 'string' && key !== '');
}

/** The digests of each message's keys, by the id of the message. */
export type KeyDigests = ReadonlyMap<string, readonly string[]>;

export async function digestsOfKeys(secrets: Secrets, messages: readonly Message[]): Promise<KeyDigests> {
  const keys = new Map(messages.map((message) => [message.id, keysOfMessage(message)]));
  const distinct = [...new Set([...keys.values()].flat())];
  const digests = new Map(
    await Promise.all(distinct.map(async (key) => [key, await digestOfKey(secrets, key)] as const)),
  );
  return new Map([...keys].map(([id, own]) => [id, own.map((key) => digests.get(key) ?? '')]));
}

const LOCK = `hashtextextended('gatehouse: erased keys', 0)`;
/** A writer takes it before it inserts, in the transaction in which it blinds what it inserted. */
export const WRITERS_LOCK = sql.raw(`select pg_advisory_xact_lock_shared(${LOCK})`);
/**
 * Waits for the writers that began before: they may not have seen the newest erased keys. Later ones see them. It has
 * to be a transaction of its own.
 */
export const WAIT_FOR_WRITERS = sql.raw(`select pg_advisory_xact_lock(${LOCK})`);

/**
 * Two erasures of one person would lock its rows in different orders.
 */
export const ONE_AT_A_TIME = sql.raw(`select pg_advisory_xact_lock(hashtextextended('gatehouse: erasure', 0))`);

/** The written messages whose call was before an erasure of one of their keys. */
function erasedAmong(digests: KeyDigests, ids: readonly string[]): SQL {
  const all = ids.flatMap((id) =>
    (digests.get(id) ?? []).map((digest) => ({ id, at: new Date(occurredAtOf(id)).toISOString(), digest })),
  );
  return sql`(
    select distinct on (written.id) written.at as occurred_at, written.id, written.digest
    from jsonb_to_recordset(${JSON.stringify(all)}::jsonb) as written (id uuid, at timestamptz, digest text)
    join ${erasedKeys} on ${erasedKeys.digest} = written.digest and written.at <= ${erasedKeys.erasedAt}
    order by written.id, written.digest)`;
}

/** Statements for the transaction that inserts these rows. The keys that blinding took are `NOTED_KEYS`. */
export const blindNewAttempts = (db: Database, digests: KeyDigests, ids: readonly string[], secret: string) =>
  [db.execute(noteAttempts(erasedAmong(digests, ids))), blindAttempts(db, secret)] as const;
export const blindNewChanges = (db: Database, digests: KeyDigests, ids: readonly string[]) =>
  blindChanges(db, erasedAmong(digests, ids));

/** Ids of the messages of erased persons among `ids`. */
export async function idsOfErased(db: Database, digests: KeyDigests, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.execute<{ id: string }>(sql`select id from ${erasedAmong(digests, ids)} as erased`);
  return new Set(rows.map(({ id }) => id));
}
