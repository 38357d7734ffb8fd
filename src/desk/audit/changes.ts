/** The audit log, newest first, for `GET /admin/changes`. */
import { and, desc, eq, gte, lt, lte, sql } from 'drizzle-orm';
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
): Promise<{ changes: ChangeJson[]; next?: string }> {
  const { subject, changedBy, from, to } = page.narrowed;
  const { after, limit } = page;
  const rows = await runQuery(config, (db, run) =>
    run(
      db
        .select()
        .from(table)
        .where(
          and(
            subject === undefined ? undefined : eq(table.subject, subject),
            changedBy === undefined ? undefined : eq(table.changedBy, changedBy),
            from && gte(table.occurredAt, from),
            to && lt(table.occurredAt, to),
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
  };
}
