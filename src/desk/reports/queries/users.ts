/**
 * Lists users, the last seen first. A name or an address that few have is found by its index. Everything else is
 * filtered from the newest users, of which a page reads a limited number.
 */
import { and, arrayContains, desc, getTableColumns, gte, inArray, lt, lte, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import { COUNTED_ROWS, countMatches, type Matches, matchesOf, NOT_COUNTED } from '../../../database/matches.ts';
import { type RunQuery, runQuery } from '../../../database/run-query.ts';
import { accounts, summedUntil, userDays, users } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { NO_ID, type Position, writeCursor } from '../../http/cursor.ts';
import { namedSql } from '../../users/name-words.ts';
import { type AccountJson, accountJson, type UserJson, type UserRow, userJson } from '../user-json.ts';
import type { UserFilters, UsersPage } from '../users-question.ts';
import { applicationNames } from './application-names.ts';
import { unionOf } from './attempts.ts';

/** Users that a page reads. */
const LIMITS = {
  /** Found by an index and sorted. */
  found: 2_000,
  /** Of more, and for filters without an index: the newest, one after the other. Identities cost 15 µs a user. */
  filtered: 10_000,
};
export type UserListLimits = typeof LIMITS;

/** A user of the list, with the identities and the number of attempts by outcome up to `countedTo`. */
export type ListedUser = UserJson & {
  readonly accounts: AccountJson[];
  readonly attempts: Readonly<Record<string, number>>;
};

export interface UserList {
  readonly users: ListedUser[];
  /** Attempts of users are counted up to this time. */
  readonly countedTo: string;
  readonly next?: string;
  /** Set when the page ended early because of its limits: everyone last seen from this time on was searched. */
  readonly searchedTo?: string;
  /** How many users match in all; only on the first page. */
  readonly matches?: Matches;
}

/** One page. Throws DatabaseUnavailable. */
export async function listUsers(
  config: Config,
  { narrowed, limit, after, question }: UsersPage,
  limits: UserListLimits = LIMITS,
): Promise<UserList> {
  const asked = { narrowed, after, limit };
  const { page, listed, countedTo } = await runQuery(config, async (db, run) => {
    const page = await readPage(db, run, asked, limits);
    const [applications, [summed]] = await Promise.all([
      applicationNames(db, run),
      run(db.select({ until: summedUntil.until }).from(summedUntil)),
    ]);
    const listed = await described(db, run, page.rows.slice(0, limit), applications);
    return { page, listed, countedTo: summed?.until ?? new Date(0) };
  });
  const { rows, searchedTo, source } = page;
  const last = rows[limit - 1];
  const from = narrowed.from;
  const place = rows.length > limit && last ? { occurredAt: last.lastSeen, id: last.id, from } : undefined;
  const next = place ?? (searchedTo && { occurredAt: searchedTo, id: NO_ID, from });
  return {
    users: listed,
    countedTo: countedTo.toISOString(),
    ...(next && { next: await writeCursor(question, next) }),
    ...(place === undefined && searchedTo && { searchedTo: searchedTo.toISOString() }),
    ...(after === undefined && { matches: await countUsers(config, source, page, limit) }),
  };
}

/** Pages of a whole list, each after a place: five requests at most, and one for the file. */
export const pagesOfUsers = (config: Config, narrowed: UserFilters, limit: number) => {
  let applications: ReadonlyMap<string, string> | undefined;
  return (after: Position | undefined) =>
    runQuery(config, async (db, run) => {
      const { rows, searchedTo } = await readPage(db, run, { narrowed, after, limit }, LIMITS);
      applications ??= await applicationNames(db, run);
      const listed = await described(db, run, rows.slice(0, limit), applications);
      const more = rows.length > limit || searchedTo !== undefined;
      const ids = listed.map((user, index) => ({ ...user, id: rows[index]?.id ?? NO_ID }));
      return { rows: ids, more, ...(rows.length > limit ? {} : { searchedTo }) };
    });
};

interface Asked {
  readonly narrowed: UserFilters;
  readonly after: Position | undefined;
  readonly limit: number;
}

interface ReadPage {
  /** One more than the page: it shows only that there is a next page. */
  readonly rows: UserRow[];
  readonly searchedTo: Date | undefined;
  /** Selects everything that matches, as far as it was searched. */
  readonly source: SQL;
}

export const { nameWords: _, ...userColumns } = getTableColumns(users);
export const lastSeenFirst = [desc(users.lastSeen), desc(users.id)];

async function readPage(db: Database, run: RunQuery, asked: Asked, limits: UserListLimits): Promise<ReadPage> {
  const { narrowed, after, limit } = asked;
  const range = and(
    narrowed.from && gte(users.lastSeen, narrowed.from),
    narrowed.to && lt(users.lastSeen, narrowed.to),
    after && lte(users.lastSeen, after.occurredAt),
    after &&
      sql`(${users.lastSeen}, ${users.id}) < (${after.occurredAt.toISOString()}::timestamptz, ${after.id}::uuid)`,
  );
  const read = async (source: SQL, searchedTo?: Date): Promise<ReadPage> => {
    const rows = await run(
      db
        .select(userColumns)
        .from(unionOf([source], users))
        .orderBy(...lastSeenFirst)
        .limit(limit + 1),
    );
    return { rows, source, searchedTo: rows.length > limit ? undefined : searchedTo };
  };
  const found = foundBy(narrowed);
  const others = othersOf(narrowed);
  if (found !== undefined) {
    const few = sql`(select from ${users} where ${found} limit ${limits.found + 1}) as few`;
    const [counted] = await run(db.select({ count: sql<number>`count(*)::int` }).from(few));
    if ((counted?.count ?? 0) <= limits.found)
      return read(
        sql`select * from (select * from ${users} where ${found} offset 0) as users where ${and(range, others) ?? sql`true`}`,
      );
  }
  const filter = and(found, others);
  if (filter === undefined) return read(sql`select * from ${users} where ${range ?? sql`true`}`);
  // `offset 0`: the newest users are read in their order, whatever the planner expects of the filter.
  const newest = (condition: SQL | undefined, part: SQL) => sql`
    select * from ${users} where ${condition ?? sql`true`} order by ${lastSeenFirst[0]}, ${lastSeenFirst[1]} ${part}`;
  const [boundary] = await run(
    db
      .select({ lastSeen: users.lastSeen })
      .from(unionOf([newest(range, sql`offset ${limits.filtered - 1} limit 1`)], users)),
  );
  const searched = and(range, boundary && gte(users.lastSeen, boundary.lastSeen));
  return read(sql`select * from (${newest(searched, sql`offset 0`)}) as users where ${filter}`, boundary?.lastSeen);
}

/** Conditions that an index leads to. `<> ''` is a literal, since the indexes are partial. */
const foundBy = ({ name, email }: UserFilters): SQL | undefined =>
  and(
    name === undefined ? undefined : sql`${users.nameWords} @@ ${namedSql(name)} and ${users.name} <> ''`,
    email === undefined ? undefined : sql`${users.emailKey} = ${email} and ${users.emailKey} <> ''`,
  );

const othersOf = ({ issuer, role }: UserFilters): SQL | undefined =>
  and(
    role === undefined ? undefined : arrayContains(users.roles, [role]),
    issuer === undefined
      ? undefined
      : sql`exists (
          select from ${accounts} where accounts.oid_key = users.oid_key and accounts.oid_key <> '' and accounts.issuer = ${issuer})`,
  );

async function countUsers(
  config: Config,
  source: SQL,
  { rows, searchedTo }: ReadPage,
  limit: number,
): Promise<Matches> {
  if (searchedTo !== undefined) return NOT_COUNTED;
  if (rows.length <= limit) return matchesOf(rows.length);
  return countMatches(config, sql`(select from (${source}) as users limit ${COUNTED_ROWS})`);
}

/** The users with their accounts, names and counts. */
async function described(
  db: Database,
  run: RunQuery,
  rows: readonly UserRow[],
  applications: ReadonlyMap<string, string>,
) {
  const [identities, counts] = await Promise.all([accountsOfUsers(db, run, rows), countsOf(db, run, rows)]);
  return rows.map(
    (row): ListedUser => ({
      ...userJson(row, applications),
      accounts: identities.filter(({ oidKey }) => oidKey === row.oidKey).map(accountJson),
      attempts: Object.fromEntries(
        counts.filter(({ userId }) => userId === row.id).map(({ outcome, attempts }) => [outcome, attempts]),
      ),
    }),
  );
}

async function accountsOfUsers(db: Database, run: RunQuery, rows: readonly UserRow[]) {
  if (rows.length === 0) return [];
  const keys = rows.map(({ oidKey }) => oidKey);
  return run(
    db
      .select()
      .from(accounts)
      .where(and(inArray(accounts.oidKey, keys), sql`${accounts.oidKey} <> ''`))
      .orderBy(sql`${accounts.lastSignIn} desc nulls last, ${accounts.key}`),
  );
}

async function countsOf(db: Database, run: RunQuery, rows: readonly UserRow[]) {
  if (rows.length === 0) return [];
  const { userId, outcome, attempts } = userDays;
  return run(
    db
      .select({ userId, outcome, attempts: sql<number>`sum(${attempts})::int` })
      .from(userDays)
      .where(
        inArray(
          userId,
          rows.map(({ id }) => id),
        ),
      )
      .groupBy(userId, outcome)
      .orderBy(outcome),
  );
}
