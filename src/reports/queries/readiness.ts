/** What Postgres can say about whether Gatehouse does its work: for `GET /health/ready`. */
import { getTableColumns, sql } from 'drizzle-orm';
import type { Config } from '../../config.ts';
import { attempts, summingProgress } from '../../database/schema.ts';
import { ask } from './ask.ts';

const READY_LIMIT_MS = 1_000;
/** When sums have stood still for a day, looking at every attempt since would take longer than the answer may. */
const UNSUMMED_LOOKED_AT = 1_000;

/** Migrations only add: a database that has as many columns has them all. */
const COLUMNS = Object.keys(getTableColumns(attempts)).length;

export interface Readiness {
  /** Age in seconds of the oldest attempt that is in no sum yet (of the first thousand written); null when there is none. */
  readonly oldestUnsummedSeconds: number | null;
  /** The data came from another Postgres: nothing is summed until `npm run sums -- rebuild`. */
  readonly sumsStopped: boolean;
  /** Calls of the last 24 hours whose URL named another step than their body. */
  readonly differentSteps: number;
  /** Calls of the last 24 hours in which no step could be told. */
  readonly unknownSteps: number;
  /** False: tables or columns are missing that this Worker writes, so that attempts wait in the queue until `npm run migrate`. */
  readonly migrated: boolean;
}

/** One statement within 1 s; throws DatabaseUnavailable otherwise. The cost does not grow with the attempts that are kept. */
export async function readiness(config: Config): Promise<Readiness> {
  const { rows } = await ask(
    config,
    (db) =>
      db.execute<{
        oldest: string | null;
        stopped: boolean;
        different: string;
        unknown: string;
        migrated: boolean;
      }>(sql`
        with progress as materialized (
          select ${summingProgress.summedBefore} as lo,
            ${summingProgress.summedBefore} > pg_snapshot_xmax(pg_current_snapshot()) as stopped
          from ${summingProgress}
        ), unsummed as materialized (
          select ${attempts.occurredAt} as occurred_at from ${attempts}
          where ${attempts.writtenIn} >= (select lo from progress)
          order by ${attempts.writtenIn} limit ${UNSUMMED_LOOKED_AT}
        ), odd as materialized (
          select ${attempts.urlStep} as url_step, ${attempts.reason} as reason from ${attempts}
          where (${attempts.urlStep} <> '' or ${attempts.reason} = 'unknown-step')
            and ${attempts.occurredAt} > now() - interval '24 hours'
        )
        select extract(epoch from now() - (select min(occurred_at) from unsummed))::float8 as oldest,
          coalesce((select stopped from progress), true) as stopped,
          (select count(*) from odd where url_step <> '') as different,
          (select count(*) from odd where reason = 'unknown-step') as unknown,
          to_regclass('policy_versions') is not null and ${COLUMNS} <= (
            select count(*) from pg_attribute where attrelid = 'attempts'::regclass and attnum > 0 and not attisdropped
          ) as migrated`),
    READY_LIMIT_MS,
  );
  const [row] = rows;
  const oldest = row?.oldest ?? null;
  return {
    oldestUnsummedSeconds: oldest === null ? null : Math.max(0, Math.round(Number(oldest))),
    sumsStopped: row?.stopped ?? true,
    differentSteps: Number(row?.different ?? 0),
    unknownSteps: Number(row?.unknown ?? 0),
    migrated: row?.migrated ?? false,
  };
}
