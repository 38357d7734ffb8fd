/** Finds the person that a key or a bare text leads to. Of the readings of a text, the first with an attempt counts. */

import { and, eq } from 'drizzle-orm';
import { occurredAtOf } from '../../../attempts/text-limits.ts';
import type { Database } from '../../../database/connect.ts';
import { retainedMonths } from '../../../database/partitions.ts';
import { type RunQuery, runQuery } from '../../../database/run-query.ts';
import { attempts } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { DEFAULT_LANGUAGES } from '../advice.ts';
import { attemptJson } from '../attempt-json.ts';
import { nothingFound } from '../nothing-found.ts';
import { RECENT_ATTEMPTS, statusSentence } from '../person-status.ts';
import type { PersonSearch } from '../questions.ts';
import { readingsOf, type TakenFor, type TextReading, wordsOf } from '../readings.ts';
import { describeTries, withRepeats } from '../try-json.ts';
import { accountsOfPerson, type PersonAccounts } from './accounts-of-person.ts';
import { indexed, newestFirst } from './attempts.ts';
import { besideAttempts } from './beside-attempts.ts';
import { type AttemptRow, attemptColumns } from './columns.ts';
import { refusedOfLastDay } from './refused.ts';
import { signInStatuses, withSignIns } from './sign-in-statuses.ts';
import { findTimeline, newestWith, type PersonTimeline } from './timeline.ts';

/** A timeline, and how the search came to it. */
export type FoundPerson = PersonTimeline & {
  readonly takenFor?: TakenFor;
  /** Ids of the attempts with the support code, correlation id or attempt id, newest first. */
  readonly matched?: string[];
  readonly nearMiss?: string;
};

/** `now` is in milliseconds since 1970. Only a first page with attempts has the user and the accounts. */
export async function findPerson(
  config: Config,
  page: PersonSearch,
  now: number,
  languages: readonly string[] = DEFAULT_LANGUAGES,
): Promise<FoundPerson & Partial<PersonAccounts>> {
  const found = await findAttempts(config, page, now, languages);
  if (page.after !== undefined || found.attempts.length === 0) return found;
  // In a terminal, what is read out comes before the long lists.
  const { tries, attempts, sameEmail, ...words } = found;
  return { ...words, ...(await accountsOfPerson(config, found.key, found.keys, now)), tries, attempts, sameEmail };
}

async function findAttempts(
  config: Config,
  page: PersonSearch,
  now: number,
  languages: readonly string[],
): Promise<FoundPerson> {
  const { key, text } = page.narrowed;
  if (key !== undefined) return findTimeline(config, { ...page, narrowed: { key } }, now, languages);
  const { readings, nearMiss, hit } = await readingWithAttempts(config, text ?? '');
  const keptSince = retainedMonths(new Date(now), config.RETENTION_DAYS).from;
  if (hit === undefined) {
    const refused = await runQuery(config, (db, run) => refusedOfLastDay(db, run, now));
    const [first] = readings;
    const own = first !== undefined && 'key' in first ? first.key : '';
    return {
      ...(first && { takenFor: first.takenFor }),
      ...(nearMiss !== undefined && { nearMiss }),
      ...withoutPerson(own),
      standing: nothingFound(readings.map(wordsOf), keptSince, refused, nearMiss),
    };
  }
  const { reading, rows } = hit;
  const how = { takenFor: reading.takenFor, ...('mark' in reading && { matched: rows.map(({ id }) => id) }) };
  const owner = ownerOf(hit);
  if (owner !== undefined)
    return { ...how, ...(await findTimeline(config, { ...page, narrowed: { key: owner } }, now, languages)) };
  // Calls without any key: they are the timeline.
  const [signIns, beside] = await Promise.all([
    signInStatuses(config, rows, now),
    runQuery(config, (db, run) => besideAttempts(db, run, rows, now)),
  ]);
  const { onlyThisPerson, names } = beside;
  const cut = { newer: false, older: rows.length === RECENT_ATTEMPTS };
  const { tries, repeats } = describeTries(rows, cut, { now, signIns, languages, ...beside });
  const [lastTry] = tries;
  const standing = statusSentence({
    newest: rows,
    changes: {},
    asked: '',
    accounts: [],
    truncated: false,
    keptSince,
    signIns,
    names,
    lastTry: lastTry && { details: lastTry.details, advice: lastTry.json.advice.text },
  });
  return {
    ...how,
    ...withoutPerson(''),
    standing,
    ...(onlyThisPerson && { onlyThisPerson }),
    tries: tries.map(({ json }) => json),
    attempts: withRepeats(withSignIns(rows.map(attemptJson), signIns), repeats),
  };
}

/** The readings of a text, and the first of them with an attempt. */
async function readingWithAttempts(config: Config, text: string) {
  const { readings, nearMiss } = await readingsOf(text);
  const found = await runQuery(config, (db, run) =>
    Promise.all(readings.map(async (reading) => ({ reading, rows: await rowsOf(db, run, reading) }))),
  );
  return { readings, nearMiss, hit: found.find(({ rows }) => rows.length > 0) };
}

/** The person key that a reading with attempts leads to; undefined when the calls name no person. */
const ownerOf = ({ reading, rows }: { readonly reading: TextReading; readonly rows: readonly AttemptRow[] }) =>
  'mark' in reading ? rows.map(bestKeyOf).find((one) => one !== '') : reading.key;

/** A person key, and what the text was taken for that led to it. */
export interface PersonOfText {
  readonly key: string;
  readonly takenFor?: TakenFor;
}

/** The person that a typed text leads to, without an attempt too; undefined when it names no person. */
export async function personOfText(config: Config, text: string): Promise<PersonOfText | undefined> {
  const { readings, hit } = await readingWithAttempts(config, text);
  if (hit !== undefined) {
    const key = ownerOf(hit);
    return key === undefined ? undefined : { key, takenFor: hit.reading.takenFor };
  }
  return readings.find((reading) => 'key' in reading);
}

const withoutPerson = (key: string) => ({ key, keys: key === '' ? [] : [key], tries: [], attempts: [], sameEmail: [] });

const bestKeyOf = ({ oidKey, idpKey, emailKey, otherKeys: [other = ''] }: AttemptRow) =>
  oidKey || idpKey || emailKey || other;

function rowsOf(db: Database, run: RunQuery, reading: TextReading): Promise<AttemptRow[]> {
  if ('key' in reading) return newestWith(db, run, reading.key, 1);
  const { takenFor, mark } = reading;
  const conditions = {
    'support code': () => indexed(attempts.supportCode, mark),
    'correlation id': () => indexed(attempts.correlationId, mark),
    'attempt id': () => and(eq(attempts.occurredAt, new Date(occurredAtOf(mark))), eq(attempts.id, mark)),
  };
  return run(
    db
      .select(attemptColumns)
      .from(attempts)
      .where(conditions[takenFor]())
      .orderBy(...newestFirst)
      .limit(RECENT_ATTEMPTS),
  );
}
