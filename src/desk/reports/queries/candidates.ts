/** Finds where a list may have matches: days with matches in the aggregates, and hours that are not summed yet. */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { attempts, dailyCounts, dailyShadow, dirtyHours, hourlyTotals, summedUntil } from '../../../database/schema.ts';
import { DAY_MS, HOUR_MS } from '../../../platform/duration.ts';
import { type Days, dayOf, type Stretch } from '../parts.ts';
import type { Dimensions, Filters } from '../questions.ts';
import type { Candidate } from '../spans.ts';
import { at, dimsOf, epochSecondsOf, inDays, matching, untilSql } from './sums.ts';

/** Every attempt is later. */
export const BEGINNING = new Date(0);
/** No attempt is later. */
export const END_OF_TIME = new Date(8.64e15);

type Narrowing = Dimensions & Pick<Filters, 'shadow'>;

interface Found {
  readonly until: number;
  readonly behind: boolean;
  readonly found: readonly (readonly [start: number, hours: number, matches: number, attempts: number])[];
}

/** Candidates within `range`, newest first. Attempts that are not summed yet are split at the newest `most`. */
export async function candidatesOf(
  db: Database,
  run: RunQuery,
  filters: Narrowing,
  range: Stretch,
  most: number,
): Promise<Candidate[]> {
  const { rows } = await run(
    db.execute<Found & Record<string, unknown>>(sql`
      select ${epochSecondsOf(untilSql)} as until, ${untilSql} < now() - ${sql.raw(BEHIND)} as behind,
        (select coalesce(json_agg(json_build_array(start, hours, matches, attempts) order by start desc), '[]')
          from (${foundSql(filters, range)}) as found) as found`),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The database answered without a row.');
  const until = at(row.until);
  const found = row.found.map(([start, hours, matches, counted]) => {
    const from = at(start);
    // The day of `until` is summed up to `until`.
    const to = new Date(Math.min(from.getTime() + hours * HOUR_MS, until.getTime()));
    return { from, to, matches, attempts: counted };
  });
  const unsummed = { from: until, to: END_OF_TIME, matches: 0 };
  const within = { from: later(until, range.from), to: range.to };
  if (!row.behind || isIndexed(filters) || within.from >= within.to) return [{ ...unsummed, attempts: 0 }, ...found];
  return [...(await newestOf(db, run, undefined, within, most)), ...found];
}

/** Sums are this far behind only when they have stopped. Then even the unsummed attempts are too many to count. */
const BEHIND = "interval '2 hours'";

const later = (one: Date, other: Date) => (one > other ? one : other);

/** Splits a stretch after the newest `most` attempts that meet a condition. The condition needs an index. */
export async function newestOf(
  db: Database,
  run: RunQuery,
  condition: SQL | undefined,
  { from, to }: Stretch,
  most: number,
): Promise<Candidate[]> {
  const { rows } = await run(
    db.execute<{ boundary: number }>(sql`
      select ${epochSecondsOf(sql`${attempts.occurredAt}`)} as boundary from ${attempts}
      where ${and(condition, inside({ from, to }))}
      order by ${attempts.occurredAt} desc, ${attempts.id} desc offset ${most - 1} limit 1`),
  );
  const [nth] = rows;
  if (nth === undefined) return [{ from, to, matches: 0, attempts: 0 }];
  return [
    { from: at(nth.boundary), to, matches: 0, attempts: most },
    { from, to: at(nth.boundary), matches: 0, attempts: most },
  ];
}

export const inside = ({ from, to }: Stretch): SQL | undefined =>
  and(
    from > BEGINNING ? gte(attempts.occurredAt, from) : undefined,
    to < END_OF_TIME ? lt(attempts.occurredAt, to) : undefined,
  );

/** Days with matches in the aggregates, oldest first, each with the number of attempts to read for them. */
export async function daysWithMatches(
  db: Database,
  run: RunQuery,
  filters: Narrowing,
  range: Stretch,
): Promise<Candidate[]> {
  const { rows } = await run(
    db.execute<{ start: number; attempts: number }>(sql`
    select start, attempts from (${foundSql(filters, range)}) as found where hours = 24 order by start`),
  );
  return rows.map(({ start, attempts }) => ({
    from: at(start),
    to: new Date(at(start).getTime() + DAY_MS),
    matches: 0,
    attempts: Number(attempts),
  }));
}

/** Whether a partial index contains exactly these attempts. */
export const isIndexed = ({ rule, outcome, shadow }: Narrowing): boolean =>
  rule !== undefined || shadow !== undefined || (outcome !== undefined && outcome !== 'continue');

/** Columns start (seconds since 1970), hours, matches, attempts. */
function foundSql(filters: Narrowing, range: Stretch): SQL {
  // Limited to years that Postgres accepts.
  const days = { from: dayOf(range.from), to: dayOf(Math.min(range.to.getTime(), LAST_DAY) + DAY_MS) };
  const matched = filters.shadow === undefined ? countedSql(filters, days) : shadowSql(filters, days);
  const readable = sql`day >= coalesce((select (${summedUntil.droppedBefore} at time zone 'UTC')::date from ${summedUntil}), '2000-01-01')`;
  return sql`
    with matched as materialized (${matched.matches} and ${readable} group by day),
    readable as materialized (${matched.attempts} and ${readable} group by day)
    select ${epochSecondsOf(sql`day::timestamp`)} as start, 24 as hours, matches, coalesce(readable.attempts, matches) as attempts
    from matched left join readable using (day)
    union all
    select ${epochSecondsOf(sql`${dirtyHours.hour}`)}, 1, 0, coalesce((
      select sum(${hourlyTotals.attempts}) from ${hourlyTotals} where ${hourlyTotals.dims} = 0 and ${hourlyTotals.hour} = ${dirtyHours.hour}), 0)::float8
    from ${dirtyHours}
    where ${and(sql`${dirtyHours.marks} > ${dirtyHours.summed}`, sql`${dirtyHours.hour} < ${untilSql}`)}
      and ${dirtyHours.hour} > ${range.from.toISOString()}::timestamptz - interval '1 hour'
      and ${dirtyHours.hour} < ${new Date(Math.min(range.to.getTime(), LAST_DAY)).toISOString()}::timestamptz
      and not exists (select from matched where day = (${dirtyHours.hour} at time zone 'UTC')::date)`;
}
const LAST_DAY = Date.UTC(2199, 11, 31);

/** The attempts to read are those in the partial index of the rule or outcome, else all. */
function countedSql({ step, outcome, clientId, issuer, rule }: Narrowing, days: Days) {
  const filters = { step, outcome, clientId, issuer, rule };
  const indexed = { rule, outcome: rule === undefined && outcome !== 'continue' ? outcome : undefined } as Dimensions;
  const select = (name: string, by: Dimensions) => sql`
    select day, sum(attempts)::float8 as ${sql.raw(name)} from ${dailyCounts}
    where ${and(eq(dailyCounts.dims, dimsOf(by)), inDays(dailyCounts, days), matching(dailyCounts, by))}`;
  return { matches: select('matches', filters), attempts: select('attempts', indexed) };
}

function shadowSql({ shadow, step, outcome, clientId, issuer, rule }: Narrowing, days: Days) {
  const filters = { step, outcome, clientId, issuer, rule };
  const select = (name: string, condition: SQL | undefined) => sql`
    select day, sum(attempts)::float8 as ${sql.raw(name)} from ${dailyShadow}
    where ${and(sql`${dailyShadow.version} > 0`, inDays(dailyShadow, days), condition)}`;
  const differs = eq(dailyShadow.differs, shadow === 'differs');
  return {
    matches: select('matches', and(differs, matching(dailyShadow, filters))),
    attempts: select('attempts', undefined),
  };
}
