/** What the Neon driver says when something fails, taken out of its wrappings. */

/**
 * Drizzle wraps what happened as a cause, and the driver keeps fetch's error in `sourceError`. `code` is a SQLSTATE, what Node
 * says of the network, or `TimeoutError`.
 */
export function rootCauseOf(error: unknown): { code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  const inner = error.cause ?? ('sourceError' in error ? error.sourceError : undefined);
  if (inner instanceof Error) return rootCauseOf(inner);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { code: error.name === 'TimeoutError' ? error.name : code, message: error.message };
}

/** Whether user, password or database are not those of the server. Over HTTP Neon gives no SQLSTATE for it: only words. */
export const isWrongAddress = (message: string): boolean =>
  /password authentication failed|(?:database|role) \S+ does not exist/i.test(message);
