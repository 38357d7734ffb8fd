/**
 * Versions of the policy in Neon, the only place that knows which one counts. The version in force is the highest `active`
 * one; the shadow is the highest of `shadow` and `no-shadow`, if that is a shadow. Rows are added and never changed. Import
 * this lazily: drizzle costs start-up time.
 */
import { desc, eq, getTableColumns, lt, type SQL, sql } from 'drizzle-orm';
import type { Config } from '../config.ts';
import { connect, type Database } from '../database/connect.ts';
import { changes, policyVersions as table } from '../database/schema.ts';
import { errorFields, log } from '../log.ts';
import type {
  Asked,
  ChangeRow,
  Head,
  InForce,
  NewVersion,
  NumberTaken,
  Present,
  Version,
  VersionInfo,
} from './version.ts';

/** Somebody waits; a sleeping Neon needs a second or two to wake, a document of 8 MB some more. */
const LIMIT_MS = 10_000;

const { document: _, ...info } = getTableColumns(table);
/** As text: the driver would parse `json`, and members could not be given back in their order. */
const text = sql<string | null>`${table.document}::text`;
/** SHA-256 of the document, in hex: what tells a publisher whether KV holds the same without fetching it. */
const digest = sql<string | null>`encode(sha256(convert_to(${table.document}::text, 'UTF8')), 'hex')`;

const newest = (uses: SQL) => sql`(select max(${table.number}) from ${table} where ${table.use} in (${uses}))`;
const counts = sql`${table.number} in (${newest(sql`'active'`)}, ${newest(sql`'shadow', 'no-shadow'`)})`;

/** What counts now, with its documents, and the number that the next version must follow. One statement, so one moment. */
export function readPresent(config: Config): Asked<Present> {
  return asked(config, async (db) => {
    const rows: Version[] = await db
      .select({ ...info, text })
      .from(table)
      .where(counts)
      .orderBy(desc(table.number));
    return {
      last: rows[0]?.number ?? 0,
      active: rows.find(({ use }) => use === 'active'),
      shadow: rows.find(({ use }) => use === 'shadow'),
    };
  });
}

const selectInForce = (db: Database) =>
  db.select({ number: table.number, use: table.use, sample: table.sample, digest }).from(table).where(counts);

/** What KV should say; undefined before the first policy is saved. */
export function readInForce(config: Config): Asked<InForce | undefined> {
  return asked(config, async (db) => inForceOf(await selectInForce(db)));
}

function inForceOf(rows: Awaited<ReturnType<typeof selectInForce>>): InForce | undefined {
  const headOf = (wanted: string): (Head & { sample: number | null }) | undefined =>
    rows.flatMap(({ use, digest, ...row }) => (use === wanted && digest !== null ? [{ ...row, digest }] : []))[0];
  const active = headOf('active');
  if (active === undefined) return undefined;
  const shadow = headOf('shadow');
  return {
    active: { number: active.number, digest: active.digest },
    shadow: shadow && { number: shadow.number, digest: shadow.digest, sample: shadow.sample ?? 1 },
  };
}

/** One version with its document; undefined when there is none of this number. */
export function readVersion(config: Config, number: number): Asked<Version | undefined> {
  return asked(config, async (db) => {
    const [row] = await db
      .select({ ...info, text })
      .from(table)
      .where(eq(table.number, number));
    return row;
  });
}

/** Newest first, those below `before` (all when undefined), at most `limit`. */
export function listVersions(config: Config, limit: number, before: number | undefined): Asked<VersionInfo[]> {
  return asked(config, (db) =>
    db
      .select(info)
      .from(table)
      .where(before === undefined ? undefined : lt(table.number, before))
      .orderBy(desc(table.number))
      .limit(limit),
  );
}

/**
 * Adds a version and, in the same transaction, who changed what: a version that nobody can be asked about must not be, and
 * neither a line about a version that is not. That is why a policy's change does not go through the queue as others do.
 * Returns what is in force with it.
 */
export async function addVersion(
  config: Config,
  { text: document, ...version }: NewVersion,
  change: ChangeRow,
): Asked<InForce | undefined, NumberTaken> {
  const added = await asked(config, async (db) => {
    const [, , rows] = await db.batch([
      db.insert(table).values({ ...version, document: document === null ? null : sql`${document}::json` }),
      db.insert(changes).values(change),
      selectInForce(db),
    ]);
    return inForceOf(rows);
  });
  return !added.ok && added.code === UNIQUE_VIOLATION ? { ok: false, reason: 'number-taken' } : added;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNIQUE_VIOLATION = '23505';
const UNDEFINED_TABLE = '42P01';
/** Classes in which Postgres itself gave up, perhaps while it committed: connection, operator intervention, system, internal. */
const UNCERTAIN = /^(?:08|57|58|XX)/;

/** Asks through one connection. Everything that goes wrong in `work` counts as Neon's failure: let it do nothing but ask. */
async function asked<Value>({ DATABASE_URL }: Config, work: (db: Database) => Promise<Value>): Asked<Value> {
  if (DATABASE_URL === '') return { ok: false, reason: 'neon-away', code: '', uncertain: false };
  try {
    return { ok: true, value: await work(connect(DATABASE_URL, LIMIT_MS).db) };
  } catch (error) {
    const code = sqlStateOf(error);
    if (code !== UNIQUE_VIOLATION) log('policy-database-failed', errorFields(error));
    const reason = code === UNDEFINED_TABLE ? 'not-migrated' : 'neon-away';
    return { ok: false, reason, code, uncertain: code === '' || UNCERTAIN.test(code) };
  }
}

/** `''` for anything that Postgres did not say. Drizzle wraps the driver's error as its cause. */
function sqlStateOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return '';
  return typeof cause.code === 'string' && /^[0-9A-Z]{5}$/.test(cause.code) ? cause.code : '';
}
