/** Lists attempts, newest first. Look-ups by person, code or correlation id use partial indexes. */
import { and, arrayOverlaps, desc, eq, getTableColumns, getTableName, lte, type SQL, Subquery, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { occurredAtOf } from '../../../attempts/text-limits.ts';
import type { Database } from '../../../database/connect.ts';
import { COUNTED_ROWS, countMatches, type Matches, matchesOf, NOT_COUNTED } from '../../../database/matches.ts';
import { type RunQuery, runQuery } from '../../../database/run-query.ts';
import { attempts } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { isNameKey, keysToSearch } from '../../../sign-in/search-keys.ts';
import { NO_ID, type Position, type Question, writeCursor } from '../../http/cursor.ts';
import { type AttemptJson, attemptJson } from '../attempt-json.ts';
import type { Stretch } from '../parts.ts';
import type { AttemptsPage, Filters } from '../questions.ts';
import { listFrom } from '../range.ts';
import { type Candidate, COUNT_LIMITS, FILE_LIMITS, LIST_LIMITS, type ListLimits, readingOf } from '../spans.ts';
import { BEGINNING, candidatesOf, END_OF_TIME, inside, newestOf } from './candidates.ts';
import { type AttemptRow, attemptColumns } from './columns.ts';
import { matching } from './sums.ts';

export const newestFirst = [desc(attempts.occurredAt), desc(attempts.id)];

/** A page of a list; `next` is absent on the last one. */
export interface AttemptList {
  readonly attempts: AttemptJson[];
  readonly next?: string;
  /** Set when the page ended early because of its limits: everything from this time on was searched. */
  readonly searchedTo?: string;
  /** How many attempts match in all; only on the first page. */
  readonly matches?: Matches;
}

/** One page. `now` is in milliseconds since 1970. */
export async function listAttempts(
  config: Config,
  { narrowed, limit, after, question }: AttemptsPage,
  now: number,
  limits: ListLimits = LIST_LIMITS,
  countLimits: ListLimits = COUNT_LIMITS,
): Promise<AttemptList> {
  const from = listFrom(narrowed, after, now);
  const asked = { narrowed, from, after, limit };
  const page = await runQuery(config, (db, run) => readPage(db, run, asked, limits));
  const listed = await pageOf(page.rows, limit, question, from, page.searchedTo);
  return after === undefined ? { ...listed, matches: await countAll(config, asked, page, countLimits) } : listed;
}

/** Counts in the stretches that may have matches, unless there are too many attempts to read. */
async function countAll(
  config: Config,
  asked: Asked,
  { rows, searchedTo, candidates }: Awaited<ReturnType<typeof readPage>>,
  limits: ListLimits,
): Promise<Matches> {
  if (searchedTo !== undefined) return NOT_COUNTED;
  if (rows.length <= asked.limit) return matchesOf(rows.length);
  const most = keyOf(asked.narrowed) === undefined ? limits.attempts : limits.rows;
  const reading = readingOf(candidates, rangeOf(asked), COUNTED_ROWS, { ...limits, attempts: most });
  const parts = sourcesOf(asked, reading.stretches).map((source) => limited(source, COUNTED_ROWS));
  const counted = await countMatches(
    config,
    sql`(select from (${sql.join(parts, sql` union all `)}) as matching limit ${COUNTED_ROWS})`,
  );
  const isWhole = reading.searchedTo === undefined || ('isMore' in counted && counted.isMore);
  return isWhole ? counted : NOT_COUNTED;
}

/** The attempt with this UUIDv7. The time in the id selects its partition. */
export async function findAttempt(config: Config, id: string): Promise<AttemptJson | undefined> {
  const at = new Date(occurredAtOf(id));
  const conditions = and(eq(attempts.occurredAt, at), eq(attempts.id, id));
  const [row] = await runQuery(config, (db, run) => newest(db, run, [where(conditions)], 1));
  return row && attemptJson(row);
}

interface Asked {
  readonly narrowed: Filters;
  readonly from: Date | undefined;
  readonly after: Position | undefined;
  readonly limit: number;
}

/** Pages of a whole list, each after a place. The candidates are queried once, so that a page is one request. */
export function pagesOf(config: Config, narrowed: Filters, from: Date | undefined, limit: number) {
  let known: Promise<Candidate[]> | undefined;
  return (after: Position | undefined) => {
    const candidates: FindCandidates = (...asked) => {
      known ??= keyOf(narrowed) === undefined ? candidatesFor(...asked) : undefined;
      return known ?? candidatesFor(...asked);
    };
    return runQuery(config, async (db, run) => {
      const { rows, searchedTo } = await readPage(db, run, { narrowed, from, after, limit }, FILE_LIMITS, candidates);
      const more = rows.length > limit || searchedTo !== undefined;
      return { attempts: rows.slice(0, limit).map(attemptJson), more, ...(rows.length > limit ? {} : { searchedTo }) };
    });
  };
}

/** Reads one row more than the page: it shows only that there is a next page. */
async function readPage(
  db: Database,
  run: RunQuery,
  asked: Asked,
  limits: ListLimits,
  find: FindCandidates = candidatesFor,
) {
  const { narrowed, limit } = asked;
  const range = rangeOf(asked);
  const most = keyOf(narrowed) === undefined ? limits.attempts : limits.rows;
  if (range.from >= range.to) return { rows: [], searchedTo: undefined, candidates: [] };
  const candidates = await find(db, run, narrowed, range, most);
  const { stretches, searchedTo } = readingOf(candidates, range, limit + 1, { ...limits, attempts: most });
  if (stretches.length === 0) return { rows: [], searchedTo, candidates };
  return { rows: await newest(db, run, sourcesOf(asked, stretches), limit + 1), searchedTo, candidates };
}

const rangeOf = ({ narrowed, from, after }: Asked): Stretch => ({
  from: from ?? BEGINNING,
  to: endOf(narrowed, after),
});

/** The `from` clauses of the matches in stretches. No row is in two of them. */
const sourcesOf = ({ narrowed, after }: Asked, stretches: readonly Stretch[]): SQL[] =>
  stretches.flatMap((one) => {
    const rest = and(othersOf(narrowed), inside(one), rowsAfter(after));
    return [where(and(keyOf(narrowed), rest)), ...namedBy(narrowed, rest)];
  });

/** End of the range, exclusive. */
function endOf({ to = END_OF_TIME }: Filters, after: Position | undefined): Date {
  if (after === undefined) return to;
  const place = after.occurredAt.getTime() + (after.id === NO_ID ? 0 : 1);
  return new Date(Math.min(to.getTime(), place));
}

type FindCandidates = (...asked: Parameters<typeof candidatesFor>) => Promise<Candidate[]>;

/** Stretches that may have matches. A key without other filters, or no filter at all, needs no query. */
async function candidatesFor(
  db: Database,
  run: RunQuery,
  filters: Filters,
  range: Stretch,
  most: number,
): Promise<Candidate[]> {
  if (othersOf(filters) === undefined) return [{ ...range, matches: 0, attempts: 0 }];
  const key = keyOf(filters);
  if (key === undefined) return candidatesOf(db, run, filters, range, most);
  return newestOf(db, run, key, range, most);
}

/** Each source is a `from` clause. No row may be in two of them. */
function newest(db: Database, run: RunQuery, sources: readonly SQL[], limit: number): Promise<AttemptRow[]> {
  const parts = sources.map((source) => limited(source, limit));
  return run(
    db
      .select(attemptColumns)
      .from(unionOf(parts))
      .orderBy(...newestFirst)
      .limit(limit),
  );
}

const where = (condition: SQL | undefined): SQL => sql`${attempts} where ${condition ?? sql`true`}`;

/** Attempts that have the e-mail as another name, and not as their e-mail claim. */
function namedBy({ email, ...filters }: Filters, rest: SQL | undefined): SQL[] {
  const names = keysToSearch(email ?? '').filter(isNameKey);
  if (names.length === 0) return [];
  return [withOtherKeys(names, and(sql`${attempts.emailKey} <> ${email}`, keyOf(filters), rest))];
}

/** `offset 0` makes the planner use the GIN index instead of a scan by time, which it expects to end early. */
export const withOtherKeys = (keys: readonly string[], rest: SQL | undefined): SQL => sql`(
  select * from ${attempts}
  where ${and(arrayOverlaps(attempts.otherKeys, [...keys]), sql`${attempts.otherKeys} <> '{}'`, rest)}
  offset 0) as ${attempts}`;

/** The newest rows of a `from` clause. */
export const limited = (from: SQL, limit: number): SQL =>
  sql`(select * from ${from} order by ${newestFirst[0]}, ${newestFirst[1]} limit ${limit})`;

/** A union with the table's own name, so that its columns can be used as usual. */
export const unionOf = (parts: readonly SQL[], table: PgTable = attempts) =>
  new Subquery(sql.join([...parts], sql` union all `), getTableColumns(table), getTableName(table));

/**
 * Drops the extra row, which shows only that there is a next page. The page after one that ended early starts before
 * `searchedTo`.
 */
export async function pageOf(
  rows: readonly AttemptRow[],
  limit: number,
  question: Question,
  from?: Date,
  searchedTo?: Date,
): Promise<AttemptList> {
  const shown = rows.slice(0, limit).map(attemptJson);
  const last = rows[limit - 1];
  if (rows.length > limit && last) return { attempts: shown, next: await writeCursor(question, { ...last, from }) };
  if (searchedTo === undefined) return { attempts: shown };
  const next = await writeCursor(question, { occurredAt: searchedTo, id: NO_ID, from });
  return { attempts: shown, next, searchedTo: searchedTo.toISOString() };
}

/** Rows after a place in a list, newest first. The first condition lets the planner prune partitions. */
export const rowsAfter = (after: Position | undefined): SQL | undefined =>
  after &&
  and(
    lte(attempts.occurredAt, after.occurredAt),
    sql`(${attempts.occurredAt}, ${attempts.id}) < (${after.occurredAt.toISOString()}::timestamptz, ${after.id}::uuid)`,
  );

/** Condition on one person, code or call, for which an index leads to few attempts. */
const keyOf = (filters: Filters): SQL | undefined =>
  and(
    indexed(attempts.oidKey, filters.objectId),
    indexed(attempts.emailKey, filters.email),
    indexed(attempts.supportCode, filters.supportCode),
    indexed(attempts.correlationId, filters.correlationId),
  );

const othersOf = (filters: Filters): SQL | undefined =>
  and(
    matching(attempts, filters),
    filters.shadow && and(sql`${attempts.shadowVersion} > 0`, eq(attempts.shadowDiffers, filters.shadow === 'differs')),
  );

/** `<> ''` is a literal, because the planner uses a partial index only if it can prove the index's condition. */
export const indexed = (column: PgColumn, value: string | undefined): SQL | undefined =>
  value === undefined ? undefined : and(eq(column, value), sql`${column} <> ''`);
