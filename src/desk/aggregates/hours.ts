/**
 * SQL expressions that decide in which hour and as which person an attempt counts. Aggregates, rebuild and reports
 * share them.
 */
import { type SQL, sql } from 'drizzle-orm';
import { attempts } from '../../database/schema.ts';
import { HOUR_MS, MINUTE_MS } from '../../platform/duration.ts';
import { COMPLETION_MS } from './sign-ins.ts';

/** Attempts may be in the queue this long. Each later one costs a second run. */
export const QUEUED_MS = 2 * MINUTE_MS;
/** Wait after the end of an hour: only then is it known whether its last sign-ins were completed. */
export const SETTLING_MS = COMPLETION_MS + QUEUED_MS;

/** End of the last hour that is over at `now`. Aggregates cover the hours before it. */
export const overUntil = (now: Date): Date => new Date(Math.floor((now.getTime() - SETTLING_MS) / HOUR_MS) * HOUR_MS);

/** UTC hour of an attempt. Without its third argument `date_trunc` uses the session's time zone. */
export const hourSql: SQL<Date> = sql`date_trunc('hour', ${attempts.occurredAt}, 'UTC')`;

/** Whether an attempt identifies a person. Only the token step carries the directory's objectId. */
export const isPersonSql: SQL<boolean> = sql`(step = 'PreTokenIssuance' and object_id <> '')`;
