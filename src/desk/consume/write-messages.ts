/** Writes messages to Neon with multi-row inserts. Bisects a refused insert to find the message at fault. */
import type { SQL } from 'drizzle-orm';
import { type Message, NOT_A_MESSAGE } from '../../attempts/attempt.ts';
import { connect, type Database } from '../../database/connect.ts';
import { createMonths, isRetained } from '../../database/partitions.ts';
import { attempts, changes, probes, refusedCalls } from '../../database/schema.ts';
import { sqlStateOf } from '../../database/sql-state.ts';
import { USERS_ALONE, USERS_SHARED } from '../../database/users-lock.ts';
import type { Config } from '../../platform/config.ts';
import { log } from '../../platform/log.ts';
import { NONE_NOTED, NOTED, NOTED_KEYS } from '../erasure/blinding.ts';
import {
  blindNewAttempts,
  blindNewChanges,
  digestsOfKeys,
  idsOfErased,
  type KeyDigests,
  pseudonymSecret,
  WRITERS_LOCK,
} from '../erasure/erased-keys.ts';
import {
  attemptsWithIds,
  attemptsWithKeys,
  eitherOf,
  mergeAccounts,
  mergeUsers,
  removeAccounts,
  removeUsers,
} from '../users/merge.ts';
import { attemptRow, changeRow, probeRow, refusedCallsRow } from './row.ts';

/** SQLSTATE of an insert into a partitioned table that has no partition for the row. */
const NO_PARTITION = '23514';

/**
 * SQLSTATE classes of faulty rows: 22 data, 23 constraint, 54 too large (an index row). Others mean a bug or an outage.
 */
const ROW_AT_FAULT = /^(22|23|54)/;

export interface Refused {
  readonly message: Message;
  /** SQLSTATE, `outside-retention` or `not-a-message`. */
  readonly reason: string;
}

interface Writing<Row> {
  readonly message: Message;
  readonly row: Row;
}

/**
 * Writes all messages; a message delivered twice becomes one row. A message is refused when a value has the wrong type
 * for its column, or when Postgres refuses its row (SQLSTATE class 22, 23 or 54); the others are written. Throws when
 * Neon cannot be reached or fails otherwise. Then some may be written; it is safe to write all again. A message of an
 * erased person is blinded in the transaction that writes it, and one that would be refused is dropped. Users and
 * accounts are brought up to date in the same transaction, after blinding.
 */
export async function writeMessages(config: Config, messages: readonly Message[], limitMs: number) {
  if (config.DATABASE_URL === '') throw new Error('DATABASE_URL is not set');
  const { db } = connect(config.DATABASE_URL, limitMs);
  const now = new Date();
  const [digests, secret] = await Promise.all([digestsOfKeys(config, messages), pseudonymSecret(config)]);
  const ofKind = (kind: Message['kind']) => messages.filter((message) => message.kind === kind);
  const refused: Refused[] = [
    ...(await writeAll(ofKind('attempt'), attemptRow, (rows) =>
      insertAttempts(db, rows, { digests, secret }, config.RETENTION_DAYS, now),
    )),
    ...(await writeAll(ofKind('change'), changeRow, (rows) => insertChanges(db, rows, digests))),
    ...(await writeAll(ofKind('refused-calls'), refusedCallsRow, async (rows) =>
      assertInserted(await db.insert(refusedCalls).values(rows).onConflictDoNothing()),
    )),
    ...(await writeAll(ofKind('probe'), probeRow, async (rows) =>
      assertInserted(await db.insert(probes).values(rows).onConflictDoNothing()),
    )),
  ];
  return { refused: await withoutErased(db, refused, digests) };
}

/** A dead letter would hold the message unchanged. */
async function withoutErased(db: Database, refused: readonly Refused[], digests: KeyDigests): Promise<Refused[]> {
  if (refused.length === 0) return [];
  const erased = await idsOfErased(
    db,
    digests,
    refused.map(({ message }) => message.id),
  );
  return refused.filter(({ message: { id }, reason }) => {
    if (!erased.has(id.toLowerCase())) return true;
    log('erased-message-dropped', { id, reason });
    return false;
  });
}

