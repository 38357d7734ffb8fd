/** Attributes that `daily_facets` counts besides the dimensions: one at a time, not in combination. */
import { type SQL, sql } from 'drizzle-orm';
import { FAILED_CONDITION_RULE } from '../../attempts/notes.ts';

/** Facet names as stored in the table. */
export const FACETS = [
  'reason',
  'caller',
  'credential',
  'language',
  'degraded',
  'policy-version',
  'shadow',
  'failed-rule',
  'unforeseen-rule',
  'sign-in',
] as const;
export type Facet = (typeof FACETS)[number];

/** Values are part of an index row, whose size Postgres limits. A dimension fits, also with a kind before it. */
const MAX_VALUE_CHARS = 144;

/** As stored in the column. Only Basic existed in the versions whose attempts have no kind. */
const KIND = `coalesce(nullif(caller_kind, ''), 'basic')`;
const CREDENTIAL = `case when caller = '' then '' else ${KIND} || ':' || caller end`;
/** Facet `credential` of an attempt: the kind and the name of its caller, as `basic:b2c`. */
export const credentialSql: SQL = sql.raw(`left(${CREDENTIAL}, ${MAX_VALUE_CHARS})`);
/** The same from facet `caller`, for days that a version without facet `credential` aggregated. */
export const credentialOfCaller: SQL = sql.raw(`left('basic:' || value, ${MAX_VALUE_CHARS})`);

/** The columns of `attempts` that {@link facetsSql} reads. */
export const FACET_COLUMNS = [
  'reason',
  'caller',
  'caller_kind',
  'locale',
  'degraded',
  'policy_version',
  'shadow_version',
  'shadow_differs',
  'failed_rules',
  'notes',
] as const;

/**
 * Rows `(facet, value)` of an attempt, for a lateral join to `attempts`. `language` is the person's, as B2C sent it;
 * `shadow` is `differs` or `same` if the shadow policy was evaluated; `unforeseen-rule` is a rule whose condition
 * failed without an `onError`. A facet without a value has no row. `sign-in` depends on other attempts
 * (`sign-ins.ts`), so it is not among them.
 */
export const facetsSql: SQL = sql.raw(`(
  select facet, left(value, ${MAX_VALUE_CHARS}) as value from (
    values ('reason', reason), ('caller', caller), ('credential', ${CREDENTIAL}), ('language', locale), ('degraded', degraded),
      ('policy-version', case when policy_version > 0 then policy_version::text else '' end),
      ('shadow', case when shadow_version = 0 then '' when shadow_differs then 'differs' else 'same' end)
    union all
    select 'failed-rule', name from unnest(failed_rules) as failed (name)
    union all
    select 'unforeseen-rule', coalesce(substring(note from '${FAILED_CONDITION_RULE}'), '') from unnest(notes) as note
  ) as facets (facet, value)
  where value <> '')`);
