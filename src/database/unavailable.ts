/**
 * Thrown when Neon refuses, fails or times out. `cause` is the driver's error. It may quote values, so do not show it.
 */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('The database did not respond.', { cause });
  }
}
