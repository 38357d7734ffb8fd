/** Retention of `users` and `accounts`: no row and no value in them outlives the attempts that it is from. */
import { sql } from 'drizzle-orm';
import type { Database } from './connect.ts';
import { USERS_SHARED } from './users-lock.ts';

/** A condition, and what empties the values for which it holds. `first` is the first id and `start` its time. */
type Emptying = readonly [condition: string, columns: Readonly<Record<string, string>>];
const EMAIL: Emptying = [`email_key <> '' and email_from < first`, { email: `''`, email_key: `''` }];
const USER_VALUES: readonly Emptying[] = [
  EMAIL,
  [`name <> '' and name_from < first`, { name: `''`, name_words: `''` }],
  ['last_sign_in < start', { last_sign_in: 'null', client_id: `''`, roles: `'{}'` }],
];
const ACCOUNT_VALUES: readonly Emptying[] = [
  EMAIL,
  [`sign_in_type <> '' and sign_in_type_from < first`, { sign_in_type: `''` }],
  [`oid_key <> '' and oid_from < first`, { oid_key: `''` }],
  ['last_sign_in < start', { last_sign_in: 'null' }],
];

/** Rows of one statement. Consumers wait for those that it changes. */
const ROWS_AT_ONCE = 5_000;

/** Deletes who was last seen before `start`, and empties the values of others that are from attempts before it. */
export async function forgetUsersBefore(db: Database, start: Date, rowsAtOnce = ROWS_AT_ONCE): Promise<void> {
  await forgetBefore(db, 'users', USER_VALUES, start, rowsAtOnce);
  await forgetBefore(db, 'accounts', ACCOUNT_VALUES, start, rowsAtOnce);
}

/** Reads the table once, in the order in which every transaction locks its rows. */
async function forgetBefore(db: Database, table: string, values: readonly Emptying[], start: Date, rowsAtOnce: number) {
  // Ids are UUIDv7: they begin with the milliseconds.
  const first = `${start.getTime().toString(16).padStart(12, '0')}${'0'.repeat(20)}`;
  const bounds = (condition: string) =>
    condition.replace(/\bfirst$/, `'${first}'::uuid`).replace(/\bstart$/, `'${start.toISOString()}'::timestamptz`);
  const isGone = bounds('last_seen < start');
  const isStale = [isGone, ...values.map(([condition]) => bounds(condition))]
    .map((condition) => `(${condition})`)
    .join(' or ');
  const emptied = values.flatMap(([condition, columns]) =>
    Object.entries(columns).map(
      ([name, empty]) => `${name} = case when ${bounds(condition)} then ${empty} else ${name} end`,
    ),
  );
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const [, { rows }] = await db.batch([
      db.execute(USERS_SHARED),
      db.execute<{ id: string }>(
        sql.raw(`
        with stale as materialized (
          select id as stale_id, ${isGone} as is_gone from ${table} where id > '${after}' and (${isStale})
          order by id limit ${rowsAtOnce} for update
        ), deleted as (delete from ${table} using stale where id = stale_id and is_gone),
        emptied as (update ${table} set ${emptied.join(', ')} from stale where id = stale_id and not is_gone)
        select stale_id as id from stale order by stale_id desc limit 1`),
      ),
    ]);
    const [last] = rows;
    if (last === undefined) return;
    after = last.id;
  }
}
