/** Reads the SQLSTATE of an error that Drizzle wrapped. Returns `''` for an error that did not come from Postgres. */
export function sqlStateOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return '';
  return typeof cause.code === 'string' && /^[0-9A-Z]{5}$/.test(cause.code) ? cause.code : '';
}
