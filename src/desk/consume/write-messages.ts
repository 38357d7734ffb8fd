/** Writes messages to Neon: one multi-row insert for many, and the search for the one at fault when Postgres refuses. */

import { type Message, NOT_A_MESSAGE } from '../../attempts/attempt.ts';
import { connect, type Database } from '../../database/connect.ts';
import { createMonths, isRetained } from '../../database/partitions.ts';
import { attempts, changes } from '../../database/schema.ts';
import { sqlStateOf } from '../../database/sql-state.ts';
import type { Config } from '../../platform/config.ts';
import { attemptRow, changeRow } from './row.ts';

/** Class 23514 in an insert into a partitioned table: no partition takes the row. */
const NO_PARTITION = '23514';

/** SQLSTATE classes by which Postgres refuses what a row holds: 22 data, 23 constraint, 54 too large (an index row). Others are ours or an outage's. */
const IS_THE_MESSAGE = /^(22|23|54)/;

export interface Refused {
  readonly message: Message;
  /** SQLSTATE, `outside-retention` or `not-a-message`. */
  readonly reason: string;
}

/** A message and the row that it becomes. */
interface Writing<Row> {
  readonly message: Message;
  readonly row: Row;
}

/**
 * Writes all messages; a message delivered twice is one row. Returns as refused those of which a value is not of its column's
 * type or Postgres refuses the row (SQLSTATE class 22, 23 or 54); the others are written. Throws when Neon cannot be reached
 * or fails otherwise: what was written is unknown then, and writing all again is safe.
 */
export async function writeMessages(config: Config, messages: readonly Message[], limitMs: number) {
  if (config.DATABASE_URL === '') throw new Error('DATABASE_URL is not set');
  const { db } = connect(config.DATABASE_URL, limitMs);
  const now = new Date();
  const ofKind = (kind: Message['kind']) => messages.filter((message) => message.kind === kind);
  const refused: Refused[] = [
    ...(await writeAll(ofKind('attempt'), attemptRow, (rows) => insertAttempts(db, rows, config.RETENTION_DAYS, now))),
    ...(await writeAll(ofKind('change'), changeRow, (rows) =>
      written(db.insert(changes).values(rows).onConflictDoNothing()),
    )),
  ];
  return { refused };
}

/** Whatever answers 200 in Neon's stead must not pass for a write. */
async function written(insert: PromiseLike<{ command: string; rowCount: number }>): Promise<void> {
  const { command, rowCount } = await insert;
  if (command !== 'INSERT' || !Number.isInteger(rowCount))
    throw new Error('Neon answered an insert with something else');
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

/** Halves what Postgres refuses until the row at fault is alone. */
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
    if (!IS_THE_MESSAGE.test(code)) throw error;
    if (writing.length === 1)
      return [{ message: first.message, reason: code === NO_PARTITION ? 'outside-retention' : code }];
  }
  const half = Math.ceil(writing.length / 2);
  return [...(await insertAll(writing.slice(0, half), insert)), ...(await insertAll(writing.slice(half), insert))];
}

/** A missing month is ours to make, when it is one that we keep. */
async function insertAttempts(
  db: Database,
  rows: (typeof attempts.$inferInsert)[],
  retentionDays: number,
  now: Date,
): Promise<void> {
  const insert = () => written(db.insert(attempts).values(rows).onConflictDoNothing());
  try {
    return await insert();
  } catch (error) {
    if (sqlStateOf(error) !== NO_PARTITION) throw error;
    const missing = rows.map(({ occurredAt }) => occurredAt).filter((at) => isRetained(at, now, retentionDays));
    if (missing.length === 0) throw error;
    await createMonths(db, missing);
    return insert();
  }
}
