/** Selects the record of a person (`person:` + person key in Workers KV), or a stale copy when KV fails. */
import { NOTHING_HELD } from '../policy/policy.ts';
import { isDisguised, type PersonKeys, type SignInEvent } from '../sign-in/event.ts';
import { type Entitlements, entitledTo, readEntitlements } from './stored-record.ts';

export const PERSON_PREFIX = 'person:';
/** Limits of the cache for KV failures. An isolate has 128 MB, and a record in memory takes several times its text. */
const MAX_REMEMBERED = 5_000;
const MAX_REMEMBERED_CHARS = 8_000_000;

/** The record that KV returned for a person. */
export type Found =
  | { readonly record: Entitlements; readonly key: string }
  /** `unreadable`: the value of the best key is not a valid record. A lesser key must not replace it. */
  | { readonly record: undefined; readonly key: string | undefined; readonly unreadable: boolean };

export interface Lookup {
  readonly found: Found;
  /** An e-mail record exists, but the call's e-mail is not trusted. */
  readonly emailRecordNotUsed: boolean;
  /** The reason why this is not the current value in KV; `''` when it is. */
  readonly degraded: '' | 'kv-stale-copy' | 'kv-unavailable' | 'entitlements-unreadable';
}

/** KV values by key; null when missing. */
export type Values = ReadonlyMap<string, string | null>;

const NOTHING: Found = { record: undefined, key: undefined, unreadable: false };

interface Remembered {
  readonly lookup: Lookup;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly chars: number;
}

/** The last successful look-ups of this isolate, oldest first. Values, never promises. */
const remembered = new Map<string, Remembered>();
let rememberedChars = 0;

/** The person whose records a call needs. */
export interface PersonAsked {
  /** KV keys, the best first; empty when the call has no person key. */
  readonly keys: readonly string[];
  readonly personKeys: PersonKeys;
  /** Whether a record under the e-mail key may be used. */
  readonly emailIsTrusted: boolean;
}

/** When the e-mail of a call may be trusted. */
export interface EmailTrust {
  readonly EMAIL_TRUSTED_ISSUERS: readonly string[];
  /** `yes`: people may type the address on a page of B2C, so no address is trusted. `''`: unconfirmed. */
  readonly EMAIL_COLLECTED_ON_PAGE: '' | 'yes' | 'no';
}

/** The keys to read for a call. */
export function personAsked(event: SignInEvent, trust: EmailTrust): PersonAsked {
  const { oid, idp, email } = event.personKeys;
  const keys = [oid, ...idp, email].filter((key) => key !== undefined).map((key) => PERSON_PREFIX + key);
  return {
    keys: [...new Set(keys)],
    personKeys: event.personKeys,
    emailIsTrusted: isEmailTrusted(event, trust),
  };
}

/**
 * Whether an `email:` record may be used for a call. The operator must trust the issuer of every identity to verify
 * addresses; `-` in the list trusts calls without identities. Unreadable or surplus identities are not trusted, nor is
 * an address that an identity contradicts: the person may have typed it.
 */
function isEmailTrusted({ identitiesAre, identities, email, emailIsTrusted }: SignInEvent, trust: EmailTrust): boolean {
  // The policy's author says whether the custom policy verified the address.
  if (emailIsTrusted !== undefined) return emailIsTrusted && !isDisguised(email);
  const { EMAIL_TRUSTED_ISSUERS: trusted, EMAIL_COLLECTED_ON_PAGE } = trust;
  if (EMAIL_COLLECTED_ON_PAGE === 'yes' || identitiesAre === 'partial' || isDisguised(email)) return false;
  if (identities.some(({ issuerAssignedId }) => isOtherAddress(issuerAssignedId, email))) return false;
  if (identitiesAre === 'none') return trusted.includes('-');
  return identities.every(({ issuer }) => issuer !== '-' && trusted.includes(issuer));
}

/** Whether an id is an address (a sign-in name, a UPN) other than `email`. */
const isOtherAddress = (id: string, email: string): boolean =>
  id.includes('@') && id.trim().toLowerCase() !== email.trim().toLowerCase();

/** Selects the record from KV's values and caches it for KV failures. `now` is in milliseconds since 1970. */
export function lookUpIn(values: Values, asked: PersonAsked, now: number): Lookup {
  const lookup = choose(values, asked);
  if (asked.keys.length > 0) remember(asked, lookup, values, now);
  return lookup;
}

/** The cached look-up, at most `staleMaxSeconds` old, for a call without a response from KV. */
export function lastKnownGood(asked: PersonAsked, now: number, staleMaxSeconds: number): Lookup {
  if (asked.keys.length === 0) return { found: NOTHING, emailRecordNotUsed: false, degraded: '' };
  const known = remembered.get(memoryKey(asked));
  // Math.abs: a clock that moves back must not make a copy fresh.
  if (known === undefined || Math.abs(now - known.at) > staleMaxSeconds * 1_000) {
    return { found: NOTHING, emailRecordNotUsed: false, degraded: 'kv-unavailable' };
  }
  return { ...known.lookup, degraded: 'kv-stale-copy' };
}

/** The entitlements that rules see for an application, and the number of dropped names of roles and groups. */
export function heldIn({ found: { record }, degraded }: Pick<Lookup, 'found' | 'degraded'>, clientId: string) {
  const known = degraded === '' || degraded === 'kv-stale-copy';
  if (record === undefined) return { person: { ...NOTHING_HELD, known }, droppedNames: 0 };
  const { dropped, ...held } = entitledTo(record, clientId);
  return { person: { ...held, known }, droppedNames: dropped };
}

/** Selects the first key with a record: oid, idp, e-mail. */
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
