/** Counts the sign-ins of a range: whole days from the aggregates, the rest from the attempts. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { dailyFacets } from '../../../database/schema.ts';
import { countedRowsSql } from '../../aggregates/sign-ins.ts';
import type { RangeParts, Stretch } from '../parts.ts';
import type { SignInRow } from '../sign-in-summary.ts';
import { epochSecondsOf, untilSql } from './sums.ts';

export interface SignInRows {
  readonly rows: SignInRow[];
  /** End of the summed hours, in seconds since 1970. */
  readonly until: number;
}

/** `now`: starts of the ten minutes before it do not count yet. */
export async function countSignIns(
  db: Database,
  run: RunQuery,
  { days, edges, live }: RangeParts,
  now: Date,
): Promise<SignInRows> {
  const counted: SQL[] = [...edges, ...(live ? [live] : [])].map(
    (stretch) => sql`select value, 1 as attempts from ${countedRowsSql(inStretchOf(stretch), now)}`,
  );
  if (days !== undefined) {
    counted.push(sql`
      select value, attempts from ${dailyFacets} where facet = 'sign-in' and day >= ${days.from} and day < ${days.to}`);
  }
  const { rows } = await run(
    db.execute<{ until: number; counts: SignInRow[] }>(sql`
      select ${epochSecondsOf(untilSql)} as until, coalesce(json_agg(json_build_array(value, attempts)), '[]') as counts
      from (
        select value, sum(attempts)::bigint as attempts from (${sql.join(counted, sql` union all `)}) as counted group by 1
      ) as grouped`),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The database answered without a row.');
  return { rows: row.counts, until: row.until };
}

/** Literals, so that the planner can prune partitions. */
const inStretchOf = ({ from, to }: Stretch): SQL =>
  sql`called.occurred_at >= ${from.toISOString()}::timestamptz and called.occurred_at < ${to.toISOString()}::timestamptz`;