/** Something between us and Neon may answer 200 (a proxy). Only the reply to an insert counts as a write. */
function assertInserted({ command, rowCount }: { command: string; rowCount: number }): void {
  if (command !== 'INSERT' || !Number.isInteger(rowCount))
    throw new Error('The reply to an insert does not come from Postgres.');
}

async function writeAll<Row>(
  messages: readonly Message[],
  rowOf: (message: Message) => Row | undefined,
  insert: (rows: Row[]) => Promise<void>,
): Promise<Refused[]> {
  const writing: Writing<Row>[] = [];
  const refused: Refused[] = [];
  for (const message of messages) {
    const row = rowOf(message);
    if (row === undefined) refused.push({ message, reason: NOT_A_MESSAGE });
    else writing.push({ message, row });
  }
  return [...refused, ...(await insertAll(writing, insert))];
}

/** Bisects a refused batch until each row at fault is alone. */
async function insertAll<Row>(
  writing: readonly Writing<Row>[],
  insert: (rows: Row[]) => Promise<void>,
): Promise<Refused[]> {
  const [first] = writing;
  if (first === undefined) return [];
  try {
    await insert(writing.map(({ row }) => row));
    return [];
  } catch (error) {
    const code = sqlStateOf(error);
    if (!ROW_AT_FAULT.test(code)) throw error;
    if (writing.length === 1)
      return [{ message: first.message, reason: code === NO_PARTITION ? 'outside-retention' : code }];
  }
  const half = Math.ceil(writing.length / 2);
  return [...(await insertAll(writing.slice(0, half), insert)), ...(await insertAll(writing.slice(half), insert))];
}

/** Creates a missing monthly partition, unless retention has already dropped the month. */
async function insertAttempts(
  db: Database,
  rows: (typeof attempts.$inferInsert)[],
  { digests, secret }: { readonly digests: KeyDigests; readonly secret: string },
  retentionDays: number,
  now: Date,
): Promise<void> {
  const ids = rows.map(({ id }) => id);
  const insert = async (...after: SQL[]) => {
    const [, inserted] = await db.batch([
      db.execute(WRITERS_LOCK),
      db.insert(attempts).values(rows).onConflictDoNothing(),
      ...blindNewAttempts(db, digests, ids, secret),
      ...after.map((statement) => db.execute(statement)),
    ]);
    assertInserted(inserted);
  };
  const merged = (some: SQL) => [mergeUsers(some), mergeAccounts(some)];
  const own = attemptsWithIds(rows);
  // Hardly a batch has an erased person. Postgres plans the search for their attempts longer than it merges.
  const write = () =>
    insert(NONE_NOTED, USERS_SHARED, ...merged(own)).catch((error: unknown) => {
      if (sqlStateOf(error) !== NOTED) throw error;
      const again = eitherOf(own, attemptsWithKeys(NOTED_KEYS));
      return insert(USERS_ALONE, removeUsers(NOTED_KEYS), removeAccounts(NOTED_KEYS), ...merged(again));
    });
  try {
    return await write();
  } catch (error) {
    if (sqlStateOf(error) !== NO_PARTITION) throw error;
    const missing = rows.map(({ occurredAt }) => occurredAt).filter((at) => isRetained(at, now, retentionDays));
    if (missing.length === 0) throw error;
    await createMonths(db, missing);
    return write();
  }
}

async function insertChanges(db: Database, rows: (typeof changes.$inferInsert)[], digests: KeyDigests): Promise<void> {
  const [, inserted] = await db.batch([
    db.execute(WRITERS_LOCK),
    db.insert(changes).values(rows).onConflictDoNothing(),
    blindNewChanges(
      db,
      digests,
      rows.map(({ id }) => id),
    ),
  ]);
  assertInserted(inserted);
}
