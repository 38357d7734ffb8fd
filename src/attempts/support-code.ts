/**
 * The code that a person gives to support, `XXXXX-XXXXX`: 50 bits of an HMAC-SHA-256 over the call, in Crockford
 * base32. A retry within the same ten minutes has the same code. A code cannot be guessed.
 */
import { hmac } from '../platform/digest.ts';
import { asciiDigits, LONG_VOWELS } from '../sign-in/normal-form.ts';

const WINDOW_MS = 10 * 60 * 1_000;
/** https://www.crockford.com/base32.html: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const encoder = new TextEncoder();

/** Calls with equal members get the same code. */
export interface CallIdentity {
  readonly step: string;
  readonly clientId: string;
  /** The best person key; `''` when the call has none. */
  readonly personKey: string;
  readonly body: string;
}

/** The code of a call in the ten-minute window of `now` (milliseconds since 1970). */
export async function supportCodeOf(secret: string, call: CallIdentity, now: number): Promise<string> {
  return codeFrom(await sign(secret, `support-code ${Math.floor(now / WINDOW_MS)}`, call));
}

/** A unique code, for a call that cannot be identified or signed. */
export const randomSupportCode = (): string => codeFrom(crypto.getRandomValues(new Uint8Array(7)));

function codeFrom(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes.subarray(0, 7)) bits = (bits << 8n) | BigInt(byte);
  bits >>= 6n;
  let code = '';
  for (let shift = 45n; shift >= 0n; shift -= 5n) code += ALPHABET[Number((bits >> shift) & 31n)];
  return `${code.slice(0, 5)}-${code.slice(5)}`;
}

export const SUPPORT_CODE_CHARS = 10;

/**
 * The letters and digits of a typed code, in any width, script of digits and case: dashes, quotes and what is not seen
 * do not count.
 */
export const lettersOf = (typed: string): string =>
  asciiDigits(typed.normalize('NFKC'))
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replace(LONG_VOWELS, '')
    .toUpperCase();

/** Normalises a typed code: {@link lettersOf}, and reads O as 0, I and L as 1. Undefined when invalid. */
export function readSupportCode(typed: string): string | undefined {
  const code = lettersOf(typed).replaceAll('O', '0').replace(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]{10}$/.test(code) ? `${code.slice(0, 5)}-${code.slice(5)}` : undefined;
}

async function sign(configured: string, purpose: string, call: CallIdentity): Promise<Uint8Array> {
  // JSON separates the parts.
  const head = JSON.stringify([purpose, call.step, call.clientId, call.personKey]);
  return hmac(configured, encoder.encode(head + call.body));
}
