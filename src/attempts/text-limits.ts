/** How long the texts of an attempt may be, so that a row always fits Postgres' index limits and a message the queue's. */

/** Characters. `dimension` columns are parts of an index row, which Postgres limits to 2,704 bytes. */
export const MAX_CHARS = {
  dimension: 128,
  identifier: 256,
  message: 2_000,
  name: 100,
  personKey: 400,
  value: 500,
} as const;
export const MAX_NAMES = 150;
/** Cloudflare refuses a queue message above 128 KB; the design keeps below half of it. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/** A text as Postgres takes it: no NUL, no lone surrogate, at most `maxChars` UTF-16 units and never half a character. */
export function truncate(text: string, maxChars: number): string {
  const cut = text.length > maxChars ? text.slice(0, maxChars) : text;
  return cut.isWellFormed() && !cut.includes('\0') ? cut : cut.toWellFormed().replaceAll('\0', '\ufffd');
}

/** When an attempt or a change happened, in milliseconds since 1970: the first 48 bits of its UUIDv7 (RFC 9562, section 5.7). */
export const occurredAtOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
