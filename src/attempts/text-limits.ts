/** Limits of texts, so that each row fits the index limits of Postgres and each message fits the queue. */
import { fingerprintOf } from './fingerprint.ts';

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

/** Any two numbers: the same in every isolate and version, so that stored texts are found again. */
const SEED = [0x6a09e667, 0xbb67ae85] as const;
const DIGEST_HEX_DIGITS = 16;

/**
 * {@link truncate} for a text that is searched for or counted: two long texts stay two. A longer text ends with `…` and
 * a digest of the whole. The result, and any shorter text, is unchanged.
 */
export function truncateDistinct(text: string, maxChars: number): string {
  if (text.length <= maxChars) return truncate(text, maxChars);
  return `${truncate(text, maxChars - DIGEST_HEX_DIGITS - 1)}…${fingerprintOf(SEED, [text])}`;
}

/** A dimension as a row holds it, and as a question asks for it. */
export const dimensionOf = (text: string): string => truncateDistinct(text.trim(), MAX_CHARS.dimension);

/** The time of an attempt or a change, in milliseconds since 1970: the first 48 bits of its UUIDv7. */
export const occurredAtOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
