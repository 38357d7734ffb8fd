/**
 * Counts the different people of a range without reading them. A person counts at the first visit in the range, which is the
 * one whose `previous` is earlier than the range. Whole days have such visits counted by the day of the visit before
 * (`people_days`), so that only visits at the edges and hours that are not summed yet are looked at one by one.
 */
import { and, lt, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { attempts, dailyCounts, peopleDays, peopleScopes, visits } from '../../../database/schema.ts';
import { isPersonSql } from '../../aggregates/hours.ts';
import { dayOf, type RangeParts, type Stretch } from '../parts.ts';
import { epochSecondsOf, inDays, inStretch, matching, untilSql } from './sums.ts';

export interface DifferentPeople {
  /** Undefined when the range has days of which only counts are known: those of before the upgrade to this table. */
  readonly people: number | undefined;
  /** How far the sums were, in seconds since 1970. */
  readonly until: number;
}

/**
 * At the token step, of one application when there is a `clientId`. `parts` are those of `range`; attempts before `keptSince`
 * are no longer retained.
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

const instant = (at: Date) => sql`${at.toISOString()}::timestamptz`;

function peopleSql(
  range: Stretch,
  { days, edges, live }: RangeParts,
  keptSince: Date,
  clientId: string | undefined,
): SQL {
  const scope = scopeOf(clientId);
  const start = instant(range.from);
  const firstDay = dayOf(range.from);
  const visitsIn = ({ from, to }: Stretch) => sql`
    (select count(*) from ${visits} where ${visits.scope} = ${scope} and ${visits.hour} >= ${instant(from)}
      and ${visits.hour} < ${instant(to)} and ${visits.previous} < ${start})`;
  const numbers = edges.map(visitsIn);
  if (days !== undefined) {
    const whole = { from: new Date(days.from), to: new Date(days.to) };
    numbers.push(sql`
      (select coalesce(sum(${peopleDays.people}), 0) from ${peopleDays} where ${peopleDays.scope} = ${scope}
        and ${peopleDays.day} >= ${days.from} and ${peopleDays.day} < ${days.to} and ${peopleDays.previousDay} < ${firstDay})`);
    // Who was there earlier on the day that the range begins in, and next on one of the whole days.
    if (whole.from > range.from) {
      numbers.push(sql`
        (select count(*) from ${visits} where ${visits.scope} = ${scope} and ${visits.previous} > '-infinity'
          and ${visits.previous} >= ${instant(new Date(firstDay))} and ${visits.previous} < ${start}
          and ${visits.hour} >= ${instant(whole.from)} and ${visits.hour} < ${instant(whole.to)})`);
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
  return sql`select ${sql.join([sql`0`, ...numbers], sql` + `)} as people, ${unknownSql(days, keptSince)} as unknown, ${epochSecondsOf(untilSql)} as until`;
}

/** As a literal for the planner it would need another request; the index leads to the rows all the same. */
const scopeOf = (clientId: string | undefined): SQL => sql`
  (select ${peopleScopes.id} from ${peopleScopes}
    where ${peopleScopes.kind} = ${clientId === undefined ? 'all' : 'client'} and ${peopleScopes.value} = ${clientId ?? ''})`;

/** Whether attempts of the token step are counted on a day before people were, of which no attempt is left to tell. */
const unknownSql = (days: RangeParts['days'], keptSince: Date): SQL =>
  days === undefined || days.from >= dayOf(keptSince)
    ? sql`false`
    : sql`exists (
        select from ${dailyCounts} where ${dailyCounts.dims} = 0 and ${dailyCounts.step} = 'PreTokenIssuance'
          and ${and(inDays(dailyCounts, days), lt(dailyCounts.day, dayOf(keptSince)))}
          and ${dailyCounts.day} < coalesce((
            select min(${peopleDays.day}) from ${peopleDays} where ${peopleDays.scope} = ${scopeOf(undefined)}), 'infinity'))`;
