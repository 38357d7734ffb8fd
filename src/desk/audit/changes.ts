/** The audit log, newest first, for `GET /admin/changes`. */
import { and, desc, eq, gte, lt, lte, type SQL, sql } from 'drizzle-orm';
import { COUNTED_ROWS, countMatches, type Matches, matchesOf } from '../../database/matches.ts';
import { runQuery } from '../../database/run-query.ts';
import { changes as table } from '../../database/schema.ts';
import type { Config } from '../../platform/config.ts';
import { writeCursor } from '../http/cursor.ts';
import type { ChangesPage } from './changes-question.ts';

/** A change (see `attempts/attempt.ts`). `occurredAt`: ISO 8601 UTC. */
export interface ChangeJson {
  readonly id: string;
  readonly occurredAt: string;
  readonly changedBy: string;
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * Returns one page of the audit log; `next` is absent on the last page. Throws DatabaseUnavailable, which
 * `databaseProblem` (http/database-unavailable.ts) handles.
 */
export async function listChanges(
  config: Config,
  page: ChangesPage,
): Promise<{ changes: ChangeJson[]; next?: string; matches?: Matches }> {
  const { subject, changedBy, from, to } = page.narrowed;
  const { after, limit } = page;
  const matching = and(
    subject === undefined ? undefined : eq(table.subject, subject),
    changedBy === undefined ? undefined : eq(table.changedBy, changedBy),
    from && gte(table.occurredAt, from),
    to && lt(table.occurredAt, to),
  );
  const rows = await runQuery(config, (db, run) =>
    run(
      db
        .select()
        .from(table)
        .where(
          and(
            matching,
            after && lte(table.occurredAt, after.occurredAt),
            after &&
              sql`(${table.occurredAt}, ${table.id}) < (${after.occurredAt.toISOString()}::timestamptz, ${after.id}::uuid)`,
          ),
        )
        .orderBy(desc(table.occurredAt), desc(table.id))
        .limit(limit + 1),
    ),
  );
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last ? await writeCursor(page.question, { ...last, from }) : undefined;
  return {
    changes: shown.map((row) => ({ ...row, occurredAt: row.occurredAt.toISOString() })),
    ...(next === undefined ? {} : { next }),
    ...(after === undefined ? { matches: await countChanges(config, matching, rows.length, limit) } : {}),
  };
}

async function countChanges(config: Config, matching: SQL | undefined, rows: number, limit: number): Promise<Matches> {
  if (rows <= limit) return matchesOf(rows);
  const order = sql`${desc(table.occurredAt)}, ${desc(table.id)}`;
  return countMatches(
    config,
    sql`(select from ${table} where ${matching ?? sql`true`} order by ${order} limit ${COUNTED_ROWS})`,
  );
}
