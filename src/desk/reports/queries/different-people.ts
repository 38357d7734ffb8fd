/**
 * Counts the distinct people of a range without reading them. A person counts at the first visit in the range: the one
 * whose `previous` is before the range. `people_days` has these counts for whole days, by the day of the previous
 * visit. Only visits at the edges and hours that are not summed yet are read one by one.
 */
import { and, lt, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { attempts, dailyCounts, peopleDays, peopleScopes, visits } from '../../../database/schema.ts';
import { isPersonSql } from '../../aggregates/hours.ts';
import { dayOf, type RangeParts, type Stretch } from '../parts.ts';
import { epochSecondsOf, inDays, inStretch, instantSql, matching, untilSql } from './sums.ts';

export interface DifferentPeople {
  /** Undefined when the range has days that have only counts, from before the upgrade to this table. */
  readonly people: number | undefined;
  /** End of the summed hours, in seconds since 1970. */
  readonly until: number;
}

/**
 * Counts people at the token step, with a `clientId` those of one application. `parts` are the parts of `range`;
 * attempts before `keptSince` are deleted.
 */
export async function differentPeople(
  db: Database,
  run: RunQuery,
  range: Stretch,
  parts: RangeParts,
  keptSince: Date,
  clientId: string | undefined,
): Promise<DifferentPeople> {
  const { rows } = await run(
    db.execute<{ people: string; unknown: boolean; until: number }>(peopleSql(range, parts, keptSince, clientId)),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The database answered without a row.');
  return { people: row.unknown ? undefined : Number(row.people), until: row.until };
}

function peopleSql(
  range: Stretch,
  { days, edges, live }: RangeParts,
  keptSince: Date,
  clientId: string | undefined,
): SQL {
  const scope = scopeOf(clientId);
  const start = instantSql(range.from);
  const firstDay = dayOf(range.from);
  const visitsIn = ({ from, to }: Stretch) => sql`
    (select count(*) from ${visits} where ${visits.scope} = ${scope} and ${visits.hour} >= ${instantSql(from)}
      and ${visits.hour} < ${instantSql(to)} and ${visits.previous} < ${start})`;
  const numbers = edges.map(visitsIn);
  if (days !== undefined) {
    const whole = { from: new Date(days.from), to: new Date(days.to) };
    numbers.push(sql`
      (select coalesce(sum(${peopleDays.people}), 0) from ${peopleDays} where ${peopleDays.scope} = ${scope}
        and ${peopleDays.day} >= ${days.from} and ${peopleDays.day} < ${days.to} and ${peopleDays.previousDay} < ${firstDay})`);
    // People whose previous visit was on the first day but before the range, and the next one on a whole day.
    if (whole.from > range.from) {
      numbers.push(sql`
        (select count(*) from ${visits} where ${visits.scope} = ${scope} and ${visits.previous} > '-infinity'
          and ${visits.previous} >= ${instantSql(new Date(firstDay))} and ${visits.previous} < ${start}
          and ${visits.hour} >= ${instantSql(whole.from)} and ${visits.hour} < ${instantSql(whole.to)})`);
    }
  }
  if (live !== undefined) {
    numbers.push(sql`
      (select count(*) from (
        select distinct md5(object_id)::uuid as person from ${attempts}
        where ${and(inStretch(live), isPersonSql, matching(attempts, { clientId }))}
      ) as lately
      where not exists (
        select from ${visits} where ${visits.scope} = ${scope} and ${visits.person} = lately.person and ${visits.hour} >= ${start}))`);
  }
  return sql`select ${sql.join([sql`0`, ...numbers], sql` + `)} as people, ${unknownPeopleSql(days, keptSince)} as unknown, ${epochSecondsOf(untilSql)} as until`;
}

/** A subquery: a literal would need another request, and the index works for both. */
const scopeOf = (clientId: string | undefined): SQL => sql`
  (select ${peopleScopes.id} from ${peopleScopes}
    where ${peopleScopes.kind} = ${clientId === undefined ? 'all' : 'client'} and ${peopleScopes.value} = ${clientId ?? ''})`;

/** Whether the range has a day with counts of the token step, but without attempts and people. */
export const unknownPeopleSql = (days: RangeParts['days'], keptSince: Date): SQL =>
  days === undefined || days.from >= dayOf(keptSince)
    ? sql`false`
    : sql`exists (
        select from ${dailyCounts} where ${dailyCounts.dims} = 0 and ${dailyCounts.step} = 'PreTokenIssuance'
          and ${and(inDays(dailyCounts, days), lt(dailyCounts.day, dayOf(keptSince)))}
          and ${dailyCounts.day} < coalesce((
            select min(${peopleDays.day}) from ${peopleDays} where ${peopleDays.scope} = ${scopeOf(undefined)}), 'infinity'))`;
