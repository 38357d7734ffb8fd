/** Neon refused, failed or took too long; `cause` is what its driver threw. Nothing of it is for users: it may quote values. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('The database did not answer.', { cause });
  }
}
