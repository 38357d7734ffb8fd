/** Calls that were refused before there was an attempt. */

import { sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { refusedCalls } from '../../../database/schema.ts';
import { DAY_MS, HOUR_MS } from '../../../platform/duration.ts';
import type { AnswerOf } from '../../http/operation.ts';
import type { refusedKindAnswer } from '../summary-answer.ts';

/** Refused calls of one kind. */
export type RefusedKind = AnswerOf<typeof refusedKindAnswer>;

/** Three routes with a few reasons and names each. */
const MAX_KINDS = 50;

/** By kind, most calls first. `from` is included, `to` is not. */
export async function refusedKinds(db: Database, run: RunQuery, from: Date, to: Date): Promise<RefusedKind[]> {
  const instant = (aggregate: string) => sql.raw(`extract(epoch from ${aggregate}(occurred_at))::float8`);
  const { rows } = await run(
    db.execute<{ route: string; reason: string; name: string; calls: string; first: number; last: number }>(sql`
      select route, reason, name, sum(calls)::text as calls, ${instant('min')} as first, ${instant('max')} as last
      from ${refusedCalls}
      where occurred_at >= ${from.toISOString()}::timestamptz and occurred_at < ${to.toISOString()}::timestamptz
      group by 1, 2, 3 order by sum(calls) desc, 1, 2, 3 limit ${sql.raw(String(MAX_KINDS))}`),
  );
  return rows.map(({ calls, first, last, ...kind }) => ({
    ...kind,
    calls: Number(calls),
    first: new Date(first * 1_000).toISOString(),
    last: new Date(last * 1_000).toISOString(),
  }));
}

/** Refusals of the 24 hours before `now` (milliseconds since 1970): a customer calls soon after the try. */
export const refusedOfLastDay = (db: Database, run: RunQuery, now: number): Promise<RefusedKind[]> =>
  refusedKinds(db, run, new Date(now - DAY_MS), new Date(now + HOUR_MS));
