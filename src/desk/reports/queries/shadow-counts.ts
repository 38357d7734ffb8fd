/**
 * Counts pairs of real and shadow decisions: whole days from the aggregates, the rest from the attempts. A partial
 * index contains the attempts with a shadow decision.
 */
import { and, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { attempts, dailyShadow } from '../../../database/schema.ts';
import type { RangeParts } from '../parts.ts';
import type { Dimensions } from '../questions.ts';
import type { ShadowRow } from '../shadow-report.ts';
import { epochSecondsOf, inDays, inStretch, matching, untilSql } from './sums.ts';

/** Pairs of rules and outcomes of two policies. A longer list is not readable. */
const MAX_PAIRS = 1_000;
const PAIR = 'outcome, rule, shadow_outcome, shadow_rule';

export interface ComparedRows {
  /** Most frequent first. All equal decisions are one row, with empty names. */
  readonly rows: ShadowRow[];
  /** End of the summed hours, in seconds since 1970. */
  readonly until: number;
}

export async function compared(
  db: Database,
  run: RunQuery,
  { days, edges, live }: RangeParts,
  filters: Dimensions,
): Promise<ComparedRows> {
  const counted: SQL[] = [...edges, ...(live ? [live] : [])].map(
    (stretch) => sql`
      select shadow_version as version, shadow_differs as differs, ${sql.raw(PAIR)}, 1 as attempts from ${attempts}
      where ${and(sql`${attempts.shadowVersion} > 0`, inStretch(stretch), matching(attempts, filters))}`,
  );
  if (days !== undefined) {
    counted.push(sql`
      select version, differs, ${sql.raw(PAIR)}, attempts from ${dailyShadow}
      where ${and(inDays(dailyShadow, days), matching(dailyShadow, filters))}`);
  }
  const named = sql.raw(
    PAIR.split(', ')
      .map((name) => `case when differs then ${name} else '' end as ${name}`)
      .join(', '),
  );
  const { rows } = await run(
    db.execute<{ until: number; pairs: ShadowRow[] }>(sql`
      select ${epochSecondsOf(untilSql)} as until, coalesce(json_agg(json_build_array(version, differs, ${sql.raw(PAIR)}, attempts)), '[]') as pairs
      from (
        select version, differs, ${named}, sum(attempts)::bigint as attempts from (${sql.join(counted, sql` union all `)}) as counted
        group by 1, 2, 3, 4, 5, 6 order by 7 desc limit ${MAX_PAIRS}
      ) as pairs`),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The database answered without a row.');
  return { rows: row.pairs, until: row.until };
}
