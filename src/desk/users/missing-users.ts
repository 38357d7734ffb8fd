/** Whether `users` lacks people of older attempts: after the upgrade that brought it, a restore, or half a rebuild. */
import { sql } from 'drizzle-orm';
import type { Database } from '../../database/connect.ts';

/** A rebuild merges the oldest attempts last. Most attempts have an objectId. */
const OLDEST_ATTEMPTS = 100;

/** True if one of the oldest attempts is not merged. The cost does not depend on the number of attempts. */
export const USERS_MISSING = sql`exists (
  select from (select oid_key, occurred_at from attempts order by occurred_at, id limit ${sql.raw(String(OLDEST_ATTEMPTS))}) as oldest
  where oid_key <> '' and not exists (
    select from users where users.id = md5(oldest.oid_key)::uuid and users.first_seen <= oldest.occurred_at
  ))`;

export async function isMissingUsers(db: Database): Promise<boolean> {
  const { rows } = await db.execute<{ missing: boolean }>(sql`select ${USERS_MISSING} as missing`);
  return rows[0]?.missing === true;
}
