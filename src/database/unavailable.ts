/** Neon refused, failed or timed out. `cause` is the driver's error, which may quote values: do not show it. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('The database did not respond.', { cause });
  }
}
