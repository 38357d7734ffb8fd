/** Selects the claim values that an attempt stores: those that `KEEP_CLAIMS` lists, except secrets. */
import { byName } from '../sign-in/by-name.ts';
import { claimNamed } from '../sign-in/claim-names.ts';
import type { Claims } from '../sign-in/event.ts';
import { MAX_CHARS, truncate } from './text-limits.ts';

/** Matched against lower-case letters and digits only. `code` alone is harmless (`postalCode`). */
const SECRET_NAME =
  /authorization|querystring|password|passcode|secret|token|captcha|otp|pin|(access|invitation|verification|onetime)code/;

export const isNeverStored = byName((name) => SECRET_NAME.test(name.toLowerCase().replace(/[^a-z0-9]/g, '')));

/** The values to store, truncated to 500 characters. */
export function retainedClaims(claims: Claims, keep: readonly string[]): Record<string, string | number | boolean> {
  const retained: [string, string | number | boolean][] = [];
  for (const name of keep) {
    const value = claimNamed(claims, name);
    if (value === undefined || isNeverStored(name)) continue;
    const short = typeof value === 'string' ? truncate(value, MAX_CHARS.value) : value;
    retained.push([truncate(name, MAX_CHARS.name), short]);
  }
  return Object.fromEntries(retained);
}
