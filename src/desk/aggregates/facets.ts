/** What `daily_facets` counts beside the dimensions: one facet at a time, so that rare questions need no set of their own. */
import { type SQL, sql } from 'drizzle-orm';
import { FAILED_CONDITION_RULE } from '../../attempts/notes.ts';

/** Names of facets as they lie in the table. */
export const FACETS = ['reason', 'caller', 'language', 'degraded', 'policy-version', 'shadow', 'failed-rule'] as const;
export type Facet = (typeof FACETS)[number];

/** Values are truncated to this, since they are a part of an index row. */
const MAX_VALUE_CHARS = 128;

/**
 * Rows `(facet, value)` of an attempt, to join laterally to `attempts`. `language` is the person's, as B2C sent it; `shadow`
 * is `differs` or `same` where the shadow policy was asked. A facet without a value has no row.
 */
export const facetsSql: SQL = sql.raw(`(
  select facet, left(value, ${MAX_VALUE_CHARS}) as value from (
    values ('reason', reason), ('caller', caller), ('language', locale), ('degraded', degraded),
      ('policy-version', case when policy_version > 0 then policy_version::text else '' end),
      ('shadow', case when shadow_version = 0 then '' when shadow_differs then 'differs' else 'same' end)
    union all
    select 'failed-rule', coalesce(substring(note from '${FAILED_CONDITION_RULE}'), '') from unnest(notes) as note
  ) as facets (facet, value)
  where value <> '')`);
