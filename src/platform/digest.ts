/** SHA-256 as hexadecimal digits, and HMAC-SHA-256 with a secret. */

/** Imported keys by secret, never their promises. A few secrets exist at a time. */
const keys = new Map<string, CryptoKey>();
const encoder = new TextEncoder();

/** Replaces a missing secret: codes cannot be guessed, but differ between isolates. `/health/ready` warns. */
let isolateSecret = '';

/** Signs `message` with the secret `configured`, `''` when it is missing. Rejects when the runtime cannot sign. */
export async function hmac(configured: string, message: Uint8Array): Promise<Uint8Array> {
  if (configured === '' && isolateSecret === '') isolateSecret = crypto.randomUUID();
  const secret = configured === '' ? isolateSecret : configured;
  let key = keys.get(secret);
  if (key === undefined) {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign']);
    keys.set(secret, key);
  }
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, message));
}

const KEY_ID_DIGITS = 8;
/** Ids by secret, never their promises. */
const ids = new Map<string, string>();

/** Names a secret in 8 hexadecimal digits, without revealing it. */
export async function keyIdOf(secret: string): Promise<string> {
  let id = ids.get(secret);
  if (id === undefined) {
    id = hexOf(await hmac(secret, encoder.encode('id of a key'))).slice(0, KEY_ID_DIGITS);
    ids.set(secret, id);
  }
  return id;
}

/** Two lower-case digits per byte. */
export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** SHA-256 of bytes, or of a text in UTF-8, as 64 hexadecimal digits. */
export async function sha256Hex(data: string | Uint8Array): Promise<string> {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data;
  return hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource)));
}
