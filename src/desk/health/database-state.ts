/** What Postgres can say about whether Gatehouse does its work: for `GET /health/ready`. */
import { getTableColumns, sql } from 'drizzle-orm';
import { runQuery } from '../../database/run-query.ts';
import { attempts, dailyFacets, dirtyHours, summedUntil } from '../../database/schema.ts';
import type { Config } from '../../platform/config.ts';

const READY_LIMIT_MS = 1_000;

/** Migrations only add: a database that has as many columns has them all. */
const COLUMNS = Object.keys(getTableColumns(attempts)).length;

export interface Readiness {
  /** How long ago the oldest hour ended that is over and was never summed; null when there is none. Late attempts of summed hours do not count. */
  readonly oldestUnsummedSeconds: number | null;
  /** Calls of the last 24 hours whose URL named another step than their body. */
  readonly differentSteps: number;
  /** Calls of the last 24 hours in which no step could be told. */
  readonly unknownSteps: number;
  /** Rules whose condition failed although saving never saw it fail, with their calls today and yesterday in hours that are summed. */
  readonly failedRules: Readonly<Record<string, number>>;
  /** False: tables or columns are missing that this Worker writes, so that attempts wait in the queue until `npm run migrate`. */
  readonly migrated: boolean;
}

/** Two statements within 1 s; throws DatabaseUnavailable otherwise. The cost does not grow with the attempts that are kept. */
export async function readiness(config: Config): Promise<Readiness> {
  return runQuery(
    config,
    async (db, run) => {
      // What is missing cannot be asked.
      const migrated = await run(db.execute<{ migrated: boolean }>(MIGRATED));
      if (!migrated.rows[0]?.migrated) {
        return { oldestUnsummedSeconds: null, differentSteps: 0, unknownSteps: 0, failedRules: {}, migrated: false };
      }
      const { rows } = await run(db.execute<State>(STATE));
      const [row] = rows;
      const oldest = row?.oldest ?? null;
      return {
        oldestUnsummedSeconds: oldest === null ? null : Math.round(Number(oldest)),
        differentSteps: Number(row?.different ?? 0),
        unknownSteps: Number(row?.unknown ?? 0),
        failedRules: row?.failed ?? {},
        migrated: true,
      };
    },
    READY_LIMIT_MS,
  );
}

const MIGRATED = sql`
  select to_regclass('summed_until') is not null and ${COLUMNS} <= (
    select count(*) from pg_attribute where attrelid = to_regclass('attempts') and attnum > 0 and not attisdropped
  ) as migrated`;

/** One such rule is a reason to look at the policy. */
const MAX_FAILED_RULES = 5;

interface State extends Record<string, unknown> {
  readonly oldest: string | null;
  readonly different: string;
  readonly unknown: string;
  readonly failed: Readonly<Record<string, number>> | null;
}

/** An hour is summed some minutes after its end, at once with all that were due before. */
const STATE = sql`
  with odd as materialized (
    select ${attempts.urlStep} as url_step, ${attempts.reason} as reason from ${attempts}
    where (${attempts.urlStep} <> '' or ${attempts.reason} = 'unknown-step')
      and ${attempts.occurredAt} > now() - interval '24 hours'
  )
  select (
      select extract(epoch from now() - interval '1 hour' - min(${dirtyHours.hour}))::float8 from ${dirtyHours}
      where ${dirtyHours.marks} > ${dirtyHours.summed} and ${dirtyHours.hour} < now() - interval '1 hour 2 minutes'
        and ${dirtyHours.hour} >= (select ${summedUntil.until} from ${summedUntil})
    ) as oldest,
    (select count(*) from odd where url_step <> '') as different,
    (select count(*) from odd where reason = 'unknown-step') as unknown,
    (
      select json_object_agg(value, attempts) from (
        select value, sum(attempts) as attempts from ${dailyFacets}
        where facet = 'failed-rule' and day >= (now() at time zone 'UTC')::date - 1
        group by value order by attempts desc, value limit ${MAX_FAILED_RULES}
      ) as failing
    ) as failed`;
