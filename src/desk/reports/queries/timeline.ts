/**
 * Reads a person's attempts. A person is the requested key and the keys that occur with it in one attempt. A shared
 * e-mail address does not join two accounts.
 *
 * Every query is a union of ordered, limited selects, one for each key and column. Each is an index scan of a
 * partition, for many rows or none. `or` across columns with `order by` would scan the whole table for a person without
 * rows.
 */

import { and, arrayOverlaps, desc, eq, max, not, notInArray, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import { COUNTED_ROWS, countMatches, type Matches, matchesOf } from '../../../database/matches.ts';
import { retainedMonths } from '../../../database/partitions.ts';
import { type RunQuery, runQuery } from '../../../database/run-query.ts';
import { attempts, changes } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { isNameKey, keysToSearch, NAME_PREFIX } from '../../../sign-in/search-keys.ts';
import type { Position } from '../../http/cursor.ts';
import { DEFAULT_LANGUAGES } from '../advice.ts';
import { attemptJson } from '../attempt-json.ts';
import { lastToken, RECENT_ATTEMPTS, type RoleChange, type RoleChanges, statusSentence } from '../person-status.ts';
import type { PersonPage } from '../questions.ts';
import { describeTries, withRepeats } from '../try-json.ts';
import { indexed, limited, newestFirst, pageOf, rowsAfter, unionOf, withOtherKeys } from './attempts.ts';
import { besideAttempts } from './beside-attempts.ts';
import { type AttemptRow, attemptColumns } from './columns.ts';
import { refusedOfLastDay } from './refused.ts';
import { signInStatuses, withSignIns } from './sign-in-statuses.ts';

/** Newest attempts of a key that are searched for other keys. A monitoring account may have a million. */
const ATTEMPTS_LOOKED_AT = 1_000;
/** One person does not have more keys, but a shared e-mail address may. Only the most recent ones are followed. */
const MAX_KEYS = 20;
const SAME_EMAIL_ATTEMPTS = 50;

/** Keys by column, most recent first. */
interface Keys {
  readonly oids: readonly string[];
  /** Keys of all identities. */
  readonly idps: readonly string[];
  readonly emails: readonly string[];
  /** `name:` keys. They find attempts and join no accounts. */
  readonly names: readonly string[];
}

export type PersonTimeline = Awaited<ReturnType<typeof findTimeline>>;

/** One page of a person's timeline, and the person's status. `now` is in milliseconds since 1970. */
export async function findTimeline(
  config: Config,
  page: PersonPage,
  now: number,
  languages: readonly string[] = DEFAULT_LANGUAGES,
) {
  const { key } = page.narrowed;
  const found = await runQuery(config, async (db, run) => {
    const { keys, truncated } = await seenTogether(db, run, key);
    const { emails, names } = ownKeys(key);
    const person = { ...keys, emails, names };
    const others = keys.emails.filter((email) => !emails.includes(email));
    // The first page begins with the attempts that determine the status: one query for both.
    const isFirst = page.after === undefined;
    const most = page.limit + 1;
    const beginning = isFirst ? Math.max(most, RECENT_ATTEMPTS) : RECENT_ATTEMPTS;
    const begin = timeline(db, run, person, undefined, beginning);
    const reading = isFirst ? begin.then((first) => first.slice(0, most)) : timeline(db, run, person, page.after, most);
    const [[newest, changes], rows, sameEmail, first, beside] = await Promise.all([
      begin.then(async (first) => {
        const recent = first.slice(0, RECENT_ATTEMPTS);
        return [recent, await lastChanges(db, run, keysThatCount(keys, lastToken(recent)))] as const;
      }),
      reading,
      sharingEmail(db, run, others, person),
      begin,
      Promise.all([begin, reading]).then(([recent, shown]) => besideAttempts(db, run, [...recent, ...shown], now)),
    ]);
    const refused = newest.length === 0 ? await refusedOfLastDay(db, run, now) : [];
    const folded = isFirst ? first : rows;
    const cut = { newer: !isFirst, older: folded.length === (isFirst ? beginning : most) };
    return { keys, person, truncated, newest, rows, sameEmail, changes, refused, beside, folded, cut };
  });
  const { keys, truncated, newest, changes, refused } = found;
  // An identity can lead to accounts that never occur with the key: an account that was deleted and created again.
  const accounts = distinct([...keys.oids, ...[...newest, ...found.rows].map(({ oidKey }) => oidKey)]);
  const keptSince = retainedMonths(new Date(now), config.RETENTION_DAYS).from;
  const [signIns, listed, matches] = await Promise.all([
    signInStatuses(config, [...newest, ...found.rows, ...found.sameEmail], now),
    pageOf(found.rows, page.limit, page.question),
    page.after === undefined ? countTimeline(config, found.person, found.rows.length, page.limit) : undefined,
  ]);
  const words = { now, signIns, languages, ...found.beside };
  const { tries, repeats } = describeTries(found.folded, found.cut, words);
  const [lastTry] = page.after === undefined ? tries : describeTries(newest, UNCUT, words).tries;
  const shown = new Set(listed.attempts.map(({ id }) => id));
  return {
    key,
    keys: distinct([key, ...accounts.slice(0, MAX_KEYS), ...keys.idps, ...keys.emails]),
    standing: statusSentence({
      newest,
      changes,
      asked: key,
      accounts,
      truncated: truncated || accounts.length > MAX_KEYS,
      keptSince,
      refused,
      signIns,
      names: found.beside.names,
      lastTry: lastTry && { details: lastTry.details, advice: lastTry.json.advice.text },
    }),
    ...(found.beside.onlyThisPerson && { onlyThisPerson: found.beside.onlyThisPerson }),
    ...(keys.names.length > 0 && { signInNames: keys.names.map(nameOf) }),
    ...listed,
    ...(matches && { matches }),
    tries: tries.map(({ json }) => json).filter(({ attempts }) => attempts.some((id) => shown.has(id))),
    attempts: withRepeats(withSignIns(listed.attempts, signIns), repeats),
    sameEmail: withSignIns(found.sameEmail.map(attemptJson), signIns),
  };
}

const UNCUT = { newer: false, older: false };

async function countTimeline(config: Config, person: Keys, rows: number, limit: number): Promise<Matches> {
  if (rows <= limit) return matchesOf(rows);
  // An attempt with two of the keys is in two of the selects.
  const found = unionOf(selects(person, undefined, COUNTED_ROWS));
  return countMatches(config, sql`(select distinct ${attempts.occurredAt}, ${attempts.id} from ${found})`);
}

/** The keys of a person. One who was never seen may have a record already: then it is the key itself. */
export async function knownKeys(db: Database, run: RunQuery, key: string): Promise<{ keys: Keys; truncated: boolean }> {
  const { keys, truncated } = await seenTogether(db, run, key);
  const or = (some: readonly string[], kind: string) => (some.length === 0 && key.startsWith(kind) ? [key] : some);
  const { oids, idps, emails } = keys;
  return { keys: { ...keys, oids: or(oids, 'oid:'), idps: or(idps, 'idp:'), emails: or(emails, 'email:') }, truncated };
}

/** What decides a person's roles: their keys, the newest attempts, and the last changes of records that can count. */
export async function rolesHistory(db: Database, run: RunQuery, key: string) {
  const { keys, truncated } = await knownKeys(db, run, key);
  const { emails, names } = ownKeys(key);
  const newest = await timeline(db, run, { ...keys, emails, names }, undefined, RECENT_ATTEMPTS);
  const token = lastToken(newest);
  const counting = keysThatCount(keys, token ?? newest.find(({ oidKey }) => oidKey !== ''));
  return { keys, truncated, newest, token, counting, changes: await lastChanges(db, run, counting) };
}

/** The keys of a person under which a record may be, the best kind first. */
export const recordKeys = ({ oids, idps, emails }: Keys): string[] => distinct([...oids, ...idps, ...emails]);

const nameOf = (key: string) => key.slice(NAME_PREFIX.length);

/** The newest attempts that a search for `key` finds by that key itself. */
export const newestWith = (db: Database, run: RunQuery, key: string, limit: number): Promise<AttemptRow[]> =>
  timeline(db, run, ownKeys(key), undefined, limit);

/** The keys that a search for `key` looks for. A digest can be a key of any kind. */
function ownKeys(key: string): Keys {
  const own = keysToSearch(key);
  const ofKind = (kind: string) => own.filter((one) => one.startsWith(kind) || one.startsWith('sha256:'));
  return { oids: ofKind('oid:'), idps: ofKind('idp:'), emails: ofKind('email:'), names: ofKind(NAME_PREFIX) };
}

const distinct = (all: readonly string[]) => [...new Set(all)].filter((one) => one !== '');

/** Keys whose records can affect this token: for each kind the token's own keys, or all known ones if it has none. */
function keysThatCount({ oids, idps, emails, names }: Keys, token: AttemptRow | undefined): Keys {
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
async function seenTogether(db: Database, run: RunQuery, key: string): Promise<{ keys: Keys; truncated: boolean }> {
  const own = ownKeys(key);
  const { oidKey, idpKey, emailKey, otherKeys } = attempts;
  const seen = await run(
    db
      .select({ oidKey, idpKey, emailKey, otherKeys })
      .from(unionOf(selects(own, undefined, ATTEMPTS_LOOKED_AT)))
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

async function timeline(
  db: Database,
  run: RunQuery,
  keys: Keys,
  after: Position | undefined,
  limit: number,
): Promise<AttemptRow[]> {
  const parts = selects(keys, after, limit);
  if (parts.length === 0) return [];
  // An attempt with two of the keys is in two of the selects.
  return run(
    db
      .selectDistinctOn([attempts.occurredAt, attempts.id], attemptColumns)
      .from(unionOf(parts))
      .orderBy(...newestFirst)
      .limit(limit),
  );
}

/** Attempts with one of these e-mail keys and none of the person's other keys, among the newest of each e-mail key. */
async function sharingEmail(
  db: Database,
  run: RunQuery,
  emails: readonly string[],
  { oids, idps }: Keys,
): Promise<AttemptRow[]> {
  if (emails.length === 0) return [];
  const names = emails.flatMap(keysToSearch).filter(isNameKey);
  return run(
    db
      .select(attemptColumns)
      .from(unionOf(selects({ oids: [], idps: [], emails, names }, undefined, ATTEMPTS_LOOKED_AT)))
      .where(
        and(
          oids.length > 0 ? notInArray(attempts.oidKey, [...oids]) : undefined,
          idps.length > 0 ? notInArray(attempts.idpKey, [...idps]) : undefined,
          idps.length > 0 ? not(arrayOverlaps(attempts.otherKeys, [...idps])) : undefined,
        ),
      )
      .orderBy(...newestFirst)
      .limit(SAME_EMAIL_ATTEMPTS),
  );
}

/** The last change of each kind of key. */
async function lastChanges(db: Database, run: RunQuery, person: Keys): Promise<RoleChanges> {
  const { oids, idps, emails } = person;
  const keys = recordKeys(person);
  if (keys.length === 0) return { oid: undefined, idp: undefined, email: undefined };
  const { occurredAt, id, changedBy, subject, after } = changes;
  const parts = keys.map(
    (key) =>
      sql`(select * from ${changes} where ${eq(subject, key)} order by ${desc(occurredAt)}, ${desc(id)} limit 1)`,
  );
  const removed = sql<boolean>`coalesce(${after}, 'null') = 'null'`;
  const newest = await run(
    db
      .select({ occurredAt, changedBy, subject, removed })
      .from(unionOf(parts, changes))
      .orderBy(desc(occurredAt), desc(id)),
  );
  const last = (some: readonly string[]): RoleChange | undefined =>
    newest.find((change) => some.includes(change.subject));
  return { oid: last(oids), idp: last(idps), email: last(emails) };
}

function selects({ oids, idps, emails, names }: Keys, after: Position | undefined, limit: number): SQL[] {
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
