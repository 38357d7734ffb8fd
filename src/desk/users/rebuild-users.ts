/** Makes `users` and `accounts` again from all stored attempts: after a restore, or the upgrade that brought them. */
import { sql } from 'drizzle-orm';
import type { Database } from '../../database/connect.ts';
import { existingMonths } from '../../database/partitions.ts';
import { accounts, users } from '../../database/schema.ts';
import { DAY_MS } from '../../platform/duration.ts';
import { ONE_AT_A_TIME } from '../erasure/erased-keys.ts';
import { mergeAccounts, mergeUsers } from './merge.ts';

/**
 * Empties both tables, then merges the attempts day by day, while consumers may write: each merges what it writes.
 * Returns the number of rows. Until the end, reports miss people. `open` returns a connection for each request. Safe to
 * repeat.
 */
export async function rebuildUsers(
  open: () => Database,
  onDay: (done: { readonly days: number; readonly left: number }) => void = () => undefined,
): Promise<{ readonly users: number; readonly accounts: number }> {
  const db = open();
  await db.batch([db.execute(ONE_AT_A_TIME), db.execute(sql`truncate users, accounts`)]);
  const days = (await existingMonths(open())).flatMap(({ from, to }) =>
    Array.from(
      { length: (to.getTime() - from.getTime()) / DAY_MS },
      (_, day) => new Date(from.getTime() + day * DAY_MS),
    ),
  );
  for (const [index, day] of days.entries()) {
    await mergeDay(open(), day);
    onDay({ days: index + 1, left: days.length - index - 1 });
  }
  const [made, identities] = await Promise.all([open().$count(users), open().$count(accounts)]);
  return { users: made, accounts: identities };
}

/** An erasure must not blind attempts between the reading and the merging. */
async function mergeDay(db: Database, day: Date): Promise<void> {
  const from = sql`${day.toISOString()}::timestamptz`;
  const ofDay = sql`(
    select * from attempts where occurred_at >= ${from} and occurred_at < ${from} + interval '24 hours') as attempts`;
  await db.batch([db.execute(ONE_AT_A_TIME), db.execute(mergeUsers(ofDay)), db.execute(mergeAccounts(ofDay))]);
}
