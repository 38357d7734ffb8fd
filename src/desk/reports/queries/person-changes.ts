/**
 * Reads the changes of a person's roles from the audit log, newest first. A union of ordered, limited selects, one for
 * each person key: each is a scan of the index on subject and time, for many changes or none.
 */
import { and, desc, eq, getTableColumns, lte, type SQL, sql } from 'drizzle-orm';
import { COUNTED_ROWS, countMatches, type Matches, matchesOf } from '../../../database/matches.ts';
import { runQuery } from '../../../database/run-query.ts';
import { changes } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { type Position, writeCursor } from '../../http/cursor.ts';
import { isSharedKey } from '../person-status.ts';
import type { PersonPage } from '../questions.ts';
import { type RoleChangeJson, roleChangeJson } from '../roles/role-change.ts';
import { unionOf } from './attempts.ts';
import type { PersonOfText } from './find-person.ts';
import { knownKeys, recordKeys } from './person-keys.ts';

export interface PersonChanges extends PersonOfText {
  /** Set when the key is of several accounts. */
  readonly note?: string;
  /** The keys whose changes are listed. */
  readonly keys: readonly string[];
  readonly changes: readonly RoleChangeJson[];
  readonly next?: string;
  readonly matches?: Matches;
}

const SHARED =
  'Several accounts have used this address or name, which identifies none of them: "key" of a change says whose it is.';

const columns = getTableColumns(changes);

/** One page. Throws DatabaseUnavailable. */
export async function personChanges(
  config: Config,
  page: Omit<PersonPage, 'narrowed'>,
  { key, takenFor }: PersonOfText,
): Promise<PersonChanges> {
  const { after, limit } = page;
  const { keys, rows } = await runQuery(config, async (db, run) => {
    const keys = recordKeys((await knownKeys(db, run, key)).keys);
    if (keys.length === 0) return { keys, rows: [] };
    const found = unionOf(selectsOf(keys, after, limit + 1), changes);
    const newest = db.select(columns).from(found).orderBy(desc(changes.occurredAt), desc(changes.id));
    return { keys, rows: await run(newest.limit(limit + 1)) };
  });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last ? await writeCursor(page.question, { ...last, from: undefined }) : undefined;
  const isShared = isSharedKey(key) && keys.filter((one) => one.startsWith('oid:')).length > 1;
  return {
    ...(takenFor && { takenFor }),
    key,
    keys,
    ...(isShared ? { note: SHARED } : {}),
    changes: shown.map(roleChangeJson),
    ...(next === undefined ? {} : { next }),
    ...(after === undefined ? { matches: await countThem(config, keys, rows.length, limit) } : {}),
  };
}

async function countThem(config: Config, keys: readonly string[], rows: number, limit: number): Promise<Matches> {
  if (rows <= limit) return matchesOf(rows);
  const parts = selectsOf(keys, undefined, COUNTED_ROWS);
  return countMatches(
    config,
    sql`(select from (${sql.join(parts, sql` union all `)}) as matching limit ${COUNTED_ROWS})`,
  );
}

const selectsOf = (keys: readonly string[], after: Position | undefined, limit: number): SQL[] =>
  keys.map((key) => {
    const { occurredAt, id, subject } = changes;
    const older =
      after &&
      and(
        lte(occurredAt, after.occurredAt),
        sql`(${occurredAt}, ${id}) < (${after.occurredAt.toISOString()}::timestamptz, ${after.id}::uuid)`,
      );
    return sql`(select * from ${changes} where ${and(eq(subject, key), older)} order by ${desc(occurredAt)}, ${desc(id)} limit ${limit})`;
  });
