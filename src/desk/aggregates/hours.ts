/**
 * How attempts become hourly numbers: the expressions that the sums, the rebuild and the reports' "rows since" share, so
 * that one attempt counts the same wherever it is counted.
 */

import { type SQL, sql } from 'drizzle-orm';
import { attempts } from '../../database/schema.ts';
import { HOUR_MS } from '../../platform/duration.ts';

/** An hour is over so much later: attempts of its last seconds are on their way, and summing a day again costs as much. */
const SETTLING_MS = 2 * 60_000;

/** The end of the last hour that is over at `now`: sums take hours before. */
export const overUntil = (now: Date): Date => new Date(Math.floor((now.getTime() - SETTLING_MS) / HOUR_MS) * HOUR_MS);

/** The UTC hour an attempt belongs to. Without its third argument `date_trunc` would cut in the session's time zone. */
export const hourSql: SQL<Date> = sql`date_trunc('hour', ${attempts.occurredAt}, 'UTC')`;

/** Whether an attempt shows a person: only the token step knows for certain who it is, by the directory's objectId. */
export const isPersonSql: SQL<boolean> = sql`(step = 'PreTokenIssuance' and object_id <> '')`;
