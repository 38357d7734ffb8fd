/**
 * The keys of a person: the requested key and the keys that occur with it in one attempt. A shared e-mail address does
 * not join two accounts.
 *
 * Attempts with them are read as a union of ordered, limited selects, one for each key and column. Each is an index
 * scan of a partition, for many rows or none. `or` across columns with `order by` would scan the whole table for a
 * person without rows.
 */
import { and, desc, max, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { attempts } from '../../../database/schema.ts';
import { isNameKey, keysToSearch, NAME_PREFIX } from '../../../sign-in/search-keys.ts';
import type { Position } from '../../http/cursor.ts';
import { indexed, limited, rowsAfter, unionOf, withOtherKeys } from './attempts.ts';
import type { AttemptRow } from './columns.ts';

/** Newest attempts of a key that are searched for other keys. A monitoring account may have a million. */
export const ATTEMPTS_LOOKED_AT = 1_000;
/** One person does not have more keys, but a shared e-mail address may. Only the most recent ones are followed. */
export const MAX_KEYS = 20;
/** Keys by column, most recent first. */
export interface Keys {
  readonly oids: readonly string[];
  /** Keys of all identities. */
  readonly idps: readonly string[];
  readonly emails: readonly string[];
  /** `name:` keys. They find attempts and join no accounts. */
  readonly names: readonly string[];
}

/** The keys of a person. One who was never seen may have a record already: then it is the key itself. */
export async function knownKeys(db: Database, run: RunQuery, key: string): Promise<{ keys: Keys; truncated: boolean }> {
  const { keys, truncated } = await seenTogether(db, run, key);
  const or = (some: readonly string[], kind: string) => (some.length === 0 && key.startsWith(kind) ? [key] : some);
  const { oids, idps, emails } = keys;
  return { keys: { ...keys, oids: or(oids, 'oid:'), idps: or(idps, 'idp:'), emails: or(emails, 'email:') }, truncated };
}

/** The keys of a person under which a record may be, the best kind first. */
export const recordKeys = ({ oids, idps, emails }: Keys): string[] => distinct([...oids, ...idps, ...emails]);

/** The keys that a search for `key` looks for. A digest can be a key of any kind. */
export function ownKeys(key: string): Keys {
  const own = keysToSearch(key);
  const ofKind = (kind: string) => own.filter((one) => one.startsWith(kind) || one.startsWith('sha256:'));
  return { oids: ofKind('oid:'), idps: ofKind('idp:'), emails: ofKind('email:'), names: ofKind(NAME_PREFIX) };
}

export const distinct = (all: readonly string[]) => [...new Set(all)].filter((one) => one !== '');

/** Keys whose records can affect this token: for each kind the token's own keys, or all known ones if it has none. */
export function keysThatCount({ oids, idps, emails, names }: Keys, token: AttemptRow | undefined): Keys {
  const own = (shown: readonly string[], seen: readonly string[]) => {
    const some = distinct(shown);
    return some.length > 0 ? some : seen;
  };
  if (token === undefined) return { oids, idps, emails, names };
  return {
    oids: own([token.oidKey], oids),
    idps: own([token.idpKey, ...token.otherKeys.filter((key) => !isNameKey(key))], idps),
    emails: own([token.emailKey], emails),
    names,
  };
}

/** All keys of the attempts that have `key`, including `key`. */
export async function seenTogether(
  db: Database,
  run: RunQuery,
  key: string,
): Promise<{ keys: Keys; truncated: boolean }> {
  const own = ownKeys(key);
  const { oidKey, idpKey, emailKey, otherKeys } = attempts;
  const seen = await run(
    db
      .select({ oidKey, idpKey, emailKey, otherKeys })
      .from(unionOf(selectsOf(own, undefined, ATTEMPTS_LOOKED_AT)))
      .groupBy(oidKey, idpKey, emailKey, otherKeys)
      .orderBy(desc(max(attempts.occurredAt)))
      .limit(ATTEMPTS_LOOKED_AT),
  );
  const all: Keys = {
    oids: distinct(seen.map((row) => row.oidKey)),
    idps: distinct(seen.flatMap((row) => [row.idpKey, ...row.otherKeys.filter((other) => !isNameKey(other))])),
    emails: distinct(seen.map((row) => row.emailKey)),
    names: distinct(seen.flatMap((row) => row.otherKeys.filter(isNameKey))),
  };
  const first = (some: readonly string[]) =>
    some.includes(key) ? [key, ...some.filter((one) => one !== key)].slice(0, MAX_KEYS) : some.slice(0, MAX_KEYS);
  const keys = { oids: first(all.oids), idps: first(all.idps), emails: first(all.emails), names: first(all.names) };
  return { keys, truncated: Object.values(all).some((some) => some.length > MAX_KEYS) };
}

export function selectsOf({ oids, idps, emails, names }: Keys, after: Position | undefined, limit: number): SQL[] {
  const others = [...idps, ...names];
  const byIndex = (condition: SQL | undefined) =>
    limited(sql`${attempts} where ${and(condition, rowsAfter(after))}`, limit);
  return [
    ...oids.map((key) => byIndex(indexed(attempts.oidKey, key))),
    ...idps.map((key) => byIndex(indexed(attempts.idpKey, key))),
    ...(others.length > 0 ? [limited(withOtherKeys(others, rowsAfter(after)), limit)] : []),
    ...emails.map((key) => byIndex(indexed(attempts.emailKey, key))),
  ];
}
