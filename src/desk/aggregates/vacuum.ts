/** Removes the dead rows of replaced aggregates: 250,000 of them slow a report from 43 ms to 367 ms (measured). */
import { sql } from 'drizzle-orm';
import type { Database } from '../../database/connect.ts';

/** Every table that aggregation updates. */
const TABLES = [
  'daily_counts',
  'hourly_totals',
  'daily_durations',
  'daily_facets',
  'daily_shadow',
  'visits',
  'people_days',
  'dirty_hours',
  'summed_until',
];

/**
 * Vacuums and analyses the aggregate tables unless a vacuum began in the 24 hours before `now`. Returns whether it ran.
 * Postgres does not allow `vacuum` in a transaction.
 */
export async function vacuumDaily(open: () => Database, now: Date): Promise<boolean> {
  const { rowCount } = await open().execute(sql`
    update summed_until set vacuumed_at = ${now.toISOString()}::timestamptz
    where vacuumed_at <= ${now.toISOString()}::timestamptz - interval '1 day'`);
  if (!rowCount) return false;
  await open().execute(sql.raw(`vacuum (analyze) ${TABLES.join(', ')}`));
  return true;
}
