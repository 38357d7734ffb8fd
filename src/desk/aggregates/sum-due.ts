/** Finds the days that wait to be summed and sums them, for the schedule and for `npm run sums -- rebuild`. */
import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../database/connect.ts';
import { existingMonths, monthOf } from '../../database/partitions.ts';
import { overUntil } from './hours.ts';
import { type DirtyDay, noteSummed, startOf, sumDay } from './sum-day.ts';

export interface SummedDays {
  /** Number of days summed. */
  readonly days: number;
  /** Number of days that still wait. */
  readonly left: number;
}

export interface SumOptions {
  /** Default: every day that waits. */
  readonly maxDays?: number;
  /** Called after each day. */
  readonly onDay?: (summed: SummedDays) => void;
  /**
   * Once nothing waits, confirm that the hourly tables of an earlier version can be dropped. Only the schedule sets
   * this: where it runs, the earlier version no longer does.
   */
  readonly confirms?: boolean;
  /** Statement timeout in Postgres. */
  readonly statementLimitMs?: number;
}

interface Waiting extends DirtyDay {
  /** Earlier than the day of `summed_until`. */
  readonly late: boolean;
  /** Its attempts were dropped, so its aggregates never change again. */
  readonly final: boolean;
  /** The copy of an earlier version's hourly tables is not confirmed yet. */
  readonly copying: boolean;
}

/**
 * Sums the days with dirty hours that are over at `now`: first the days from `summed_until` on, oldest first, then late
 * ones, newest first. `open` returns a connection for each request. Rejects when Neon does; earlier days stay summed.
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

/** Records that everything before `until` is summed. */
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
    // An earlier version may drop a month between migration and upgrade. Then only its hourly tables have the counts.
    const copy = sql`select copy_hourly_sums(${start.toISOString()}::timestamptz, ${start.toISOString()}::timestamptz + interval '1 day')`;
    if (dirty.copying) await open().execute(copy);
    await open().execute(noteSummed(dirty));
  }
}
