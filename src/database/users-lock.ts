/**
 * The lock of `users` and `accounts`, taken before the first of their rows in a transaction. Those that merge share it
 * and lock rows in the order of ids, first of users, then of accounts; one that removes rows and makes them again is
 * alone. So none waits for a row of one that waits for it, and rows that were read before an erasure are not written
 * after it.
 */
import { sql } from 'drizzle-orm';

const LOCK = `hashtextextended('gatehouse: users', 0)`;
const SHARED = `pg_advisory_xact_lock_shared(${LOCK})`;
const ALONE = `pg_advisory_xact_lock(${LOCK})`;

export const USERS_SHARED = sql.raw(`select ${SHARED}`);
export const USERS_ALONE = sql.raw(`select ${ALONE}`);
