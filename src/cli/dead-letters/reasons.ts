/** Why a message could not be written, in words. The codes are what Gatehouse keeps with it. */

/** Our own reasons, SQLSTATEs, and classes of them (https://www.postgresql.org/docs/17/errcodes-appendix.html). */
const WORDS: Record<string, string> = {
  'neon-away': 'the database did not answer for about a day',
  'not-a-message': 'not a message of this version of Gatehouse',
  'outside-retention': 'from a month that is not kept: older than RETENTION_DAYS, or too far ahead',
  '22001': 'a text is too long for its column',
  '22003': 'a number is too large for its column',
  '22007': 'a time is not written as one',
  '22008': 'a time is one that no calendar has',
  '22021': 'a text has a character that Postgres does not store',
  '22P02': 'a value is not of the form that its column takes',
  '22P05': 'a text has a character that Postgres does not store',
  '23502': 'a value is missing that each row must have',
  '22': 'a value is one that Postgres does not take',
  '23': 'the row breaks a rule of its table',
  '54': 'a value is too large for the database to store or index',
};

/** Such as `a text has a character that Postgres does not store (22021)`; a reason that we do not know stays as it is. */
export function reasonInWords(reason: string): string {
  const words = WORDS[reason] ?? (/^[0-9A-Z]{5}$/.test(reason) ? WORDS[reason.slice(0, 2)] : undefined);
  if (words === undefined) return reason === '' ? 'no reason was kept' : reason;
  return `${words} (${reason})`;
}
