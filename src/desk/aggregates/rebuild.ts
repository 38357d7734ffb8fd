/** Marks every hour whose attempts are kept, so that each is summed again: after a restore, or whenever aggregates are in doubt. */
import { sql } from 'drizzle-orm';
import type { Database } from '../../database/connect.ts';
import { existingMonths } from '../../database/partitions.ts';
import { overUntil } from './hours.ts';

/**
 * Marks the hours of the existing months that are over at `now`, those without attempts too: rows of theirs would be wrong.
 * Reports stay right meanwhile. Aggregates of months whose attempts are gone stay as they are. Returns how many hours.
 */
export async function markAll(db: Database, now: Date): Promise<number> {
  const until = overUntil(now).toISOString();
  const months = (await existingMonths(db)).map(({ from, to }) => ({ from, to }));
  const { rowCount } = await db.execute(sql`
    insert into dirty_hours (hour, marks)
    select hour, 1 from json_to_recordset(${JSON.stringify(months)}::json) as month ("from" timestamptz, "to" timestamptz)
    cross join lateral generate_series("from", least("to", ${until}::timestamptz) - interval '1 hour', interval '1 hour') as hour
    order by hour
    on conflict (hour) do update set marks = dirty_hours.marks + 1`);
  return rowCount ?? 0;
}
