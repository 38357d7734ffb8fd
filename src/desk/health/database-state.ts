/** The database's part of `GET /health/ready`. */
import { getTableColumns, getTableName, is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { runQuery } from '../../database/run-query.ts';
import * as schema from '../../database/schema.ts';
import type { Config } from '../../platform/config.ts';
import { SETTLING_MS } from '../aggregates/hours.ts';
import { USERS_MISSING } from '../users/missing-users.ts';

const READY_LIMIT_MS = 1_000;
const settling = sql.raw(`interval '${SETTLING_MS / 1_000} seconds'`);

const { attempts, dailyFacets, dirtyHours, refusedCalls, summedUntil } = schema;

const TABLES = JSON.stringify(
  Object.values<unknown>(schema)
    .filter((table) => is(table, PgTable))
    .map(getTableName),
);
/** Migrations only add columns, so the number of columns is enough to compare. */
const COLUMNS = Object.keys(getTableColumns(attempts)).length;

export interface Readiness {
  /** Seconds since the end of the oldest hour that was never summed; null without one. Late attempts do not count. */
  readonly oldestUnsummedSeconds: number | null;
  /** Calls of the last 24 hours with different steps in URL and body. */
  readonly differentSteps: number;
  /** Calls of the last 24 hours without a known step. */
  readonly unknownSteps: number;
  /** Calls of the last 24 hours that named an exchange that the policy does not have, by that name, shortened. */
  readonly unknownExchanges: Readonly<Record<string, number>>;
  /** Calls of today and yesterday (summed hours), by rule, whose condition failed despite the checks at saving. */
  readonly failedRules: Readonly<Record<string, number>>;
  /** Calls that were refused in the last hour, by route, reason and name: `connector wrong-credential b2c`. */
  readonly refusedCalls: Readonly<Record<string, number>>;
  /** True while people of the oldest attempts are not in `users`: until `npm run sums -- rebuild`. */
  readonly usersMissing: boolean;
  /** False when tables or columns of this version are missing: attempts wait in the queue until `npm run migrate`. */
  readonly migrated: boolean;
}

/** Runs two statements. Throws DatabaseUnavailable at the limit. The cost does not depend on the number of attempts. */
export async function readiness(config: Config, limitMs = READY_LIMIT_MS): Promise<Readiness> {
  return runQuery(
    config,
    async (db, run) => {
      // The second statement needs all tables and columns.
      const migrated = await run(db.execute<{ migrated: boolean }>(MIGRATED));
      if (!migrated.rows[0]?.migrated) {
        return NOT_MIGRATED;
      }
      const { rows } = await run(db.execute<State>(STATE));
      const [row] = rows;
      const oldest = row?.oldest ?? null;
      return {
        oldestUnsummedSeconds: oldest === null ? null : Math.round(Number(oldest)),
        differentSteps: Number(row?.different ?? 0),
        unknownSteps: Number(row?.unknown ?? 0),
        unknownExchanges: row?.exchanges ?? {},
        failedRules: row?.failed ?? {},
        refusedCalls: row?.refused ?? {},
        usersMissing: row?.missing ?? false,
        migrated: true,
      };
    },
    limitMs,
  );
}

const NOT_MIGRATED: Readiness = {
  oldestUnsummedSeconds: null,
  differentSteps: 0,
  unknownSteps: 0,
  unknownExchanges: {},
  failedRules: {},
  refusedCalls: {},
  usersMissing: false,
  migrated: false,
};

const MIGRATED = sql`
  select (select bool_and(to_regclass(name) is not null) from json_array_elements_text(${TABLES}::json) as name)
    and ${COLUMNS} <= (
    select count(*) from pg_attribute where attrelid = to_regclass('attempts') and attnum > 0 and not attisdropped
  ) as migrated`;

/** One is reason enough to look. */
const MAX_FAILED_RULES = 5;
const MAX_REFUSED_KINDS = 5;
const MAX_EXCHANGES = 5;
/** A caller chooses the names and their number. Enough to recognise a typing error. */
const MAX_EXCHANGE_CHARS = 60;
/** More are counted as this. With it, the cost has a limit. */
const MAX_UNKNOWN_CALLS = 10_000;

interface State extends Record<string, unknown> {
  readonly oldest: string | null;
  readonly different: string;
  readonly unknown: string;
  readonly exchanges: Readonly<Record<string, number>> | null;
  readonly failed: Readonly<Record<string, number>> | null;
  readonly refused: Readonly<Record<string, number>> | null;
  readonly missing: boolean;
}

/** An hour is summed a few minutes after its end, together with earlier hours that are due. */
const STATE = sql`
  with odd as materialized (
    select ${attempts.urlStep} as url_step, ${attempts.reason} as reason from ${attempts}
    where (${attempts.urlStep} <> '' or ${attempts.reason} = 'unknown-step')
      and ${attempts.occurredAt} > now() - interval '24 hours'
  )
  select (
      select extract(epoch from now() - interval '1 hour' - min(${dirtyHours.hour}))::float8 from ${dirtyHours}
      where ${dirtyHours.marks} > ${dirtyHours.summed} and ${dirtyHours.hour} < now() - interval '1 hour' - ${settling}
        and ${dirtyHours.hour} >= (select ${summedUntil.until} from ${summedUntil})
    ) as oldest,
    (select count(*) from odd where url_step <> '') as different,
    (select count(*) from odd where reason = 'unknown-step') as unknown,
    (
      select json_object_agg(name, calls) from (
        select left(step, ${MAX_EXCHANGE_CHARS}) as name, count(*) as calls from (
          select step from ${attempts} where reason = 'unknown-exchange' and reason <> '' and occurred_at > now() - interval '24 hours'
          order by occurred_at desc limit ${MAX_UNKNOWN_CALLS}
        ) as named
        group by 1 order by 2 desc, 1 limit ${MAX_EXCHANGES}
      ) as exchanges
    ) as exchanges,
    (
      select json_object_agg(value, attempts) from (
        select value, sum(attempts) as attempts from ${dailyFacets}
        where facet = 'unforeseen-rule' and day >= (now() at time zone 'UTC')::date - 1
        group by value order by attempts desc, value limit ${MAX_FAILED_RULES}
      ) as failing
    ) as failed,
    (
      select json_object_agg(kind, calls) from (
        select concat_ws(' ', route, reason, nullif(name, '')) as kind, sum(calls) as calls from ${refusedCalls}
        where occurred_at > now() - interval '1 hour'
        group by 1 order by 2 desc, 1 limit ${MAX_REFUSED_KINDS}
      ) as kinds
    ) as refused,
    ${USERS_MISSING} as missing`;
