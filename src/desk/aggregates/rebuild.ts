/** Rebuilds aggregates from attempts, for use after a restore or when aggregates may be wrong. */
import { sql } from 'drizzle-orm';
import type { Database } from '../../database/connect.ts';
import { existingMonths } from '../../database/partitions.ts';
import { overUntil } from './hours.ts';

/**
 * Marks every hour of the existing months that is over at `now`; returns their number. Hours without attempts are
 * marked too, since they may have wrong aggregate rows. Reports stay correct meanwhile. Aggregates of dropped months do
 * not change.
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
