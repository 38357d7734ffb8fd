/**
 * Versions of the policy in Neon, the only place that knows which one counts. The version in force is the highest `active`
 * one; the shadow is the highest of `shadow` and `no-shadow`, if that is a shadow. Rows are added and never changed. Import
 * this lazily: drizzle costs start-up time.
 */
import { desc, eq, getTableColumns, lt, type SQL, sql } from 'drizzle-orm';
import { connect, type Database } from '../../database/connect.ts';
import { changes, policyVersions as table } from '../../database/schema.ts';
import { sqlStateOf } from '../../database/sql-state.ts';
import type { Config } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { pointerTo, type Versions, type VersionsResult } from './saved-version.ts';

/** Somebody waits; a sleeping Neon needs a second or two to wake, a document of 8 MB some more. */
const LIMIT_MS = 10_000;

const { document: _, ...info } = getTableColumns(table);
/** As text: the driver would parse `json`, and members could not be given back in their order. */
const whole = { ...info, text: sql<string | null>`${table.document}::text` };

const newest = (uses: SQL) => sql`(select max(${table.number}) from ${table} where ${table.use} in (${uses}))`;
const counts = sql`${table.number} in (${newest(sql`'active'`)}, ${newest(sql`'shadow', 'no-shadow'`)})`;

const selectInForce = (db: Database) => db.select(info).from(table).where(counts);

/** Of the rows that count, those that have a document. */
function byUse<Row extends { readonly use: string }>(rows: readonly Row[]) {
  const of = (wanted: string) => rows.find(({ use }) => use === wanted);
  return { active: of('active'), shadow: of('shadow') };
}

export const versionsIn = (config: Config): Versions => ({
  /** One statement, so one moment. */
  readPresent: () =>
    asked(config, async (db) => {
      const rows = await db.select(whole).from(table).where(counts).orderBy(desc(table.number));
      return { last: rows[0]?.number ?? 0, ...byUse(rows) };
    }),

  readInForce: () => asked(config, async (db) => pointerTo(byUse(await selectInForce(db)))),

  readVersion: (number) =>
    asked(config, async (db) => (await db.select(whole).from(table).where(eq(table.number, number)))[0]),

  listVersions: (limit, before) =>
    asked(config, (db) =>
      db
        .select(info)
        .from(table)
        .where(before === undefined ? undefined : lt(table.number, before))
        .orderBy(desc(table.number))
        .limit(limit),
    ),

  /**
   * In one transaction: a version that nobody can be asked about must not be, and neither a line about a version that is
   * not. That is why a policy's change does not go through the queue as others do.
   */
  addVersion: async ({ text, ...version }, change) => {
    const added = await asked(config, async (db) => {
      const [, , rows] = await db.batch([
        db.insert(table).values({ ...version, document: text === null ? null : sql`${text}::json` }),
        db.insert(changes).values(change),
        selectInForce(db),
      ]);
      return pointerTo(byUse(rows));
    });
    return !added.ok && added.code === UNIQUE_VIOLATION ? { ok: false, reason: 'number-taken' } : added;
  },
});

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNIQUE_VIOLATION = '23505';
const UNDEFINED_TABLE = '42P01';
/** Classes in which Postgres itself gave up, perhaps while it committed: connection, operator intervention, system, internal. */
const UNCERTAIN = /^(?:08|57|58|XX)/;

/** Asks through one connection. Everything that goes wrong in `work` counts as Neon's failure: let it do nothing but ask. */
async function asked<Value>({ DATABASE_URL }: Config, work: (db: Database) => Promise<Value>): VersionsResult<Value> {
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
