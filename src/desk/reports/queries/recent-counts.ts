/** Counts of the last hours that no aggregate has: by minute, and percentiles by hour. Read from the attempts. */
import { and, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { attempts } from '../../../database/schema.ts';
import { bucketSql } from '../../aggregates/buckets.ts';
import { hourSql } from '../../aggregates/hours.ts';
import type { Stretch } from '../parts.ts';
import type { Dimensions } from '../questions.ts';
import { type TimedRow, timedSql } from './percentiles.ts';
import { epochSecondsOf, inStretch, matching } from './sums.ts';

export type MinuteRow = readonly [start: number, outcome: string, attempts: number];

/** Minutes with attempts, oldest first. */
export async function minutesIn(
  db: Database,
  run: RunQuery,
  stretch: Stretch,
  filters: Dimensions,
): Promise<MinuteRow[]> {
  const { rows } = await run(
    db.execute<{ minutes: MinuteRow[] }>(sql`
      select coalesce(json_agg(json_build_array(${epochSecondsOf(sql`minute`)}, outcome, attempts) order by minute), '[]') as minutes
      from (
        select date_trunc('minute', ${attempts.occurredAt}, 'UTC') as minute, outcome, count(*) as attempts from ${attempts}
        where ${and(inStretch(stretch), matching(attempts, filters))} group by 1, 2
      ) as counted`),
  );
  return rows[0]?.minutes ?? [];
}

export async function hourlyDurations(
  db: Database,
  run: RunQuery,
  stretch: Stretch,
  filters: Dimensions,
): Promise<TimedRow[]> {
  const counted = sql`
    select ${hourSql} as start, ${bucketSql()} as bucket, count(*) as attempts from ${attempts}
    where ${and(inStretch(stretch), matching(attempts, filters))} group by 1, 2`;
  const { rows } = await run(db.execute<{ timed: TimedRow[] }>(sql`select ${timedSql(counted)} as timed`));
  return rows[0]?.timed ?? [];
}
