/** The user and the accounts behind a person search: which provider they used, and who else has their address. */
import { type AnyColumn, desc, getTableColumns, inArray, type SQL, sql } from 'drizzle-orm';
import { runQuery } from '../../../database/run-query.ts';
import { accounts, users } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { accountsInWords } from '../accounts-in-words.ts';
import { isSharedKey } from '../person-status.ts';
import { type AccountJson, accountJson, type UserJson, type UserRow, userJson } from '../user-json.ts';
import { applicationNames } from './application-names.ts';
import { unionOf } from './attempts.ts';
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
  const ownAccount = sql`(${among(accounts.id, others)} or ${having(accounts.oidKey, oids)})`;
  const sharing = having(users.emailKey, emails);
  const stranger = sql`${having(accounts.emailKey, emails)} and ${accounts.oidKey} = ''`;
  const [seen, identities, applications] = await runQuery(config, (db, run) =>
    Promise.all([
      run(
        db
          .select(userColumns)
          .from(eitherOf(users, ownUser, sharing, lastSeenFirst))
          .orderBy(...lastSeenFirst),
      ),
      run(
        db
          .select(getTableColumns(accounts))
          .from(eitherOf(accounts, ownAccount, stranger, lastUsedFirst))
          .orderBy(...lastUsedFirst),
      ),
      applicationNames(db, run),
    ]),
  );
  const isOwnUser = ({ oidKey }: { readonly oidKey: string }) => oids.includes(oidKey);
  const isOwn = (account: AccountRow) => others.includes(account.key) || isOwnUser(account);
  const json = (row: UserRow) => userJson(row, applications);
  const [user = null, ...rest] = seen.filter(isOwnUser).map(json);
  const found = {
    user,
    accounts: identities.filter(isOwn).map(accountJson),
    sameAddress: {
      users: [...rest, ...seen.filter((row) => !isOwnUser(row)).map(json)],
      accounts: identities.filter((row) => !isOwn(row)).map(accountJson),
    },
  };
  return { accountsInWords: accountsInWords(found, isSharedKey(asked), now), ...found };
}

const lastUsedFirst = [sql`${accounts.lastSignIn} desc nulls last`, desc(accounts.lastSeen), accounts.key];
type AccountRow = typeof accounts.$inferSelect;

/** The first rows of the person's own, and the first of those that are only like them. */
const eitherOf = (table: typeof users | typeof accounts, own: SQL, like: SQL, order: readonly (SQL | AnyColumn)[]) => {
  const first = (condition: SQL) =>
    sql`(select * from ${table} where ${condition} order by ${sql.join([...order], sql`, `)} limit ${MOST})`;
  return unionOf([first(own), first(sql`${like} and not ${own}`)], table);
};

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
