/**
 * The versions of the policy in Neon, the source of truth. The version in force is the highest `active` one. The shadow
 * is the highest `shadow` or `no-shadow` one, unless that is `no-shadow`. Rows never change. Import this file lazily:
 * drizzle costs start-up time.
 */
import { and, desc, eq, getTableColumns, lt, type SQL, sql } from 'drizzle-orm';
import { connect, type Database } from '../../database/connect.ts';
import { changes, policyVersions as table } from '../../database/schema.ts';
import { sqlStateOf } from '../../database/sql-state.ts';
import type { Config } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { policyPointer, type Versions, type VersionsResult } from './saved-version.ts';

/** A suspended Neon takes 1 to 2 s to wake, and a document of 8 MB takes longer. The caller waits meanwhile. */
const LIMIT_MS = 10_000;

const { document: _, ...info } = getTableColumns(table);
/** Read as text, because the driver parses `json` and loses the order of members. */
const whole = { ...info, text: sql<string | null>`${table.document}::text` };

/** `active` versions follow each other, and so do those that begin or end a shadow. */
const until = sql<Date | null>`(
  select next.created_at from policy_versions as next
  where next.number > policy_versions.number and (next.use = 'active') = (policy_versions.use = 'active')
  order by next.number limit 1)`.mapWith(table.createdAt);

const newest = (uses: SQL) => sql`(select max(${table.number}) from ${table} where ${table.use} in (${uses}))`;
const counts = sql`${table.number} in (${newest(sql`'active'`)}, ${newest(sql`'shadow', 'no-shadow'`)})`;

const selectInForce = (db: Database) => db.select(info).from(table).where(counts);

/** The current rows with a document. */
function byUse<Row extends { readonly use: string }>(rows: readonly Row[]) {
  const of = (wanted: string) => rows.find(({ use }) => use === wanted);
  return { active: of('active'), shadow: of('shadow') };
}

export const versionsIn = (config: Config): Versions => ({
  /** One statement, so both versions are of the same moment. */
  readPresent: () =>
    attempt(config, async (db) => {
      const rows = await db.select(whole).from(table).where(counts).orderBy(desc(table.number));
      return { last: rows[0]?.number ?? 0, ...byUse(rows) };
    }),

  readInForce: () => attempt(config, async (db) => policyPointer(byUse(await selectInForce(db)))),

  readVersion: (number) =>
    attempt(
      config,
      async (db) =>
        (
          await db
            .select({ ...whole, until })
            .from(table)
            .where(eq(table.number, number))
        )[0],
    ),

  readDeciding: (before) =>
    attempt(config, async (db) => {
      const isActive = and(eq(table.use, 'active'), before === undefined ? undefined : lt(table.number, before));
      const newestFirst = db
        .select({ ...whole, until })
        .from(table)
        .where(isActive)
        .orderBy(desc(table.number));
      return (await newestFirst.limit(1))[0];
    }),

  listVersions: (limit, before) =>
    attempt(config, (db) =>
      db
        .select({ ...info, until })
        .from(table)
        .where(before === undefined ? undefined : lt(table.number, before))
        .orderBy(desc(table.number))
        .limit(limit),
    ),

  /** One transaction, not the queue: neither the version nor its audit row can exist without the other. */
  addVersion: async ({ text, ...version }, change) => {
    const added = await attempt(config, async (db) => {
      const [, , rows] = await db.batch([
        db.insert(table).values({ ...version, document: text === null ? null : sql`${text}::json` }),
        db.insert(changes).values(change),
        selectInForce(db),
      ]);
      return policyPointer(byUse(rows));
    });
    return !added.ok && added.code === UNIQUE_VIOLATION ? { ok: false, reason: 'number-taken' } : added;
  },
});

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNIQUE_VIOLATION = '23505';
const UNDEFINED_TABLE = '42P01';
/** Error classes that can interrupt a commit: connection, operator intervention, system, internal. */
const UNCERTAIN = /^(?:08|57|58|XX)/;

/** Runs `work` on one connection. Every error in it counts as a failure of Neon, so it must contain only queries. */
async function attempt<Value>({ DATABASE_URL }: Config, work: (db: Database) => Promise<Value>): VersionsResult<Value> {
  if (DATABASE_URL === '') return { ok: false, reason: 'database-unavailable', code: '', uncertain: false };
  try {
    return { ok: true, value: await work(connect(DATABASE_URL, LIMIT_MS).db) };
  } catch (error) {
    const code = sqlStateOf(error);
    if (code !== UNIQUE_VIOLATION) log('policy-database-failed', errorFields(error));
    const reason = code === UNDEFINED_TABLE ? 'database-not-migrated' : 'database-unavailable';
    return { ok: false, reason, code, uncertain: code === '' || UNCERTAIN.test(code) };
  }
}
