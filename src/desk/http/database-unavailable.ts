/** Answers 503 with Retry-After when Neon fails or does not answer in time. */
import type { Context } from 'hono';
import { DatabaseUnavailable } from '../../database/unavailable.ts';
import { errorFields, log } from '../../platform/log.ts';
import { refuse } from './problem-details.ts';

/** The reply to a {@link DatabaseUnavailable}; undefined for any other error. The log line leaves its message out. */
export function databaseProblem(
  c: Context,
  error: unknown,
  afterwards: 'attempts-wait' | 'erasure-begun' = 'attempts-wait',
): Response | undefined {
  if (!(error instanceof DatabaseUnavailable)) return undefined;
  const { error: kind, code } = errorFields(rootOf(error));
  log('database-unavailable', { requestId: c.get('requestId'), error: kind, code });
  return refuse(c, 'database-unavailable', { afterwards });
}

/** Drizzle wraps the driver's error. */
function rootOf(error: Error): unknown {
  let root: unknown = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  return root;
}
