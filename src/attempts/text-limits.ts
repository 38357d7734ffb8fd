/** Limits of texts, so that each row fits the index limits of Postgres and each message fits the queue. */

/** In UTF-16 units. `dimension` columns are part of an index row, which Postgres limits to 2,704 bytes. */
export const MAX_CHARS = {
  dimension: 128,
  identifier: 256,
  message: 2_000,
  name: 100,
  personKey: 400,
  value: 500,
} as const;
export const MAX_NAMES = 150;
/** Half of Cloudflare's limit for a queue message, 128 KB. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/** A text that Postgres accepts: at most `maxChars` UTF-16 units, without NUL and lone surrogates. */
export function truncate(text: string, maxChars: number): string {
  const short = text.length > maxChars ? text.slice(0, maxChars) : text;
  return short.isWellFormed() && !short.includes('\0') ? short : short.toWellFormed().replaceAll('\0', '\ufffd');
}

/** The time of an attempt or a change, in milliseconds since 1970: the first 48 bits of its UUIDv7. */
export const occurredAtOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
