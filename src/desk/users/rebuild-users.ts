/** Makes `users` and `accounts` again from all stored attempts: after a restore, or the upgrade that brought them. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../database/connect.ts';
import { existingMonths, lockTimeout } from '../../database/partitions.ts';
import { accounts, users } from '../../database/schema.ts';
import { sqlStateOf } from '../../database/sql-state.ts';
import { USERS_SHARED } from '../../database/users-lock.ts';
import { DAY_MS, HOUR_MS } from '../../platform/duration.ts';
import { mergeAccounts, mergeUsers } from './merge.ts';

/** Erasures and consumers wait for the merge of one part. */
const PART_MS = HOUR_MS;
/** Emptying waits for slow reports, and every consumer behind it: it gives up early and tries again. */
const EMPTYING = { attempts: 10, pauseMs: 1_000, lockMs: 2_000 };
/** SQLSTATE of a statement that gave up its lock. */
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Empties both tables, then merges the attempts hour by hour, the newest first, while consumers may write: each merges
 * what it writes. Returns the number of rows. Until the end, reports miss people, and readiness says so. `open` returns
 * a connection for each request. Safe to repeat.
 */
export async function rebuildUsers(
  open: () => Database,
  onDay: (done: { readonly days: number; readonly left: number }) => void = () => undefined,
  emptying = EMPTYING,
): Promise<{ readonly users: number; readonly accounts: number }> {
  await emptyUsers(open, emptying);
  const days = (await existingMonths(open())).flatMap(({ from, to }) =>
    Array.from(
      { length: (to.getTime() - from.getTime()) / DAY_MS },
      (_, day) => new Date(from.getTime() + day * DAY_MS),
    ),
  );
  for (const [index, day] of days.toReversed().entries()) {
    for (const part of await partsOf(open(), day)) await mergePart(open(), part);
    onDay({ days: index + 1, left: days.length - index - 1 });
  }
  const [made, identities] = await Promise.all([open().$count(users), open().$count(accounts)]);
  return { users: made, accounts: identities };
}

async function emptyUsers(open: () => Database, { attempts, ...each }: typeof EMPTYING): Promise<void> {
  const db = open();
  try {
    await db.batch([db.execute(lockTimeout(each.lockMs)), db.execute(sql`truncate users, accounts`)]);
  } catch (error) {
    if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE || attempts <= 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, each.pauseMs));
    await emptyUsers(open, { attempts: attempts - 1, ...each });
  }
}

/** The parts of a day that have attempts, the newest first. */
async function partsOf(db: Database, day: Date): Promise<Date[]> {
  const parts = Array.from({ length: DAY_MS / PART_MS }, (_, part) => new Date(day.getTime() + part * PART_MS));
  const { rows } = await db.execute<{ part: number }>(sql`
    select part::int - 1 as part from jsonb_array_elements_text(${JSON.stringify(parts)}::jsonb) with ordinality as parts (start, part)
    where exists (select from ${attemptsFrom(sql`parts.start::timestamptz`)})`);
  return parts.filter((_, index) => rows.some(({ part }) => part === index)).toReversed();
}

const attemptsFrom = (start: SQL): SQL => sql`(
  select * from attempts where occurred_at >= ${start} and occurred_at < ${start} + ${sql.raw(`interval '${PART_MS} milliseconds'`)}) as attempts`;

async function mergePart(db: Database, start: Date): Promise<void> {
  const some = attemptsFrom(sql`${start.toISOString()}::timestamptz`);
  await db.batch([db.execute(USERS_SHARED), db.execute(mergeUsers(some)), db.execute(mergeAccounts(some))]);
}
