/**
 * Keeps `users` and `accounts` equal to what their attempts say. Merging takes the earliest and the latest times, and
 * of each value the newest, which the id of its attempt decides: an attempt that is merged twice, late or in any order
 * changes nothing more. Every transaction takes a lock of `users-lock.ts` first.
 */
import { type SQL, sql } from 'drizzle-orm';
import { accounts, attempts, users } from '../../database/schema.ts';
import { SIGN_IN_COMPLETED } from '../../sign-in/steps.ts';
import { nameWordsSql } from './name-words.ts';

const NO_ATTEMPT = sql.raw(`'00000000-0000-0000-0000-000000000000'::uuid`);
/** Whether a call let the person in. */
const isLetIn = sql.raw(`(step = 'PreTokenIssuance' and reply = 'Continue'
  or channel = 'custom-policy' and lower(step) = '${SIGN_IN_COMPLETED.toLowerCase()}' and reply <> 'Refusal')`);
/** Hexadecimal digits sort as the bytes of an id only in this collation. */
const idText = sql.raw(`id::text collate "C"`);

/** Of the rows that fulfil a condition, the id and the values of the newest, as texts. */
const newest = (values: string, condition: SQL): SQL =>
  sql`max(array[${idText}, ${sql.raw(values)}]) filter (where ${condition})`;
const present = (column: string) => sql.raw(`${column} <> ''`);

/** Sets `columns` to the values of the attempt `from`, if it is newer. */
const ifNewer = (from: string, ...columns: string[]): SQL =>
  sql.raw(
    [
      ...columns.map(
        (name) => `${name} = case when excluded.${from} > known.${from} then excluded.${name} else known.${name} end`,
      ),
      `${from} = greatest(excluded.${from}, known.${from})`,
    ].join(', '),
  );
const SEEN = sql.raw(
  'first_seen = least(excluded.first_seen, known.first_seen), last_seen = greatest(excluded.last_seen, known.last_seen)',
);

/** Merges `some`, a `from` clause of rows of `attempts`, into `users`. A row may be in it more than once. */
export const mergeUsers = (some: SQL): SQL => sql`
  insert into ${users} as known (id, oid_key, first_seen, last_seen, email, email_key, email_from,
    name, name_words, name_from, last_sign_in, client_id, roles, sign_in_from)
  select md5(oid_key)::uuid as id, oid_key, first_seen, last_seen,
    coalesce(emails[2], ''), coalesce(emails[3], ''), coalesce(emails[1]::uuid, ${NO_ATTEMPT}),
    coalesce(called[2], ''), ${nameWordsSql(sql.raw(`coalesce(called[2], '')`))}, coalesce(called[1]::uuid, ${NO_ATTEMPT}),
    let_in[2]::timestamptz, coalesce(let_in[3], ''), coalesce(let_in[4], '{}')::text[], coalesce(let_in[1]::uuid, ${NO_ATTEMPT})
  from (
    select oid_key, min(occurred_at) as first_seen, max(occurred_at) as last_seen,
      ${newest('email, email_key', present('email_key'))} as emails,
      ${newest(`kept_claims ->> 'displayName'`, present(`coalesce(kept_claims ->> 'displayName', '')`))} as called,
      ${newest('occurred_at::text, client_id, roles::text', isLetIn)} as let_in
    from ${some} where oid_key <> '' group by oid_key
  ) as seen order by 1
  on conflict (id) do update set ${SEEN}, ${ifNewer('email_from', 'email', 'email_key')},
    ${ifNewer('name_from', 'name', 'name_words')}, ${ifNewer('sign_in_from', 'last_sign_in', 'client_id', 'roles')}`;

/** Follows rows of `attempts`: joins each identity of the call. Only the first has a type, and was signed in with. */
const identitiesSql = sql.raw(`cross join lateral (
    select idp_key as key, true as is_first, issuer as own_issuer, sign_in_type as own_type where idp_key <> ''
    union all
    select other, false, '', '' from unnest(other_keys) as other where other <> '' and other not like 'name:%'
  ) as identity`);

