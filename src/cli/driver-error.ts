/** Errors of the Neon driver, unwrapped. */

/**
 * Drizzle wraps the error as `cause`; the driver wraps fetch's error as `sourceError`. `code` is a SQLSTATE, a network
 * error code of Node, or `TimeoutError`.
 */
export function rootCauseOf(error: unknown): { code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  const inner = error.cause ?? ('sourceError' in error ? error.sourceError : undefined);
  if (inner instanceof Error) return rootCauseOf(inner);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { code: error.name === 'TimeoutError' ? error.name : code, message: error.message };
}

/** Whether the server refuses the user, password or database. Over HTTP, Neon sends a text without a SQLSTATE. */
export const isWrongAddress = (message: string): boolean =>
  /password authentication failed|(?:database|role) \S+ does not exist/i.test(message);
