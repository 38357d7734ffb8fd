/** Counts the distinct people of each outcome and rule, in the same way as `different-people.ts`. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { attempts, peopleDays, peopleScopes, visits } from '../../../database/schema.ts';
import { scopesSql } from '../../aggregates/visits.ts';
import { dayOf, type RangeParts, type Stretch } from '../parts.ts';
import type { Dimensions } from '../questions.ts';
import { unknownPeopleSql } from './different-people.ts';
import { epochSecondsOf, inStretch, instantSql, untilSql } from './sums.ts';

export type PeopleRow = readonly [kind: 'outcome' | 'rule', value: string, people: number];

export interface PeopleOfEach {
  /** Undefined when the range has days that have only counts. */
  readonly rows: PeopleRow[] | undefined;
  /** End of the summed hours, in seconds since 1970. */
  readonly until: number;
}

/** With an `outcome` or `rule`, only its people. `parts` are the parts of `range`. */
export async function peopleOfEach(
  db: Database,
  run: RunQuery,
  range: Stretch,
  parts: RangeParts,
  keptSince: Date,
  filters: Pick<Dimensions, 'outcome' | 'rule'>,
): Promise<PeopleOfEach> {
  const { rows } = await run(
    db.execute<{ people: PeopleRow[]; unknown: boolean; until: number }>(sql`
      select ${epochSecondsOf(untilSql)} as until, ${unknownPeopleSql(parts.days, keptSince)} as unknown,
        (select coalesce(json_agg(json_build_array(kind, value, people)), '[]') from (
          select kind, value, sum(people)::bigint as people from (${sql.join(countedSql(range, parts, filters), sql` union all `)}) as counted
          group by kind, value having sum(people) > 0 order by 3 desc limit ${MAX_SCOPES}) as people) as people`),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The database answered without a row.');
  return { rows: row.unknown ? undefined : row.people, until: row.until };
}

/** More rules than a policy has. */
const MAX_SCOPES = 1_000;

function countedSql(
  range: Stretch,
  { days, edges, live }: RangeParts,
  filters: Pick<Dimensions, 'outcome' | 'rule'>,
): SQL[] {
  const isAsked = askedSql(filters);
  const start = instantSql(range.from);
  const firstDay = dayOf(range.from);
  /** Rows of a table with a scope, each one of `people`. */
  const scoped = (table: SQL, people: SQL, condition: SQL) => sql`
    select kind, value, ${people} as people from ${peopleScopes} join ${table} as seen on seen.scope = ${peopleScopes.id}
    where ${isAsked} and ${condition} group by kind, value`;
  const visited = (condition: SQL) => scoped(sql`${visits}`, sql`count(*)`, condition);
  const counted = edges.map(({ from, to }) =>
    visited(sql`hour >= ${instantSql(from)} and hour < ${instantSql(to)} and previous < ${start}`),
  );
  if (days !== undefined) {
    const whole = { from: new Date(days.from), to: new Date(days.to) };
    counted.push(
      scoped(
        sql`${peopleDays}`,
        sql`sum(people)`,
        sql`day >= ${days.from} and day < ${days.to} and previous_day < ${firstDay}`,
      ),
    );
    if (whole.from > range.from)
      counted.push(
        visited(sql`previous > '-infinity' and previous >= ${instantSql(new Date(firstDay))} and previous < ${start}
          and hour >= ${instantSql(whole.from)} and hour < ${instantSql(whole.to)}`),
      );
  }
  if (live !== undefined)
    counted.push(sql`
      select kind, value, count(*) as people from (
        select distinct kind, value, person from ${attempts} ${scopesSql} and ${inStretch(live)} and ${isAsked}
      ) as lately
      where not exists (
        select from ${visits} join ${peopleScopes} on ${visits.scope} = ${peopleScopes.id}
        where ${peopleScopes.kind} = lately.kind and ${peopleScopes.value} = lately.value
          and ${visits.person} = lately.person and ${visits.hour} >= ${start})
      group by kind, value`);
  return counted.length === 0 ? [sql`select '' as kind, '' as value, 0 as people where false`] : counted;
}

/** `continue` has no scope. */
function askedSql({ outcome, rule }: Pick<Dimensions, 'outcome' | 'rule'>): SQL {
  if (outcome !== undefined) return sql`kind = 'outcome' and value = ${outcome}`;
  if (rule !== undefined) return sql`kind = 'rule' and value = ${rule}`;
  return sql`kind in ('outcome', 'rule')`;
}
