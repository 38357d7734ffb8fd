/** The calls of `npm run connect -- check`, newest first. */
import { and, desc, eq, gte, lt, lte, sql } from 'drizzle-orm';
import { errorInWords } from '../../../attempts/error-reasons.ts';
import { runQuery } from '../../../database/run-query.ts';
import { probes } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { writeCursor } from '../../http/cursor.ts';
import type { ProbesPage } from '../questions.ts';

/** How a probe was decided and answered. `occurredAt`: ISO 8601 UTC. */
export interface ProbeJson extends Omit<typeof probes.$inferSelect, 'occurredAt'> {
  readonly occurredAt: string;
  /** What `reason` says, and what to do; absent without a reason. */
  readonly explanation?: string;
}

/** One page; `next` is absent on the last one. Throws DatabaseUnavailable. */
export async function listProbes(
  config: Config,
  { narrowed: { run: ofRun, from, to }, after, limit, question }: ProbesPage,
): Promise<{ probes: ProbeJson[]; next?: string }> {
  const rows = await runQuery(config, (db, run) =>
    run(
      db
        .select()
        .from(probes)
        .where(
          and(
            ofRun === undefined ? undefined : eq(probes.run, ofRun),
            from && gte(probes.occurredAt, from),
            to && lt(probes.occurredAt, to),
            after && lte(probes.occurredAt, after.occurredAt),
            after &&
              sql`(${probes.occurredAt}, ${probes.id}) < (${after.occurredAt.toISOString()}::timestamptz, ${after.id}::uuid)`,
          ),
        )
        .orderBy(desc(probes.occurredAt), desc(probes.id))
        .limit(limit + 1),
    ),
  );
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last ? await writeCursor(question, { ...last, from }) : undefined;
  return { probes: shown.map(probeJson), ...(next === undefined ? {} : { next }) };
}

function probeJson({ occurredAt, ...row }: typeof probes.$inferSelect): ProbeJson {
  const error = errorInWords(row.reason);
  return {
    ...row,
    occurredAt: occurredAt.toISOString(),
    ...(error === undefined ? {} : { explanation: `The call failed: ${error.problem}. ${error.advice}.` }),
  };
}
