/** Which record in Workers KV (`person:` + person key) counts for a call, and what counts when KV fails. Nothing here reads KV. */
import { NOTHING_HELD } from '../policy/policy.ts';
import { isDisguised, type PersonKeys, type SignInEvent } from '../sign-in/event.ts';
import { type Entitlements, entitledTo, readEntitlements } from './stored-record.ts';

export const PERSON_PREFIX = 'person:';
/** What is kept in an isolate for when KV fails: an isolate has 128 MB in all, and a record in memory takes several times its text. */
const MAX_REMEMBERED = 5_000;
const MAX_REMEMBERED_CHARS = 8_000_000;

/** What KV said about a person. */
export type Found =
  | { readonly record: Entitlements; readonly key: string }
  /** `unreadable`: the best key has a value that is no record of ours; a lesser key must not stand in for it. */
  | { readonly record: undefined; readonly key: string | undefined; readonly unreadable: boolean };

export interface Lookup {
  readonly found: Found;
  /** An e-mail record exists and would have counted, had the e-mail been one we may trust. */
  readonly emailRecordNotUsed: boolean;
  /** `''`, or why this is not what KV says now: `kv-stale-copy`, `kv-unavailable`, `entitlements-unreadable`. */
  readonly degraded: '' | 'kv-stale-copy' | 'kv-unavailable' | 'entitlements-unreadable';
}

/** Values of KV by key; null is missing. */
export type Values = ReadonlyMap<string, string | null>;

const NOTHING: Found = { record: undefined, key: undefined, unreadable: false };

interface Remembered {
  readonly lookup: Lookup;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly chars: number;
}

/** Last known good look-ups of this isolate, oldest first. Values, never promises. */
const remembered = new Map<string, Remembered>();
let rememberedChars = 0;

/** Whose records a call asks for. */
export interface PersonAsked {
  /** KV keys, the best first; empty when the call revealed no person key. */
  readonly keys: readonly string[];
  readonly personKeys: PersonKeys;
  /** Whether a record under the e-mail key may count. */
  readonly emailIsTrusted: boolean;
}

/** The records to read for a call: every key that it revealed. `trusted` holds the issuers of `EMAIL_TRUSTED_ISSUERS`. */
export function personAsked(event: SignInEvent, trusted: readonly string[]): PersonAsked {
  const { oid, idp, email } = event.personKeys;
  const keys = [oid, ...idp, email].filter((key) => key !== undefined).map((key) => PERSON_PREFIX + key);
  return {
    keys: [...new Set(keys)],
    personKeys: event.personKeys,
    emailIsTrusted: isEmailTrusted(event, trusted),
  };
}

/**
 * Whether an `email:` record may count for a call: every identity that it came with must be of an issuer that the operator
 * trusts to have checked the address. `-` in the list means calls without identities. Unreadable or surplus identities
 * could be anyone's.
 */
function isEmailTrusted({ identitiesAre, identities, email }: SignInEvent, trusted: readonly string[]): boolean {
  if (identitiesAre === 'partial' || isDisguised(email)) return false;
  if (identitiesAre === 'none') return trusted.includes('-');
  return identities.every(({ issuer }) => issuer !== '-' && trusted.includes(issuer));
}

/** The record that counts by what KV said, remembered for when KV fails. `now` is in milliseconds since 1970. */
export function lookUpIn(values: Values, asked: PersonAsked, now: number): Lookup {
  const lookup = choose(values, asked);
  if (asked.keys.length > 0) remember(asked, lookup, values, now);
  return lookup;
}

/** The last known good answer for a call that KV did not answer, at most `staleMaxSeconds` old. */
export function lastKnownGood(asked: PersonAsked, now: number, staleMaxSeconds: number): Lookup {
  if (asked.keys.length === 0) return { found: NOTHING, emailRecordNotUsed: false, degraded: '' };
  const known = remembered.get(memoryKey(asked));
  // A clock that went back must not make a copy young again.
  if (known === undefined || Math.abs(now - known.at) > staleMaxSeconds * 1_000) {
    return { found: NOTHING, emailRecordNotUsed: false, degraded: 'kv-unavailable' };
  }
  return { ...known.lookup, degraded: 'kv-stale-copy' };
}

/** Entitlements as rules see them for an application, and how many names of roles and groups were left out. */
export function heldIn({ found: { record }, degraded }: Pick<Lookup, 'found' | 'degraded'>, clientId: string) {
  const known = degraded === '' || degraded === 'kv-stale-copy';
  if (record === undefined) return { person: { ...NOTHING_HELD, known }, droppedNames: 0 };
  const { dropped, ...held } = entitledTo(record, clientId);
  return { person: { ...held, known }, droppedNames: dropped };
}

/** The best key that has a record wins: oid, idp, e-mail. */
function choose(values: Values, { personKeys: { oid, idp, email }, emailIsTrusted }: PersonAsked): Lookup {
  for (const key of oid === undefined ? idp : [oid, ...idp]) {
    const found = readValue(key, values);
    if (found !== undefined) return lookupOf(found, false);
  }
  const found = email === undefined ? undefined : readValue(email, values);
  if (found === undefined) return lookupOf(NOTHING, false);
  return emailIsTrusted ? lookupOf(found, false) : lookupOf(NOTHING, true);
}

const lookupOf = (found: Found, emailRecordNotUsed: boolean): Lookup => ({
  found,
  emailRecordNotUsed,
  degraded: found.record === undefined && found.unreadable ? 'entitlements-unreadable' : '',
});

function readValue(key: string, values: Values): Found | undefined {
  const value = values.get(PERSON_PREFIX + key);
  if (value === null || value === undefined) return undefined;
  const record = readEntitlements(value);
  return record === undefined ? { record, key, unreadable: true } : { record, key };
}

const memoryKey = ({ keys, emailIsTrusted }: PersonAsked): string => `${emailIsTrusted} ${keys.join('\n')}`;

function remember(asked: PersonAsked, lookup: Lookup, values: Values, now: number): void {
  const memory = memoryKey(asked);
  const chars = asked.keys.reduce((sum, key) => sum + (values.get(key)?.length ?? 0), memory.length);
  forget(memory);
  remembered.set(memory, { lookup, at: now, chars });
  rememberedChars += chars;
  while (remembered.size > MAX_REMEMBERED || rememberedChars > MAX_REMEMBERED_CHARS) {
    const oldest = remembered.keys().next();
    if (oldest.done) return;
    forget(oldest.value);
  }
}

function forget(memory: string): void {
  rememberedChars -= remembered.get(memory)?.chars ?? 0;
  remembered.delete(memory);
}
