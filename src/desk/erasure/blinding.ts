/**
 * Blinds attempts and changes of erased persons: empties the columns that hold personal data, in place. The rest of an
 * attempt stays, so that aggregates keep their counts but those of distinct people.
 */
import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import { ERASED, FAILED_CONDITION_RULE, failedConditionNote } from '../../attempts/notes.ts';
import type { Database } from '../../database/connect.ts';
import { BLINDED_COLUMNS } from '../../database/personal-data.ts';
import { attempts, changes } from '../../database/schema.ts';

/** Before the digest of what was erased: the subject of a change, a correlation id. */
const ERASED_PREFIX = 'erased:';

/** By Drizzle's type of a column. */
const EMPTY: Readonly<Record<string, SQL>> = {
  string: sql`''`,
  array: sql`'{}'`,
  json: sql`'{}'`,
  date: sql`null`,
};

/** Aggregates count the rules of these notes. What follows the rule's name goes. */
const namesOfRules = sql.raw(`array['${ERASED}'] || array(
  select format('${failedConditionNote('%s', '')}', rule)
  from unnest(notes) as note cross join lateral substring(note from '${FAILED_CONDITION_RULE}') as rule
  where rule is not null)`);

const columns: Readonly<Record<string, { readonly dataType: string }>> = getTableColumns(attempts);
const emptied = {
  ...Object.fromEntries(BLINDED_COLUMNS.map((name) => [name, EMPTY[columns[name]?.dataType ?? ''] ?? sql`''`])),
  notes: namesOfRules,
};

/**
 * The calls of a sign-in stay joined, so that its counts stay. `secret` hides the correlation id: its
 * pseudonym cannot be computed from it alone.
 */
const pseudonymOf = (secret: string): SQL => sql`case
  when ${attempts.correlationId} = '' or starts_with(${attempts.correlationId}, '${sql.raw(ERASED_PREFIX)}')
  then ${attempts.correlationId}
  else '${sql.raw(ERASED_PREFIX)}' || encode(sha256(convert_to(${secret} || ${attempts.correlationId}, 'UTF8')), 'hex') end`;

/**
 * Blinds {@link NOTED_ATTEMPTS}. Returns of each the UTC day, and the keys that it had in `users` and `accounts`. The
 * trigger on the table marks their hours as dirty. `secret` is of `pseudonymSecret`.
 */
export const blindAttempts = (db: Database, secret: string) =>
  db
    .update(attempts)
    .set({ ...emptied, correlationId: pseudonymOf(secret) })
    .from(sql`${NOTED_ATTEMPTS} as mine`)
    .where(and(eq(attempts.occurredAt, sql`mine.occurred_at`), eq(attempts.id, sql`mine.id`)))
    .returning({
      day: sql<string>`(${attempts.occurredAt} at time zone 'UTC')::date::text`,
      keys: sql<string[]>`mine.keys`,
    });

/** A setting of the transaction: the attempts that it blinds, each with its keys in `users` and `accounts`. */
const BLINDING = 'gatehouse.blinding';
const noted = (columns: string) =>
  sql.raw(`jsonb_to_recordset(current_setting('${BLINDING}')::jsonb) as noted (${columns})`);

/** First of the statements that blind the attempts that `mine` selects: keeps their ids and keys for the next ones. */
export const noteAttempts = (mine: SQL): SQL => sql`
  select set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true), set_config('${sql.raw(BLINDING)}', (
    select coalesce(jsonb_agg(jsonb_build_object('occurred_at', occurred_at, 'id', id,
      'keys', array(select key from unnest(array[oid_key, idp_key] || other_keys) as key
        where key <> '' and key not like 'name:%'))), '[]')::text
    from ${mine} as mine join ${attempts} using (occurred_at, id)), true)`;
/** What {@link noteAttempts} selected. */
const NOTED_ATTEMPTS = sql`(select * from ${noted('occurred_at timestamptz, id uuid, keys jsonb')})`;
/** The keys that they had: these persons and identities have to follow from the attempts that are left. */
export const NOTED_KEYS = sql`(
  select distinct each.key from ${noted('keys jsonb')} cross join lateral jsonb_array_elements_text(keys) as each (key))`;
/** Fails with {@link NOTED} if there are any. */
export const NONE_NOTED = sql`select 1 / (case when exists ${NOTED_KEYS} then 0 else 1 end)`;
/** SQLSTATE of a division by zero. */
export const NOTED = '22012';

/** Attributes and values that are no record may describe the person; names of roles and groups do not. */
const KEPT_OF_RECORD = ['roles', 'groups', 'applications'] as const;

const namesIn = (column: typeof changes.before | typeof changes.after): SQL => sql`
  case when jsonb_typeof(${column}) = 'object' then jsonb_strip_nulls(jsonb_build_object(${sql.raw(
    KEPT_OF_RECORD.map((name) => `'${name}', ${column.name} -> '${name}'`).join(', '),
  )})) end`;

/** Blinds the changes that `mine`, a subquery of `id` and `digest`, selects. */
export const blindChanges = (db: Database, mine: SQL) =>
  db
    .update(changes)
    .set({
      subject: sql`'${sql.raw(ERASED_PREFIX)}' || mine.digest`,
      before: namesIn(changes.before),
      after: namesIn(changes.after),
    })
    .from(sql`${mine} as mine`)
    .where(eq(changes.id, sql`mine.id`));

/** The values before and after of a change, and its subject, as {@link blindChanges} leaves them. */
export const blindChange = <
  Values extends { readonly subject: string; readonly before: unknown; readonly after: unknown },
>(
  change: Values,
  digest: string,
): Values => ({
  ...change,
  subject: ERASED_PREFIX + digest,
  before: onlyNames(change.before),
  after: onlyNames(change.after),
});

function onlyNames(record: unknown): unknown {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return null;
  return Object.fromEntries(Object.entries(record).filter(([name]) => KEPT_OF_RECORD.some((kept) => kept === name)));
}
