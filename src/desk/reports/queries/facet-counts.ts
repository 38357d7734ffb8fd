/** Counts facets: whole days from the aggregates, the rest from the attempts. */
import { and, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { attempts, dailyFacets } from '../../../database/schema.ts';
import { FACET_COLUMNS, facetsSql } from '../../aggregates/facets.ts';
import { type FacetRow, MAX_GROUPS, SUMMARY_FACETS } from '../breakdowns.ts';
import type { RangeParts, Stretch } from '../parts.ts';
import type { Dimensions } from '../questions.ts';
import { epochSecondsOf, inStretch, matching, untilSql } from './sums.ts';

export interface CountedFacets {
  /** Every facet's most frequent values, one more than a breakdown shows. */
  readonly rows: FacetRow[];
  /** End of the summed hours, in seconds since 1970. */
  readonly until: number;
}

/** With a filter by clientId, issuer or rule, `parts` must not have days. */
export async function countFacets(
  db: Database,
  run: RunQuery,
  { days, edges, live }: RangeParts,
  filters: Dimensions,
): Promise<CountedFacets> {
  const stretches = [...edges, ...(live ? [live] : [])];
  const counted =
    stretches.length === 0
      ? []
      : [sql`select facet, value, outcome, attempts from ${fromAttempts(stretches, filters)}`];
  if (days !== undefined) {
    counted.push(sql`
      select facet, value, outcome, attempts from ${dailyFacets}
      where day >= ${days.from} and day < ${days.to} and ${and(isReported, ...ofStep(filters))}`);
  }
  const { rows } = await run(
    db.execute<{ until: number; facets: FacetRow[] }>(sql`
      select ${epochSecondsOf(untilSql)} as until, coalesce(json_agg(json_build_array(facet, value, outcome, attempts)), '[]') as facets
      from (
        select *, dense_rank() over (partition by facet order by whole desc, value) as place from (
          select facet, value, outcome, sum(attempts)::bigint as attempts, sum(sum(attempts)) over (partition by facet, value) as whole
          from (${sql.join(counted, sql` union all `)}) as counted group by facet, value, outcome
        ) as grouped
      ) as ranked where place <= ${sql.raw(String(MAX_GROUPS + 1))}`),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The database answered without a row.');
  return { rows: row.facets, until: row.until };
}

const isReported = sql.raw(`facet in (${SUMMARY_FACETS.map((facet) => `'${facet}'`).join(', ')})`);

const ofStep = ({ step, outcome }: Dimensions): SQL[] => [
  ...(step === undefined ? [] : [sql`step = ${step}`]),
  ...(outcome === undefined ? [] : [sql`outcome = ${outcome}`]),
];

/** Grouped first: nearly all attempts share a few combinations, so the lateral join has few rows. */
function fromAttempts(stretches: readonly Stretch[], filters: Dimensions): SQL {
  const columns = sql.raw(['outcome', ...FACET_COLUMNS].join(', '));
  const grouped = stretches.map(
    (stretch) => sql`
      select ${columns}, count(*) as attempts from ${attempts}
      where ${and(inStretch(stretch), matching(attempts, filters))} group by ${columns}`,
  );
  return sql`(${sql.join(grouped, sql` union all `)}) as combined cross join lateral ${facetsSql} as facets where ${isReported}`;
}
