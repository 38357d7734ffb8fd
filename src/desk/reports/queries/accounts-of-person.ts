/** The user and the accounts behind a person search: which provider they used, and who else has their address. */
import { and, inArray, or, type SQL, sql } from 'drizzle-orm';
import { runQuery } from '../../../database/run-query.ts';
import { accounts, users } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { accountsInWords } from '../accounts-in-words.ts';
import { isSharedKey } from '../person-status.ts';
import { type AccountJson, accountJson, type UserJson, userJson } from '../user-json.ts';
import { applicationNames } from './application-names.ts';
import { lastSeenFirst, userColumns } from './users.ts';

/** More do not help a person on the phone. */
const MOST = 20;

export interface PersonAccounts {
  /** The user with one of the person's objectIds, the last seen one if there are several; null if none is known. */
  readonly user: UserJson | null;
  /** The identities of the person, the one that was used last first. */
  readonly accounts: AccountJson[];
  /** Users, and identities without one, that have the same address. They may be other people. */
  readonly sameAddress: { readonly users: UserJson[]; readonly accounts: AccountJson[] };
  /** All of it in sentences that can be read out. */
  readonly accountsInWords: string;
}

/** `keys` are the keys that belong together with `asked`; of each part at most {@link MOST} are returned. */
export async function accountsOfPerson(
  config: Config,
  asked: string,
  keys: readonly string[],
  now: number,
): Promise<PersonAccounts> {
  const oids = keys.filter((key) => !/^(email|name|idp):/.test(key));
  const others = keys.filter((key) => !/^(email|name):/.test(key));
  const emails = keys.filter((key) => key.startsWith('email:'));
  const ownUser = among(users.id, oids);
  const ownAccount = or(among(accounts.id, others), having(accounts.oidKey, oids));
  const [own, identities, sharing, strangers, applications] = await runQuery(config, (db, run) => {
    const usersWith = (condition: SQL | undefined) =>
      run(
        db
          .select(userColumns)
          .from(users)
          .where(condition)
          .orderBy(...lastSeenFirst)
          .limit(MOST),
      );
    const accountsWith = (condition: SQL | undefined) =>
      run(
        db
          .select()
          .from(accounts)
          .where(condition)
          .orderBy(sql`${accounts.lastSignIn} desc nulls last, ${accounts.lastSeen} desc, ${accounts.key}`)
          .limit(MOST),
      );
    return Promise.all([
      usersWith(ownUser),
      accountsWith(ownAccount),
      usersWith(and(having(users.emailKey, emails), sql`not ${ownUser}`)),
      accountsWith(and(having(accounts.emailKey, emails), sql`${accounts.oidKey} = '' and not ${ownAccount}`)),
      applicationNames(db, run),
    ]);
  });
  const [user = null, ...rest] = own.map((row) => userJson(row, applications));
  const found = {
    user,
    accounts: identities.map(accountJson),
    sameAddress: {
      users: [...rest, ...sharing.map((row) => userJson(row, applications))],
      accounts: strangers.map(accountJson),
    },
  };
  return { accountsInWords: accountsInWords(found, isSharedKey(asked), now), ...found };
}

const among = (id: typeof users.id | typeof accounts.id, keys: readonly string[]): SQL =>
  keys.length === 0
    ? sql`false`
    : sql`(${id} in (${sql.join(
        keys.map((key) => sql`md5(${key}::text)::uuid`),
        sql`, `,
      )}))`;

/** `<> ''` is a literal, since the indexes are partial. */
const having = (
  column: typeof users.emailKey | typeof accounts.emailKey | typeof accounts.oidKey,
  keys: readonly string[],
): SQL => (keys.length === 0 ? sql`false` : sql`(${inArray(column, [...keys])} and ${column} <> '')`);
