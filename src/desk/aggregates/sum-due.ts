/** Which days wait to be summed, and summing them: what the schedule does, and `npm run sums -- rebuild` with it. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../database/connect.ts';
import { existingMonths, monthOf } from '../../database/partitions.ts';
import { overUntil } from './hours.ts';
import { type DirtyDay, noteSummed, startOf, sumDay } from './sum-day.ts';

export interface SummedDays {
  /** How many days were summed, and how many still wait. */
  readonly days: number;
  readonly left: number;
}

export interface SumOptions {
  /** At most so many days; every day unless told. */
  readonly maxDays?: number;
  /** Called after each day. */
  readonly onDay?: (summed: SummedDays) => void;
  /**
   * Confirms, when nothing waits any more, that the hourly tables of an earlier version can go. Only the schedule does: where
   * it runs, the earlier version does not.
   */
  readonly confirms?: boolean;
  /** After this Postgres ends a statement of a sum. */
  readonly statementLimitMs?: number;
}

interface Waiting extends DirtyDay {
  /** Before the days of `summed_until`. */
  readonly late: boolean;
  /** Its attempts were dropped before: the aggregates stay as they are, whatever is written now. */
  readonly final: boolean;
  /** Nothing confirms yet that what the hourly tables of an earlier version hold was copied. */
  readonly copying: boolean;
}

/**
 * Sums the days with dirty hours that are over at `now`: first the days from `summed_until` on, oldest first, then late ones,
 * newest first. `open` gives a connection for each request. Rejects when Neon does; the days before are summed.
 */
export async function sumDue(
  open: () => Database,
  now: Date,
  { maxDays = Number.POSITIVE_INFINITY, onDay, confirms = false, statementLimitMs }: SumOptions = {},
): Promise<SummedDays> {
  const until = overUntil(now);
  const waiting = await waitingDays(open(), until);
  let days = 0;
  for (const dirty of waiting.slice(0, maxDays)) {
    await sumOrKeep(open, dirty, until, statementLimitMs);
    days += 1;
    onDay?.({ days, left: waiting.length - days });
  }
  const left = waiting.length - days;
  if (left === 0) await open().execute(allSummed(until, confirms));
  return { days, left };
}

/** Everything before `until` is summed. */
const allSummed = (until: Date, confirms: boolean): SQL => sql`
  update summed_until set until = greatest(until, ${until.toISOString()}::timestamptz),
    copied_at = case when ${confirms}::boolean then coalesce(copied_at, now()) else copied_at end
  where until < ${until.toISOString()}::timestamptz or ${confirms}::boolean and copied_at is null`;

async function waitingDays(db: Database, until: Date): Promise<Waiting[]> {
  const day = sql.raw(`(hour at time zone 'UTC')::date`);
  const { rows } = await db.execute<Omit<Waiting, 'hours'> & { hours: [epochSeconds: number, marks: number][] }>(sql`
    select ${day}::text as day, json_agg(json_build_array(extract(epoch from hour), marks) order by hour) as hours,
      ${day} < (until at time zone 'UTC')::date as late, ${day} < (dropped_before at time zone 'UTC')::date as final,
      copied_at is null as copying
    from dirty_hours, summed_until where marks > summed and hour < ${until.toISOString()}::timestamptz
    group by ${day}, late, final, copying order by ${day}`);
  const days = rows.map(({ hours, ...rest }) => ({
    ...rest,
    hours: hours.map(([epochSeconds, marks]) => ({ hour: new Date(epochSeconds * 1_000), marks })),
  }));
  return [...days.filter(({ late }) => !late), ...days.filter(({ late }) => late).reverse()];
}

/** A day whose month was dropped keeps its aggregates. */
async function sumOrKeep(open: () => Database, dirty: Waiting, until: Date, statementLimitMs?: number): Promise<void> {
  if (dirty.final) return void (await open().execute(noteSummed(dirty)));
  const start = startOf(dirty.day);
  try {
    await sumDay(open(), dirty, until, statementLimitMs);
  } catch (error) {
    const { name } = monthOf(start);
    if ((await existingMonths(open())).some((month) => month.name === name)) throw error;
    // An earlier version may drop a month after the migration and before the upgrade: then only its hourly tables know it.
    const copy = sql`select copy_hourly_sums(${start.toISOString()}::timestamptz, ${start.toISOString()}::timestamptz + interval '1 day')`;
    if (dirty.copying) await open().execute(copy);
    await open().execute(noteSummed(dirty));
  }
}
