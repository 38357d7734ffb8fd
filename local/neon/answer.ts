/** What the stand-in answers over HTTP. `body` is JSON. */
import type { messages } from '@electric-sql/pglite';

export type Answer = { status: number; headers?: Record<string, string>; body: string };

/** The members of an error, in the proxy's order; the driver copies all of them to its `NeonDbError`. */
const ERROR_MEMBERS = [
  'message',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'severity',
  'where',
  'table',
  'column',
  'schema',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const;

/** Only of status 400 the driver reads the members; any other turns it into "Server error (HTTP status ..): <body>". */
export function errorAnswer(
  status: number,
  error: Partial<Pick<messages.DatabaseError, (typeof ERROR_MEMBERS)[number]>>,
): Answer {
  return { status, body: JSON.stringify(Object.fromEntries(ERROR_MEMBERS.map((it) => [it, error[it] ?? null]))) };
}

/** An error that is not Postgres': Neon leaves `code` and `severity` empty then. */
export function refusal(status: number, message: string): Answer {
  return errorAnswer(status, { message, code: '', severity: '' });
}
