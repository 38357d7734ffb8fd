/**
 * Reads a person's attempts, and what they say of the person. Every query is a union of ordered, limited selects
 * (`person-keys.ts`).
 */
import { and, arrayOverlaps, desc, eq, not, notInArray, sql } from 'drizzle-orm';
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
import { newestFirst, pageOf, unionOf } from './attempts.ts';
import { besideAttempts } from './beside-attempts.ts';
import { type AttemptRow, attemptColumns } from './columns.ts';
import {
  ATTEMPTS_LOOKED_AT,
  distinct,
  type Keys,
  keysThatCount,
  knownKeys,
  MAX_KEYS,
  ownKeys,
  recordKeys,
  seenTogether,
  selectsOf,
} from './person-keys.ts';
import { refusedOfLastDay } from './refused.ts';
import { signInStatuses, withSignIns } from './sign-in-statuses.ts';

const SAME_EMAIL_ATTEMPTS = 50;

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
  const found = unionOf(selectsOf(person, undefined, COUNTED_ROWS));
  return countMatches(config, sql`(select distinct ${attempts.occurredAt}, ${attempts.id} from ${found})`);
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

const nameOf = (key: string) => key.slice(NAME_PREFIX.length);

/** The newest attempts that a search for `key` finds by that key itself. */
export const newestWith = (db: Database, run: RunQuery, key: string, limit: number): Promise<AttemptRow[]> =>
  timeline(db, run, ownKeys(key), undefined, limit);

async function timeline(
  db: Database,
  run: RunQuery,
  keys: Keys,
  after: Position | undefined,
  limit: number,
): Promise<AttemptRow[]> {
  const parts = selectsOf(keys, after, limit);
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
      .from(unionOf(selectsOf({ oids: [], idps: [], emails, names }, undefined, ATTEMPTS_LOOKED_AT)))
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
