/** How every report reaches Neon. Import the files of this folder lazily (`await import`): drizzle costs start-up time. */
import type { Config } from '../../config.ts';
import { connect, type Database } from '../../database/connect.ts';
import { DatabaseUnavailable } from '../unavailable.ts';

/** Somebody waits for the answer; what takes longer should be asked for a shorter time. */
export const REPORT_LIMIT_MS = 10_000;

/**
 * Asks through one connection, of which everything is aborted after `limitMs`. Throws {@link DatabaseUnavailable} for all
 * that goes wrong in `question`, so let it do nothing but ask.
 */
export async function ask<Answer>(
  { DATABASE_URL }: Config,
  question: (db: Database) => PromiseLike<Answer>,
  limitMs = REPORT_LIMIT_MS,
): Promise<Answer> {
  try {
    if (DATABASE_URL === '') throw new Error('DATABASE_URL is not set');
    return await question(connect(DATABASE_URL, limitMs).db);
  } catch (error) {
    throw new DatabaseUnavailable(error);
  }
}
