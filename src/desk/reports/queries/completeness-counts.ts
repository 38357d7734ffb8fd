/**
 * Counts the stored attempts of each hour, and the numbers that are missing between them. It reads the attempts of the
 * range and of the day before: an isolate that answers calls is hardly ever silent for a day. An index on the isolate
 * would make every insert slower.
 */
import { type SQL, sql } from 'drizzle-orm';
import { occurredAtOf } from '../../../attempts/text-limits.ts';
import { retainedMonths } from '../../../database/partitions.ts';
import { runQuery } from '../../../database/run-query.ts';
import { attempts, refusedCalls } from '../../../database/schema.ts';
import type { Config } from '../../../platform/config.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../platform/duration.ts';
import { type KvResult, withKvTimeout } from '../../../platform/kv.ts';
import { type DeadLetter, listDeadLetters } from '../../consume/dead-letters.ts';
import type { DeskEnv } from '../../env.ts';
import { type CompletenessCounts, type Letters, unsureSince } from '../completeness.ts';
import type { Stretch } from '../parts.ts';
import { waitingMessages } from '../waiting-messages.ts';
import { inStretch, instantSql, progress } from './sums.ts';

/** How long before the range an isolate's number before is looked for. */
const LOOK_BACK_MS = DAY_MS;
/** A call takes its number after its caller is authenticated, so a later number may belong to an earlier time. */
const NUMBERED_WITHIN_MS = MINUTE_MS;
/** KV lists 1,000 at once, in tens of milliseconds. */
const LETTERS_A_PAGE = 1_000;
const MAX_PAGES = 5;
const KV_LIMIT_MS = 3_000;

/** `asked` is whole hours; `now` is in milliseconds since 1970. Throws DatabaseUnavailable. */
export async function completenessCounts(
  env: DeskEnv,
  config: Config,
  asked: Stretch,
  now: number,
): Promise<CompletenessCounts> {
  // In the direction in which a message moves, so that none is between two of them: queue, dead letter or row.
  const waiting = await waitingMessages(env);
  const letters = lettersIn(await withKvTimeout(() => allLetters(env.GATEHOUSE), KV_LIMIT_MS));
  return countHours(config, { asked, waiting, letters }, now);
}

/** What the database says beside what the queues and KV said. Throws DatabaseUnavailable. */
export function countHours(
  config: Config,
  { asked, waiting, letters }: Pick<CompletenessCounts, 'asked' | 'waiting' | 'letters'>,
  now: number,
): Promise<CompletenessCounts> {
  const unsure = unsureSince(waiting, now);
  return runQuery(config, async (db, run) => {
    const { until, droppedBefore } = await progress(db, run);
    const keptSince = later(droppedBefore, retainedMonths(new Date(now), config.RETENTION_DAYS).from);
    const range = { from: later(asked.from, keptSince), to: asked.to };
    if (range.from >= range.to) return { ...NOTHING, asked, range: undefined, keptSince, until, waiting, letters };
    const { rows } = await run(db.execute<Counted>(countsSql(range, keptSince, letters.all, unsure)));
    const [row] = rows;
    if (row === undefined) throw new Error('The counts answered without a row.');
    const inHours = (hours: Counted['stored']) => new Map(hours.map(([hour, ...counts]) => [hour * HOUR_MS, counts]));
    return {
      stored: inHours(row.stored),
      missing: inHours(row.missing),
      refused: inHours(row.refused),
      undecided: Number(row.undecided),
      asked,
      range,
      keptSince,
      until,
      waiting,
      letters,
    };
  });
}

const NOTHING = { stored: new Map(), missing: new Map(), refused: new Map(), undecided: 0 } as const;

/** Hours since 1970, with counts. */
interface Counted extends Record<string, unknown> {
  readonly stored: readonly (readonly [hour: number, ...counts: number[]])[];
  readonly missing: Counted['stored'];
  readonly refused: Counted['stored'];
  readonly undecided: string;
}

const later = (one: Date, other: Date) => (one > other ? one : other);

async function allLetters(kv: KVNamespace): Promise<{ letters: DeadLetter[]; isWhole: boolean }> {
  const all: DeadLetter[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { letters, next } = await listDeadLetters(kv, LETTERS_A_PAGE, cursor);
    all.push(...letters);
    cursor = next;
    if (next === undefined) return { letters: all, isWhole: true };
  }
  return { letters: all, isWhole: false };
}

