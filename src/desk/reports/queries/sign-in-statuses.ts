/** Reads what became of the sign-ins to which attempts belong. */
import { sql } from 'drizzle-orm';
import { runQuery } from '../../../database/run-query.ts';
import { DatabaseUnavailable } from '../../../database/unavailable.ts';
import type { Config } from '../../../platform/config.ts';
import { type CalledRow, isSignInCall, isSignInSql, type SignInStatus, statusSql } from '../../aggregates/sign-ins.ts';
import type { AttemptJson } from '../attempt-json.ts';

/** By id of the attempt. Attempts that are no calls of a sign-in have none. */
export type SignInStatuses = ReadonlyMap<string, SignInStatus>;

/** Sign-ins explain a timeline. They are left out when a policy sends one id for all and looking takes longer. */
const LIMIT_MS = 1_500;

type Called = CalledRow & { readonly id: string; readonly occurredAt: Date };

/** Asks the database only when one of the rows is a call of a sign-in. `now` is in milliseconds since 1970. */
export async function signInStatuses(config: Config, rows: readonly Called[], now: number): Promise<SignInStatuses> {
  const calls = rows.filter(isSignInCall).map(({ id, occurredAt }) => ({ id, at: occurredAt.toISOString() }));
  if (calls.length === 0) return new Map();
  // A limit in the look-up, so that it is an index scan.
  const found = sql`
    select asked.id, called.status from json_to_recordset(${JSON.stringify(calls)}::json) as asked (id uuid, at timestamptz)
    cross join lateral (
      select ${statusSql('called', new Date(now))} as status from attempts as called
      where called.occurred_at = asked.at and called.id = asked.id and ${isSignInSql('called')} limit 1
    ) as called`;
  try {
    const read = await runQuery(
      config,
      (db, run) => run(db.execute<{ id: string; status: SignInStatus }>(found)),
      LIMIT_MS,
    );
    return new Map(read.rows.map(({ id, status }) => [id, status]));
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return new Map();
    throw error;
  }
}

/** An attempt of a timeline. */
export type TimelineAttempt = AttemptJson & { readonly signIn?: SignInStatus };

/** Adds `signIn` to the calls of sign-ins. */
export const withSignIns = (attempts: readonly AttemptJson[], statuses: SignInStatuses): TimelineAttempt[] =>
  attempts.map((attempt) => {
    const signIn = statuses.get(attempt.id);
    return signIn === undefined ? attempt : { ...attempt, signIn };
  });
