/** Counts how the shadow's decisions compare with those that counted. The cost follows the attempts it was asked about: a partial index holds those. */
import { and, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../../database/connect.ts';
import { attempts } from '../../database/schema.ts';
import type { Range } from '../range.ts';
import type { ShadowRow } from '../shadow.ts';

/** Pairs of rules and outcomes that two policies may give: beyond so many nobody reads on. */
const MAX_PAIRS = 1_000;

/** Most frequent first. What does not differ is counted as one, with empty names. */
export async function compared(db: Database, range: Range, condition: SQL | undefined): Promise<ShadowRow[]> {
  const named = (column: PgColumn) => sql<string>`case when ${attempts.shadowDiffers} then ${column} else '' end`;
  const pair = {
    version: attempts.shadowVersion,
    differs: attempts.shadowDiffers,
    outcome: named(attempts.outcome),
    rule: named(attempts.rule),
    shadowOutcome: named(attempts.shadowOutcome),
    shadowRule: named(attempts.shadowRule),
  };
  const rows = await db
    .select({ ...pair, attempts: sql<string>`count(*)` })
    .from(attempts)
    .where(
      and(
        sql`${attempts.shadowVersion} > 0`,
        gte(attempts.occurredAt, range.from),
        lt(attempts.occurredAt, range.to),
        condition,
      ),
    )
    .groupBy(sql`1, 2, 3, 4, 5, 6`)
    .orderBy(sql`count(*) desc`)
    .limit(MAX_PAIRS);
  return rows.map(({ version, differs, outcome, rule, shadowOutcome, shadowRule, attempts: number }) => [
    version,
    differs,
    outcome,
    rule,
    shadowOutcome,
    shadowRule,
    Number(number),
  ]);
}
