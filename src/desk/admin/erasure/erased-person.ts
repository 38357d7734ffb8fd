/**
 * Finds the keys of the person to erase: the asked key, and keys that occurred with it and belong to no one else. A
 * key is followed only if every attempt that has it is the person's already, or names no other account or identity.
 * So a shared address, or an address that another person typed, erases nothing of that other person. From an address or
 * a name alone no key is followed.
 */
import { arrayOverlaps, inArray, or, type SQL, sql } from 'drizzle-orm';
import { attempts } from '../../../database/schema.ts';
import { identitiesWithoutAccount, isNameKey, keysToSearch } from '../../../sign-in/search-keys.ts';
import type { AskPostgres } from './ask-postgres.ts';

/** Distinct combinations of keys that are read for one level. A monitoring account may have any number. */
const MAX_SEEN = 2_000;
/** Keys that are followed at one level. One person does not have more. */
const MAX_FOLLOWED = 50;

export interface ErasedPerson {
  /**
   * The asked key, then the keys found with it, level by level: accounts, identities, addresses and names. Attempts
   * are blinded from the last level to the first: those that lead from one level to the next stay until then, so that
   * a repeated request finds the same keys.
   */
  readonly levels: readonly (readonly string[])[];
  /** Keys that occurred with the person's and may belong to another person too. */
  readonly notFollowed: readonly string[];
  /** Whether the asked key names one person: an account or an identity. From another key no key is followed. */
  readonly isFollowed: boolean;
  /** Number of accounts, and of identities that occur with no account, in the attempts that have the asked key. */
  readonly accounts: number;
}

/** Every key of a person. */
export const keysOfPerson = ({ levels }: ErasedPerson): string[] => levels.flat();

/** Records are stored under these kinds of keys. */
export const keysOfRecords = (keys: readonly string[]) => keys.filter((key) => !isNameKey(key));

/** The keys as rows, each in the column `key`. */
export const keysAsRows = (keys: readonly string[]): SQL =>
  sql`(select each.key from jsonb_array_elements_text(${JSON.stringify(keys)}::jsonb) as each (key))`;

/** `asked` are the spellings of one key. */
export async function findErasedPerson(ask: AskPostgres, asked: readonly string[]): Promise<ErasedPerson> {
  const own = [...new Set(asked.flatMap(keysToSearch))];
  const rows = await rowsWith(ask, own);
  const found = distinct(rows.map(({ oidKey }) => oidKey));
  const accounts = found.length + identitiesWithoutAccount(rows);
  const [first = ''] = own;
  const isFollowed = /^(oid|idp):/.test(first);
  if (!isFollowed) return { levels: [own], notFollowed: [], isFollowed, accounts };

  const levels = [own];
  const notFollowed: string[] = [];
  const follow = async (some: readonly string[], hasOther: SQL) => {
    const known = levels.flat();
    const groups = groupsOf(some.filter((key) => !known.includes(key)));
    const shared = await sharedAmong(ask, groups.slice(0, MAX_FOLLOWED), known, hasOther);
    levels.push(
      groups
        .slice(0, MAX_FOLLOWED)
        .filter((_, index) => !shared.has(index))
        .flat(),
    );
    notFollowed.push(
      ...groups.filter((_, index) => index >= MAX_FOLLOWED || shared.has(index)).map(([key = '']) => key),
    );
  };
  await follow(found, sql`(${hasIdentityBesides([])})`);
  const withAccounts = await seenWith(ask, levels.flat());
  await follow(distinct(withAccounts.flatMap(({ idps }) => idps)), sql`oid_key <> ''`);
  const strong = levels.flat();
  const withIdentities = await seenWith(ask, strong);
  await follow(
    distinct(withIdentities.flatMap(({ email, names }) => [email, ...names])),
    sql`(oid_key <> '' or ${hasIdentityBesides(strong)})`,
  );
  return { levels, notFollowed, isFollowed, accounts };
}

/** Attempts that have one of these keys. The planner uses a partial index only if a literal proves its condition. */
export const hasKey = (keys: readonly string[]): SQL => {
  const some = [...keys];
  return sql`(${or(
    sql`(${inArray(attempts.oidKey, some)} and oid_key <> '')`,
    sql`(${inArray(attempts.idpKey, some)} and idp_key <> '')`,
    sql`(${inArray(attempts.emailKey, some)} and email_key <> '')`,
    sql`(${arrayOverlaps(attempts.otherKeys, some)} and other_keys <> '{}')`,
  )})`;
};

const distinct = (keys: readonly string[]) => [...new Set(keys)].filter((key) => key !== '');

/** An address is found as `email:` and as `name:`: it is followed as both, or not at all. */
function groupsOf(keys: readonly string[]): string[][] {
  const groups = keys.map((key) => keysToSearch(key).toSorted());
  return [...new Map(groups.map((group) => [group.join('\n'), group])).values()];
}

/** The keys in the attempts that have one of `keys`. */
function rowsWith(ask: AskPostgres, keys: readonly string[]) {
  const { oidKey, idpKey, emailKey, otherKeys } = attempts;
  return ask((db) =>
    db.selectDistinct({ oidKey, idpKey, emailKey, otherKeys }).from(attempts).where(hasKey(keys)).limit(MAX_SEEN),
  );
}

/** The same by kind of key. */
async function seenWith(ask: AskPostgres, keys: readonly string[]) {
  return (await rowsWith(ask, keys)).map((row) => ({
    oid: row.oidKey,
    idps: [row.idpKey, ...row.otherKeys.filter((key) => !isNameKey(key))],
    email: row.emailKey,
    names: row.otherKeys.filter(isNameKey),
  }));
}

/** An identity other than these, in any position. */
const hasIdentityBesides = (idps: readonly string[]): SQL => {
  const known =
    idps.length === 0
      ? sql`'{}'::text[]`
      : sql`array[${sql.join(
          idps.map((key) => sql`${key}`),
          sql`, `,
        )}]::text[]`;
  return sql`idp_key <> '' and idp_key <> all (${known}) or exists (
    select from unnest(other_keys) as other where other not like 'name:%' and other <> all (${known}))`;
};

/**
 * Indexes of the groups of which a key is in an attempt that has none of the `known` keys and for which `hasOther`
 * holds.
 */
async function sharedAmong(
  ask: AskPostgres,
  groups: readonly (readonly string[])[],
  known: readonly string[],
  hasOther: SQL,
): Promise<Set<number>> {
  if (groups.length === 0) return new Set();
  const candidates = JSON.stringify(groups.flatMap((keys, index) => keys.map((key) => ({ index, key }))));
  // `offset 0`: the planner must find the key by its index. Beside the other conditions, it took another index for
  // `other_keys`, which read every attempt (measured: 2.2 s of 400,000).
  const where = (column: SQL) => sql`
    exists (
      select from (select * from ${attempts} where ${column} offset 0) as attempts
      where not ${hasKey(known)} and (${hasOther}))`;
  const { rows } = await ask((db) =>
    db.execute<{ index: number }>(sql`
      select distinct candidates.index from jsonb_to_recordset(${candidates}::jsonb) as candidates (index int, key text)
      where ${or(
        where(sql`oid_key = candidates.key and oid_key <> ''`),
        where(sql`idp_key = candidates.key and idp_key <> ''`),
        where(sql`email_key = candidates.key and email_key <> ''`),
        where(sql`other_keys @> array[candidates.key] and other_keys <> '{}'`),
      )}`),
  );
  return new Set(rows.map(({ index }) => index));
}
