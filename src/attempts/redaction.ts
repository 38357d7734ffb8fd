/** Which values of claims may be kept with an attempt: only those that `KEEP_CLAIMS` names, and never what could open a door. */
import { byName } from '../sign-in/by-name.ts';
import type { Claims } from '../sign-in/event.ts';
import { MAX_CHARS, truncate } from './text-limits.ts';

/** Compared without case, hyphens and the like. `code` alone is harmless (`postalCode`), these codes are not. */
const NEVER_KEPT =
  /authorization|querystring|password|passcode|secret|token|captcha|otp|pin|(access|invitation|verification|onetime)code/;

export const isNeverStored = byName((name) => NEVER_KEPT.test(name.toLowerCase().replace(/[^a-z0-9]/g, '')));

/** The values that stay, cut at 500 characters. */
export function retainedClaims(claims: Claims, keep: readonly string[]): Record<string, string | number | boolean> {
  const kept: [string, string | number | boolean][] = [];
  for (const name of keep) {
    const value = claims[name];
    if (value === undefined || isNeverStored(name)) continue;
    kept.push([truncate(name, MAX_CHARS.name), typeof value === 'string' ? truncate(value, MAX_CHARS.value) : value]);
  }
  return Object.fromEntries(kept);
}
