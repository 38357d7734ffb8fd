/** Blinds the attempts of a person, in an order in which a request that ends early can be repeated. */
import { type SQL, sql } from 'drizzle-orm';
import { attempts } from '../../../database/schema.ts';
import { USERS_ALONE, USERS_SHARED } from '../../../database/users-lock.ts';
import { isNameKey } from '../../../sign-in/search-keys.ts';
import { isSignInStepSql, JOURNEY_HOURS } from '../../aggregates/sign-ins.ts';
import { blindAttempts, NOTED_KEYS, noteAttempts } from '../../erasure/blinding.ts';
import { ONE_AT_A_TIME } from '../../erasure/erased-keys.ts';
import { attemptsWithKeys, mergeAccounts, mergeUsers, removeAccounts, removeUsers } from '../../users/merge.ts';
import type { AskPostgres } from './ask-postgres.ts';
import { type ErasedPerson, hasKey, keysAsRows } from './erased-person.ts';

export const ERASURE_LIMITS = {
  /** Attempts of one statement, which takes about a second at most. */
  rowsAtOnce: 1_000,
  /** Then a request ends after the statement that runs. */
  rowsMs: 15_000,
  /** To read, or to delete, dead letters. */
  lettersMs: 10_000,
};
export type ErasureLimits = typeof ERASURE_LIMITS;

const JOURNEY = sql.raw(`interval '${JOURNEY_HOURS} hours'`);

/**
 * Blinds the attempts of each level that have no key of a level before it, from the last level to the first, and with
 * them the calls of the same sign-ins that name no one. In the same transaction the rows of `users` and `accounts` that
 * follow from them go; at the end they are made again from what is left. `touched` are keys of rows that went before.
 */
export async function blindLevels(
  ask: AskPostgres,
  { levels }: ErasedPerson,
  erasedAt: Date,
  secret: string,
  { rowsAtOnce, rowsMs }: ErasureLimits,
  touched: Set<string>,
): Promise<{ finished: boolean; blinded: number; days: Set<string> }> {
  const begun = Date.now();
  const days = new Set<string>();
  const own = levels.flat();
  let blinded = 0;
  let finished = false;
  const blindAll = async () => {
    for (const [index, keys] of [...levels.entries()].reverse()) {
      if (keys.length === 0) continue;
      const mine = attemptsOf(keys, levels.slice(0, index).flat(), erasedAt, rowsAtOnce);
      for (;;) {
        const rows = await ask(
          (db) => blindAttempts(db, secret),
          [ONE_AT_A_TIME, noteAttempts(mine)],
          [USERS_ALONE, removeUsers(NOTED_KEYS), removeAccounts(NOTED_KEYS)],
        );
        blinded += rows.length;
        for (const row of rows) {
          days.add(row.day);
          for (const key of row.keys) touched.add(key);
        }
        if (rows.length === 0) break;
        if (Date.now() - begun >= rowsMs) return;
      }
    }
    finished = true;
  };
  try {
    await blindAll();
  } finally {
    // Until every attempt of the person is blinded, only the rows of others are made again.
    const others = [...touched].filter((key) => !own.includes(key));
    await makeAgain(ask, finished ? [...own, ...others] : others);
  }
  return { finished, blinded, days };
}

/** At most `limit` attempts with one of `keys` and none of `before`, and as many that name no one. */
const attemptsOf = (keys: readonly string[], before: readonly string[], erasedAt: Date, limit: number): SQL => sql`(
  with own as materialized (
    select occurred_at, id, correlation_id from ${attempts}
    where ${hasKey(keys)} ${before.length === 0 ? sql`` : sql`and not ${hasKey(before)}`}
      and occurred_at <= ${erasedAt.toISOString()}::timestamptz
    limit ${limit}
  )
  select occurred_at, id from own
  union (
    select nameless.occurred_at, nameless.id from own join ${attempts} as nameless
      on nameless.correlation_id = own.correlation_id and nameless.correlation_id <> ''
    where ${isSignInStepSql('nameless')} and nameless.occurred_at between own.occurred_at - ${JOURNEY} and own.occurred_at + ${JOURNEY}
      and nameless.oid_key = '' and nameless.idp_key = '' and nameless.email_key = '' and nameless.other_keys = '{}'
    limit ${limit}
  ))`;

/** Makes the users and accounts of these keys from their attempts. */
async function makeAgain(ask: AskPostgres, keys: readonly string[]): Promise<void> {
  const named = keys.filter((key) => !isNameKey(key) && !key.startsWith('email:'));
  if (named.length === 0) return;
  const theirs = attemptsWithKeys(keysAsRows(named));
  await ask((db) => db.execute(mergeAccounts(theirs)), [USERS_SHARED, mergeUsers(theirs)]);
}
