/** Why a message could not be written: the stored codes in words. */

/** Gatehouse's reasons, SQLSTATEs and SQLSTATE classes (https://www.postgresql.org/docs/17/errcodes-appendix.html). */
const WORDS: Record<string, string> = {
  'neon-away': 'the database did not answer for about a day',
  'not-a-message': 'not a message of this version of Gatehouse',
  'outside-retention': 'from a month that is not stored: older than RETENTION_DAYS, or too far ahead',
  '22001': 'a text is too long for its column',
  '22003': 'a number is too large for its column',
  '22007': 'a time has a wrong format',
  '22008': 'a time does not exist in the calendar',
  '22021': 'a text has a character that Postgres does not store',
  '22P02': 'a value does not have the format of its column',
  '22P05': 'a text has a character that Postgres does not store',
  '23502': 'a required value is missing',
  '22': 'Postgres does not accept a value',
  '23': 'the row violates a constraint of its table',
  '54': 'a value is too large for the database to store or index',
};

/** For example `a text has a character that Postgres does not store (22021)`. Returns unknown reasons unchanged. */
export function reasonInWords(reason: string): string {
  const words = WORDS[reason] ?? (/^[0-9A-Z]{5}$/.test(reason) ? WORDS[reason.slice(0, 2)] : undefined);
  if (words === undefined) return reason === '' ? 'no reason was stored' : reason;
  return `${words} (${reason})`;
}
