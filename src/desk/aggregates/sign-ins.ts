/**
 * Sign-ins through custom policies: calls of SignInStarted and SignInCompleted with one correlation id are one sign-in.
 * It counts at its first start as `completed` or `abandoned`. A completion without a start counts at itself. How a call
 * counts depends only on calls within {@link JOURNEY_HOURS} of it.
 */
import { type SQL, sql } from 'drizzle-orm';
import { MINUTE_MS } from '../../platform/duration.ts';
import { SIGN_IN_COMPLETED, SIGN_IN_STARTED } from '../../sign-in/steps.ts';

/** How calls count. `late`: completed more than ten minutes after the start, which counts as abandoned. */
export const COUNTED_SIGN_INS = ['completed', 'abandoned', 'late', 'without-start', 'without-correlation-id'] as const;
/** What a call shows of its sign-in. `pending`: the ten minutes of the start are not over. */
export type SignInStatus = (typeof COUNTED_SIGN_INS)[number] | 'pending';

/** A completion within this time of a start completes the sign-in. */
export const COMPLETION_MS = 10 * MINUTE_MS;
/** Calls further apart are two sign-ins. No session of B2C is longer. A day depends only on its neighbours. */
export const JOURNEY_HOURS = 24;

const completion = sql.raw(`interval '${COMPLETION_MS / MINUTE_MS} minutes'`);
const journey = sql.raw(`interval '${JOURNEY_HOURS} hours'`);

/** What decides whether an attempt is a call of a sign-in. */
export interface CalledRow {
  readonly channel: string;
  readonly step: string;
  readonly reply: string;
}

/** As `isStart` and `isCompletion` in SQL. */
export const isStartCall = ({ channel, step, reply }: CalledRow): boolean =>
  channel === 'custom-policy' && step.toLowerCase() === SIGN_IN_STARTED.toLowerCase() && reply !== 'Refusal';
const isCompletionCall = ({ channel, step }: CalledRow): boolean =>
  channel === 'custom-policy' && step.toLowerCase() === SIGN_IN_COMPLETED.toLowerCase();
export const isSignInCall = (row: CalledRow): boolean => isStartCall(row) || isCompletionCall(row);

/** A start that B2C got a refusal for ended there: its rule and message say why. */
const isStart = (row: string) =>
  `(${row}.channel = 'custom-policy' and lower(${row}.step) = '${SIGN_IN_STARTED.toLowerCase()}' and ${row}.reply <> 'Refusal')`;
const isCompletion = (row: string) =>
  `(${row}.channel = 'custom-policy' and lower(${row}.step) = '${SIGN_IN_COMPLETED.toLowerCase()}')`;

/** Whether a row of `attempts` with this alias is a call of a sign-in. */
export const isSignInSql = (row: string): SQL => sql.raw(`(${isStart(row)} or ${isCompletion(row)})`);

/** Whether rows with this channel and step, of `attempts` or of aggregates, may be calls of a sign-in. */
export const isSignInStepSql = (row: string): SQL =>
  sql.raw(`${row}.channel = 'custom-policy'
    and lower(${row}.step) in ('${SIGN_IN_STARTED.toLowerCase()}', '${SIGN_IN_COMPLETED.toLowerCase()}')`);

/** `<> ''` is a literal, so that the planner can use the partial index. */
const sameId = (row: string, other: string) =>
  sql.raw(`${other}.correlation_id = ${row}.correlation_id and ${other}.correlation_id <> ''`);

/** Whether a start of this sign-in comes before the row, or with `is` a completion. */
const isRepeated = (row: string, is: (row: string) => string) => sql`exists (
  select from attempts as earlier where ${sameId(row, 'earlier')} and ${sql.raw(is('earlier'))}
    and earlier.occurred_at >= ${sql.raw(row)}.occurred_at - ${journey} and earlier.occurred_at <= ${sql.raw(row)}.occurred_at
    and (earlier.occurred_at, earlier.id) < (${sql.raw(row)}.occurred_at, ${sql.raw(row)}.id))`;

/** Whether, from `from` to `to`, a completion follows a start in time. */
const isCompleted = (row: string, from: SQL, to: SQL) => sql`exists (
  select from attempts as ending where ${sameId(row, 'ending')} and ${sql.raw(isCompletion('ending'))}
    and ending.occurred_at >= ${from} and ending.occurred_at <= ${to} and exists (
      select from attempts as beginning where ${sameId(row, 'beginning')} and ${sql.raw(isStart('beginning'))}
        and beginning.occurred_at >= greatest(${from}, ending.occurred_at - ${completion})
        and beginning.occurred_at <= ending.occurred_at))`;

/** Nearly every sign-in needs no more than this look-up: a start, or a completion, within ten minutes of the row. */
const hasNear = (row: string, is: (row: string) => string, from: SQL, to: SQL) => sql`exists (
  select from attempts as near where ${sameId(row, 'near')} and ${sql.raw(is('near'))}
    and near.occurred_at >= ${from} and near.occurred_at <= ${to})`;

const isStartCompleted = (row: string, at = sql.raw(`${row}.occurred_at`)) => sql`(
  ${hasNear(row, isCompletion, at, sql`${at} + ${completion}`)} or ${isCompleted(row, at, sql`${at} + ${journey}`)})`;
const isCompletionInTime = (row: string, at = sql.raw(`${row}.occurred_at`)) => sql`(
  ${hasNear(row, isStart, sql`${at} - ${completion}`, at)} or ${isCompleted(row, sql`${at} - ${journey}`, at)})`;
const isPending = (row: string, now: Date) =>
  sql`${sql.raw(row)}.occurred_at > ${now.toISOString()}::timestamptz - ${completion}`;

/**
 * How a row counts, one of {@link COUNTED_SIGN_INS}; `''` when it does not. `now`: starts of the last ten minutes do
 * not count yet. Without it, all ten minutes are over. The row must be a call of a sign-in.
 */
export const countedSql = (row: string, now?: Date): SQL<string> => sql`case
  when ${sql.raw(row)}.correlation_id = '' then 'without-correlation-id'
  when ${sql.raw(isStart(row))} then case
    when ${isRepeated(row, isStart)} then ''
    when ${isStartCompleted(row)} then 'completed'
    ${now === undefined ? sql`` : sql`when ${isPending(row, now)} then ''`}
    else 'abandoned' end
  when ${isCompletionInTime(row)} then ''
  when ${isRepeated(row, isCompletion)} then ''
  when ${isRepeated(row, isStart)} then 'late'
  else 'without-start' end`;

/** What a row shows of its sign-in, a {@link SignInStatus}. The row must be a call of a sign-in. */
export const statusSql = (row: string, now: Date): SQL<string> => sql`case
  when ${sql.raw(row)}.correlation_id = '' then 'without-correlation-id'
  when ${sql.raw(isStart(row))} then case
    when ${isStartCompleted(row)} then 'completed'
    when ${isPending(row, now)} then 'pending'
    else 'abandoned' end
  when ${isCompletionInTime(row)} then 'completed'
  when ${isRepeated(row, isStart)} then 'late'
  else 'without-start' end`;

/**
 * Rows `(called, value)` of the calls that meet a condition on `called`, counted ones only. `offset 0` keeps the
 * planner from evaluating the value twice.
 */
export const countedRowsSql = (condition: SQL, now?: Date): SQL => sql`
  attempts as called cross join lateral (select ${countedSql('called', now)} as value offset 0) as counted
  where ${isSignInSql('called')} and ${condition} and counted.value <> ''`;
