/** Finds the person that a key or a bare text leads to. Of the readings of a text, the first with an attempt counts. */

import { and, eq } from 'drizzle-orm';
import { occurredAtOf } from '../../../attempts/text-limits.ts';
import type { Database } from '../../../database/connect.ts';
import { retainedMonths } from '../../../database/partitions.ts';
import { type RunQuery, runQuery } from '../../../database/run-query.ts';
import { attempts } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { attemptJson } from '../attempt-json.ts';
import { nothingFound, RECENT_ATTEMPTS, statusSentence } from '../person-status.ts';
import type { PersonSearch } from '../questions.ts';
import { readingsOf, type TakenFor, type TextReading, wordsOf } from '../readings.ts';
import { accountsOfPerson, type PersonAccounts } from './accounts-of-person.ts';
import { indexed, newestFirst } from './attempts.ts';
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
): Promise<FoundPerson & Partial<PersonAccounts>> {
  const found = await findAttempts(config, page, now);
  if (page.after !== undefined || found.attempts.length === 0) return found;
  return { ...found, ...(await accountsOfPerson(config, found.keys)) };
}

async function findAttempts(config: Config, page: PersonSearch, now: number): Promise<FoundPerson> {
  const { key, text } = page.narrowed;
  if (key !== undefined) return findTimeline(config, { ...page, narrowed: { key } }, now);
  const { readings, nearMiss } = await readingsOf(text ?? '');
  const found = await runQuery(config, (db, run) =>
    Promise.all(readings.map(async (reading) => ({ reading, rows: await rowsOf(db, run, reading) }))),
  );
  const hit = found.find(({ rows }) => rows.length > 0);
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
  const owner = 'mark' in reading ? rows.map(bestKeyOf).find((one) => one !== '') : reading.key;
  if (owner !== undefined)
    return { ...how, ...(await findTimeline(config, { ...page, narrowed: { key: owner } }, now)) };
  // Calls without any key: they are the timeline.
  const signIns = await signInStatuses(config, rows, now);
  const standing = statusSentence({
    newest: rows,
    changes: {},
    asked: '',
    accounts: [],
    truncated: false,
    keptSince,
    signIns,
  });
  return { ...how, ...withoutPerson(''), standing, attempts: withSignIns(rows.map(attemptJson), signIns) };
}

const withoutPerson = (key: string) => ({ key, keys: key === '' ? [] : [key], attempts: [], sameEmail: [] });

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
