/** Columns that many tables have. Dimensions are never null (`''`), so that they can be keys of aggregates. */
import { sql } from 'drizzle-orm';
import { date, text, timestamp } from 'drizzle-orm/pg-core';

export const timestampMs = () => timestamp({ withTimezone: true, mode: 'date', precision: 3 });
export const dimension = () => text().notNull().default('');
export const texts = () => text().array().notNull().default(sql`'{}'`);

/** A day in UTC, such as `2026-11-21`. */
export const day = () => date({ mode: 'string' }).notNull();
