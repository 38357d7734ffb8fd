/** The versions of the policy. */
import { sql } from 'drizzle-orm';
import { check, doublePrecision, integer, json, pgTable, text } from 'drizzle-orm/pg-core';
import { timestampMs } from './column-kinds.ts';

/** The use of a version: it decides, it runs as shadow, or it ends the shadow. */
export const POLICY_USES = ['active', 'shadow', 'no-shadow'] as const;

/** Every saved policy. Rows are never changed; `desk/policies/versions.ts` selects the current ones. */
export const policyVersions = pgTable(
  'policy_versions',
  {
    /** One sequence for all uses, from 1. Inserting the next number is an optimistic lock. */
    number: integer().primaryKey(),
    use: text({ enum: POLICY_USES }).notNull(),
    /** The shadow's share of the calls, above 0 and at most 1; null for the other uses. */
    sample: doublePrecision(),
    /** `json` preserves the text, including the order of members. Null when the use is `no-shadow`. */
    document: json(),
    /** Counts in the document, so that a list of versions does not read large documents. */
    rules: integer().notNull().default(0),
    lists: integer().notNull().default(0),
    messages: integer().notNull().default(0),
    /** Name of the credential that saved it. */
    author: text().notNull(),
    note: text().notNull().default(''),
    createdAt: timestampMs().notNull(),
  },
  (t) => [
    check('policy_versions_use', sql`${t.use} in ('active', 'shadow', 'no-shadow')`),
    check('policy_versions_document', sql`(${t.document} is null) = (${t.use} = 'no-shadow')`),
    check('policy_versions_sample', sql`(${t.sample} is null) = (${t.use} <> 'shadow')`),
  ],
);
