/** What happens when Neon does not answer: a 503 that says when to try again, whatever exactly went wrong. */
import type { Context } from 'hono';
import { errorFields, log } from '../log.ts';
import { problem } from '../problem.ts';

/** Long enough for a sleeping Neon to wake, short enough for somebody with a customer on the phone. */
const RETRY_AFTER_SECONDS = 5;

/** Neon refused, failed or took too long; `cause` is what its driver threw. Nothing of it is for users: it may quote values. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('The database did not answer.', { cause });
  }
}

/** The answer to {@link DatabaseUnavailable}, which is logged without its message; undefined for any other error. */
export function databaseProblem(c: Context, error: unknown): Response | undefined {
  if (!(error instanceof DatabaseUnavailable)) return undefined;
  const { error: kind, code } = errorFields(rootOf(error));
  log('database-unavailable', { requestId: c.get('requestId'), error: kind, code });
  const detail =
    'The database did not answer as it should. No attempt is lost: they wait in the queue. Try again in a few seconds, or ' +
    'ask for a shorter time; if it stays, give the request id to whoever runs Gatehouse.';
  return problem(c, 503, detail, {}, { 'Retry-After': String(RETRY_AFTER_SECONDS) });
}

/** drizzle wraps what the driver throws. */
function rootOf(error: Error): unknown {
  let root: unknown = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  return root;
}
