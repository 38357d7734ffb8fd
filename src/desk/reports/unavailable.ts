/** What happens when Neon does not answer: a 503 that says when to try again, whatever exactly went wrong. */
import type { Context } from 'hono';
import { errorFields, log } from '../../platform/log.ts';
import { refuse } from '../http/problem-details.ts';

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
  return refuse(c, 'database-unavailable', { afterwards: 'attempts-wait' });
}

/** drizzle wraps what the driver throws. */
function rootOf(error: Error): unknown {
  let root: unknown = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  return root;
}
