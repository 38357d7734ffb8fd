/** Writes messages to Neon: one multi-row insert for many, and the search for the one at fault when Postgres refuses. */
import type { Config } from '../config.ts';
import { connect, type Database } from '../database/connect.ts';
import { attempts, changes } from '../database/schema.ts';
import type { Attempt, Change, Message } from './attempt.ts';
import { occurredAtOf } from './bounds.ts';
import { createMonths, isKept } from './partitions.ts';

/** Class 23514 in an insert into a partitioned table: no partition takes the row. */
const NO_PARTITION = '23514';

/** SQLSTATE classes by which Postgres refuses what a row holds: 22 data, 23 constraint, 54 too large (an index row). Others are ours or an outage's. */
const IS_THE_MESSAGE = /^(22|23|54)/;

export interface Refused {
  readonly message: Message;
  /** SQLSTATE, or `outside-retention`. */
  readonly reason: string;
}

/**
 * Writes all messages; a message delivered twice is one row. What Postgres holds to be a message's own fault (SQLSTATE class
 * 22, 23 or 54) is returned as refused, and the others go in. Throws when Neon cannot be reached or fails otherwise: then
 * nothing is known of what was written, and writing all again is safe.
 */
export async function writeMessages(config: Config, messages: readonly Message[], limitMs: number) {
  if (config.DATABASE_URL === '') throw new Error('DATABASE_URL is not set');
  const { db } = connect(config.DATABASE_URL, limitMs);
  const attemptMessages = messages.filter((message) => message.kind === 'attempt');
  const changeMessages = messages.filter((message) => message.kind === 'change');
  const now = Date.now();
  const refused = [
    ...(await writeAll(attemptMessages, (some) => insertAttempts(db, some, config.RETENTION_DAYS, now))),
    ...(await writeAll(changeMessages, (some) => insertChanges(db, some))),
  ];
  return { refused };
}

/** Whatever answers 200 in Neon's stead must not pass for a write. */
async function written(insert: PromiseLike<{ command: string; rowCount: number }>): Promise<void> {
  const { command, rowCount } = await insert;
  if (command !== 'INSERT' || !Number.isInteger(rowCount))
    throw new Error('Neon answered an insert with something else');
}

/** Halves what was refused until the message at fault stands alone. */
async function writeAll<M extends Message>(
  messages: readonly M[],
  insert: (some: readonly M[]) => Promise<unknown>,
): Promise<Refused[]> {
  if (messages.length === 0) return [];
  try {
    await insert(messages);
    return [];
  } catch (error) {
    const code = sqlStateOf(error);
    if (!IS_THE_MESSAGE.test(code)) throw error;
    const [only] = messages;
    if (messages.length === 1 && only !== undefined)
      return [{ message: only, reason: code === NO_PARTITION ? 'outside-retention' : code }];
  }
  const half = Math.ceil(messages.length / 2);
  return [...(await writeAll(messages.slice(0, half), insert)), ...(await writeAll(messages.slice(half), insert))];
}

/** A missing month is ours to make, when it is one that we keep. */
async function insertAttempts(db: Database, some: readonly Attempt[], retentionDays: number, now: number) {
  const insert = () => written(db.insert(attempts).values(some.map(attemptRow)).onConflictDoNothing());
  try {
    return await insert();
  } catch (error) {
    if (sqlStateOf(error) !== NO_PARTITION) throw error;
    const times = some.map(({ id }) => new Date(occurredAtOf(id)));
    const missing = times.filter((at) => isKept(at, new Date(now), retentionDays));
    if (missing.length === 0) throw error;
    await createMonths(db, missing);
    return insert();
  }
}

const insertChanges = (db: Database, some: readonly Change[]) =>
  written(db.insert(changes).values(some.map(changeRow)).onConflictDoNothing());

const changeRow = ({ kind: _, v: __, ...change }: Change) => ({
  ...change,
  occurredAt: new Date(occurredAtOf(change.id)),
});

/** An attempt as its row; `written_in` is Postgres' own. */
export function attemptRow({ kind: _, v: __, rolesUpdatedAt, shadow, ...attempt }: Attempt) {
  return {
    ...attempt,
    shadowVersion: shadow?.version ?? 0,
    shadowOutcome: shadow?.outcome ?? '',
    shadowRule: shadow?.rule ?? '',
    shadowMessageKey: shadow?.messageKey ?? '',
    shadowDiffers: shadow?.differs ?? false,
    shadowClaims: shadow?.claims ?? [],
    occurredAt: new Date(occurredAtOf(attempt.id)),
    rolesUpdatedAt: rolesUpdatedAt === null ? null : new Date(rolesUpdatedAt),
  };
}

/** Drizzle wraps the driver's error as its cause. `''` for anything that Postgres did not say. */
function sqlStateOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return '';
  return typeof cause.code === 'string' && /^[0-9A-Z]{5}$/.test(cause.code) ? cause.code : '';
}
