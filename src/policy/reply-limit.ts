/** Limits the claims of a reply. B2C documents no limit; a token and its cookies fail long before this one. */
import type { SentValue } from './policy.ts';

/** All claims of a reply, as JSON. The rest of a reply has less than a kilobyte. */
const MAX_CLAIMS_BYTES = 31 * 1024;
/** JSON writes a UTF-16 unit in at most six bytes. */
const MAX_BYTES_PER_CHAR = 6;
/** Quotes, colon and comma, and the digits of a number. */
const BYTES_PER_CLAIM = 32;

const encoder = new TextEncoder();

export interface LimitedClaims {
  readonly claims: { readonly [name: string]: SentValue };
  /** Names of the claims that did not fit. */
  readonly leftOut: readonly string[];
}

/**
 * Leaves out each claim that does not fit beside those before it. The claim `required` is sent empty instead: without
 * it, the token would contain the directory's value.
 */
export function limitClaims(claims: { readonly [name: string]: SentValue }, required: string): LimitedClaims {
  if (mostBytes(claims) <= MAX_CLAIMS_BYTES) return { claims, leftOut: [] };
  const kept: { [name: string]: SentValue } = {};
  const leftOut: string[] = [];
  let bytes = 0;
  for (const [name, value] of Object.entries(claims)) {
    const more = encoder.encode(JSON.stringify({ [name]: value })).byteLength;
    if (bytes + more <= MAX_CLAIMS_BYTES) {
      bytes += more;
      kept[name] = value;
    } else {
      leftOut.push(name);
      if (name === required) kept[name] = '';
    }
  }
  return { claims: kept, leftOut };
}

function mostBytes(claims: { readonly [name: string]: SentValue }): number {
  let bytes = 0;
  for (const name in claims) {
    const value = claims[name];
    bytes += BYTES_PER_CLAIM + name.length;
    if (typeof value === 'string') bytes += value.length * MAX_BYTES_PER_CHAR;
    else if (typeof value === 'object')
      for (const text of value) bytes += BYTES_PER_CLAIM + text.length * MAX_BYTES_PER_CHAR;
  }
  return bytes;
}
