/** What happens when Neon does not answer: a 503 that says when to try again, whatever exactly went wrong. */
import type { Context } from 'hono';
import { DatabaseUnavailable } from '../../database/unavailable.ts';
import { errorFields, log } from '../../platform/log.ts';
import { refuse } from './problem-details.ts';

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