/** The same for `accounts`. */
export const mergeAccounts = (some: SQL): SQL => sql`
  insert into ${accounts} as known (id, key, issuer, sign_in_type, sign_in_type_from, oid_key, oid_from,
    email, email_key, email_from, first_seen, last_seen, first_sign_in, last_sign_in)
  select md5(key)::uuid as id, key, case when key like 'idp:%' then split_part(key, ':', 2) else own_issuer end,
    coalesce(types[2], ''), coalesce(types[1]::uuid, ${NO_ATTEMPT}), coalesce(oids[2], ''), coalesce(oids[1]::uuid, ${NO_ATTEMPT}),
    coalesce(emails[2], ''), coalesce(emails[3], ''), coalesce(emails[1]::uuid, ${NO_ATTEMPT}),
    first_seen, last_seen, first_sign_in, last_sign_in
  from (
    select key, max(own_issuer) as own_issuer, min(occurred_at) as first_seen, max(occurred_at) as last_seen,
      ${newest('own_type', present('own_type'))} as types, ${newest('oid_key', present('oid_key'))} as oids,
      ${newest('email, email_key', present('email_key'))} as emails,
      min(occurred_at) filter (where is_first and ${isLetIn}) as first_sign_in,
      max(occurred_at) filter (where is_first and ${isLetIn}) as last_sign_in
    from ${some} ${identitiesSql} group by key
  ) as seen order by 1
  on conflict (id) do update set ${SEEN}, issuer = greatest(excluded.issuer, known.issuer),
    ${ifNewer('sign_in_type_from', 'sign_in_type')}, ${ifNewer('oid_from', 'oid_key')},
    ${ifNewer('email_from', 'email', 'email_key')},
    first_sign_in = least(excluded.first_sign_in, known.first_sign_in),
    last_sign_in = greatest(excluded.last_sign_in, known.last_sign_in)`;

/** A `from` clause of the rows of two others. */
export const eitherOf = (one: SQL, other: SQL): SQL =>
  sql`(select * from ${one} union all select * from ${other}) as attempts`;

/** A `from` clause of the attempts with these ids. */
export const attemptsWithIds = (rows: readonly { readonly id: string; readonly occurredAt: Date }[]): SQL => sql`(
  select attempts.* from jsonb_to_recordset(${JSON.stringify(rows.map(({ id, occurredAt }) => ({ id, at: occurredAt })))}::jsonb)
    as written (id uuid, at timestamptz)
  join ${attempts} on attempts.occurred_at = written.at and attempts.id = written.id) as attempts`;

/**
 * A `from` clause of the attempts with one of `keys`, a subquery of `key`; one with several keys is in it more than
 * once. `offset 0` makes the planner use the index of each key.
 */
export const attemptsWithKeys = (keys: SQL): SQL => {
  const having = (condition: string) => sql`
    select attempts.* from ${keys} as asked cross join lateral (
      select * from ${attempts} where ${sql.raw(condition)} offset 0
    ) as attempts`;
  return sql`(${having(`oid_key = asked.key and oid_key <> ''`)} union all ${having(`idp_key = asked.key and idp_key <> ''`)}
    union all ${having(`other_keys @> array[asked.key] and other_keys <> '{}'`)}) as attempts`;
};

/** Rows whose key is one of `keys`, a subquery of `key`. */
const hasIdOf = (keys: SQL): SQL => sql`id in (select md5(asked.key)::uuid from ${keys} as asked)`;
/** Rows whose key, objectId or address is one of `keys`. */
export const isUserOf = (keys: SQL): SQL => sql`(${hasIdOf(keys)} or email_key in ${keys} and email_key <> '')`;
export const isAccountOf = (keys: SQL): SQL => sql`(${isUserOf(keys)} or oid_key in ${keys} and oid_key <> '')`;

/** Deletes the rows of these keys. */
export const removeUsers = (keys: SQL): SQL => sql`delete from ${users} where ${hasIdOf(keys)}`;
export const removeAccounts = (keys: SQL): SQL => sql`delete from ${accounts} where ${hasIdOf(keys)}`;

/** Deletes the rows that name one of `keys` in any column. Returns the table and the key of each. */
export const removeNamed = (keys: SQL): SQL => sql`
  with gone_users as (delete from ${users} where ${isUserOf(keys)} returning oid_key as key),
    gone_accounts as (delete from ${accounts} where ${isAccountOf(keys)} returning key)
  select 'users' as of, key from gone_users union all select 'accounts', key from gone_accounts`;
