/** What an attempt stores of the values of claims: those that `KEEP_CLAIMS` lists, except secrets and tokens. */
import { type Config, EVERY_CLAIM } from '../platform/config.ts';
import { nameList } from '../platform/name-list.ts';
import { claimNamed, comparableName } from '../sign-in/claim-names.ts';
import type { Claims, ClaimValue } from '../sign-in/event.ts';
import { secretNames } from './secret-names.ts';
import { MAX_CHARS, truncate } from './text-limits.ts';
import { containsToken } from './token-shape.ts';

/** `NEVER_STORE` has words and names beside those that are always secret; `*` is every claim. */
export type StoredClaims = Pick<Config, 'KEEP_CLAIMS' | 'NEVER_STORE'>;

interface Compiled {
  readonly kept: ReadonlySet<string>;
  readonly isSecret: (name: string) => boolean;
}

/** Settings are read once an isolate. */
const compiled = new WeakMap<StoredClaims, Compiled>();

function compiledOf(settings: StoredClaims): Compiled {
  let known = compiled.get(settings);
  if (known === undefined) {
    const kept = settings.NEVER_STORE.includes(EVERY_CLAIM) ? [] : settings.KEEP_CLAIMS;
    known = { kept: new Set(kept.map(comparableName)), isSecret: secretNames(settings.NEVER_STORE) };
    compiled.set(settings, known);
  }
  return known;
}

/**
 * Whether the value of a claim may be stored or logged, by the claim's name in any spelling: `KEEP_CLAIMS` lists it, no
 * word of its name marks a secret, and the value contains no token.
 */
export function isStorable(settings: StoredClaims, name: string, value: ClaimValue): boolean {
  const { kept, isSecret } = compiledOf(settings);
  return kept.has(comparableName(name)) && !isSecret(name) && !(typeof value === 'string' && containsToken(value));
}

/** Whether no setting can make the values of claims with this name stored. */
export const isNeverStored = (settings: StoredClaims, name: string): boolean => compiledOf(settings).isSecret(name);

/** A sentence for the operator when `KEEP_CLAIMS` lists claims in vain. */
export function redactionProblems(settings: StoredClaims): string[] {
  const inVain = settings.KEEP_CLAIMS.filter((name) => isNeverStored(settings, name));
  if (inVain.length === 0) return [];
  return [`KEEP_CLAIMS lists claims whose values are never stored: ${nameList(inVain)}. Remove them in wrangler.toml.`];
}

/** The values to store, truncated to 500 characters. */
export function retainedClaims(claims: Claims, settings: StoredClaims): Record<string, string | number | boolean> {
  const retained: [string, string | number | boolean][] = [];
  for (const name of settings.KEEP_CLAIMS) {
    const value = claimNamed(claims, name);
    if (value === undefined || !isStorable(settings, name, value)) continue;
    const short = typeof value === 'string' ? truncate(value, MAX_CHARS.value) : value;
    retained.push([truncate(name, MAX_CHARS.name), short]);
  }
  return Object.fromEntries(retained);
}