/** Dead letters by the time of their event, else by the time at which they became one. */
function lettersIn(listed: KvResult<Awaited<ReturnType<typeof allLetters>>>): Letters {
  if (!listed.ok) return { all: [], known: 'none' };
  const { letters, isWhole } = listed.value;
  const all = letters.map(({ id, diedAt, isolate, sequence }) => {
    const time = UUIDV7.test(id) ? occurredAtOf(id) : Date.parse(diedAt);
    return { at: Number.isNaN(time) ? 0 : time, isolate, sequence };
  });
  return { all, known: isWhole ? 'all' : 'some' };
}
const UUIDV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7/i;

/** The smallest UUIDv7 of a time: UUIDs of one version 7 are in the order of their times. */
function firstIdAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

const hourOf = sql.raw(`floor(date_part('epoch', occurred_at) / ${HOUR_MS / 1_000})::bigint`);

/**
 * A missing number is counted in the hour of the isolate's next number that is stored or a dead letter. The numbers
 * before the first one are missing when the isolate began after everything that is read, and unknown otherwise. They
 * are `hidden` when attempts without numbers are stored between the two: a version without numbers may have written the
 * missing ones.
 */
function countsSql(range: Stretch, keptSince: Date, letters: Letters['all'], unsure: Date | undefined): SQL {
  const start = later(new Date(range.from.getTime() - LOOK_BACK_MS), keptSince);
  const read = { from: start, to: new Date(range.to.getTime() + NUMBERED_WITHIN_MS) };
  const isRead = ({ at: time }: Letters['all'][number]) => time >= read.from.getTime() && time < read.to.getTime();
  const dead = letters.filter(isRead).filter(({ isolate }) => isolate !== undefined);
  const inRange = sql`occurred_at >= ${instantSql(range.from)} and occurred_at < ${instantSql(range.to)}`;
  const within = sql.raw(`interval '${NUMBERED_WITHIN_MS / 1_000} seconds'`);
  const began = firstIdAt(start.getTime() + NUMBERED_WITHIN_MS);
  return sql`
    with numbered as materialized (
      select isolate, sequence, occurred_at, true as is_stored from ${attempts} where ${inStretch(read)}
      union all
      select isolate, sequence, to_timestamp(at / 1000.0), false
      from jsonb_to_recordset(${JSON.stringify(dead)}::jsonb) as letter (isolate uuid, sequence integer, at float8)
    ), followed as (
      select isolate, sequence, occurred_at, lag(sequence) over each as before, lag(occurred_at) over each as since
      from numbered where isolate is not null window each as (partition by isolate order by sequence)
    ), unnumbered as materialized (
      -- Minutes are few, whatever the number of attempts.
      select distinct date_trunc('minute', occurred_at, 'UTC') as minute from numbered where is_stored and isolate is null
    ), missing as materialized (
      select ${hourOf} as hour, ${unsure === undefined ? sql`true` : sql`occurred_at >= ${instantSql(unsure)}`} as is_unsure,
        case
          when before is not null then sequence - before - 1
          when sequence <= 1 then 0
          when isolate >= ${began}::uuid then sequence - 1
        end as numbers,
        -- Attempts that a version without numbers stored may have the missing ones.
        exists (
          select from unnumbered where minute <= followed.occurred_at + ${within} and minute >= case
            when since is not null then since - ${within} * 2
            else to_timestamp(('x' || left(replace(isolate::text, '-', ''), 12))::bit(48)::bigint / 1000.0) end
        ) as is_hidden
      from followed where ${inRange} and (before is null or sequence > before + 1)
    )
    select
      (select coalesce(json_agg(json_build_array(hour, attempts, unnumbered)), '[]') from (
        select ${hourOf} as hour, count(*) as attempts, count(*) filter (where isolate is null) as unnumbered
        from numbered where is_stored and ${inRange} group by 1) as counted) as stored,
      (select coalesce(json_agg(json_build_array(hour, lost, unsure, hidden)), '[]') from (
        select hour, coalesce(sum(numbers) filter (where not is_unsure and not is_hidden), 0) as lost,
          coalesce(sum(numbers) filter (where is_unsure), 0) as unsure,
          coalesce(sum(numbers) filter (where not is_unsure and is_hidden), 0) as hidden
        from missing group by 1) as counted) as missing,
      (select coalesce(json_agg(json_build_array(hour, calls)), '[]') from (
        select ${hourOf} as hour, sum(calls) as calls from ${refusedCalls}
        where route = 'connector' and ${inRange} group by 1) as counted) as refused,
      (select count(*) from missing where numbers is null) as undecided`;
}
