/**
 * How attempts become hourly numbers: the expressions that the sums, the rebuild and the reports' "rows since" share, so
 * that one attempt counts the same wherever it is counted.
 */
import { type SQL, sql } from 'drizzle-orm';
import { attempts } from '../database/schema.ts';

/** What sums are kept by, besides the hour: columns of `attempts`, `hourly_counts` and `hourly_durations` alike. */
export const DIMENSIONS = ['channel', 'step', 'outcome', 'rule', 'client_id', 'issuer'] as const;

/** {@link DIMENSIONS} as a list of column names. */
export const dimensionsSql: SQL = sql.raw(DIMENSIONS.join(', '));

/** The UTC hour an attempt belongs to. Without its third argument `date_trunc` would cut in the session's time zone. */
export const hourSql: SQL<Date> = sql`date_trunc('hour', ${attempts.occurredAt}, 'UTC')`;

/** Whether an attempt shows a person: only the token step knows for certain who it is, by the directory's objectId. */
export const isPersonSql: SQL<boolean> = sql`(step = 'PreTokenIssuance' and object_id <> '')`;
