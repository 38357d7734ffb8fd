/** Selects the record of a person in Workers KV, or a stale copy when KV fails. */
import { NOTHING_HELD } from '../policy/policy.ts';
import { isDisguised, type SignInEvent } from '../sign-in/event.ts';
import { placesOf } from './record-keys.ts';
import { type Entitlements, entitledTo, newestCopy } from './stored-record.ts';

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
  /** E-mail records are in use, no better record was found, and the call's e-mail is not trusted: none was read. */
  readonly emailNotTrusted: boolean;
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
  /** Person keys, the best first, and the e-mail key only if it is trusted; empty when the call has none. */
  readonly keys: readonly string[];
  readonly emailNotTrusted: boolean;
}

/** A person, and where their records are. */
export interface LocatedPerson extends PersonAsked {
  /** KV keys by person key. */
  readonly places: ReadonlyMap<string, readonly string[]>;
}

/** When the e-mail of a call may be trusted. */
export interface EmailTrust {
  readonly EMAIL_TRUSTED_ISSUERS: readonly string[];
  /** `yes`: people may type the address on a page of B2C, so no address is trusted. `''`: unconfirmed. */
  readonly EMAIL_COLLECTED_ON_PAGE: '' | 'yes' | 'no';
}

/** The keys to read for a call. A digest of its e-mail is not computed unless the e-mail is trusted. */
export function personAsked(event: SignInEvent, trust: EmailTrust): PersonAsked {
  const { oid, idp, email } = event.personKeys;
  const isTrusted = isEmailTrusted(event, trust);
  const keys = [oid, ...idp, ...(isTrusted ? [email] : [])].filter((key) => key !== undefined);
  return {
    keys: [...new Set(keys)],
    emailNotTrusted: email !== undefined && !isTrusted && countsEmailRecords(trust),
  };
}

/** Whether an `email:` record can count for any call. */
export const countsEmailRecords = (trust: EmailTrust): boolean =>
  trust.EMAIL_TRUSTED_ISSUERS.length > 0 && trust.EMAIL_COLLECTED_ON_PAGE !== 'yes';

/** Rejects when the runtime cannot sign. */
export async function locate(asked: PersonAsked, emailKeys: readonly string[]): Promise<LocatedPerson> {
  const places = new Map<string, readonly string[]>();
  for (const key of asked.keys) {
    const all = placesOf(emailKeys, key);
    places.set(key, all instanceof Promise ? await all : all);
  }
  return { ...asked, places };
}

/**
 * Whether an `email:` record may be used for a call. The operator must trust the issuer of every identity to verify
 * addresses; `-` in the list trusts calls without identities. Unreadable or surplus identities are not trusted, nor is
 * an address that an identity contradicts: the person may have typed it.
 */
export function isEmailTrusted(
  { identitiesAre, identities, email, emailIsTrusted }: SignInEvent,
  trust: EmailTrust,
): boolean {
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
export function lookUpIn(values: Values, asked: LocatedPerson, now: number): Lookup {
  const lookup = choose(values, asked);
  if (asked.keys.length > 0) remember(asked, lookup, values, now);
  return lookup;
}

/** The cached look-up, at most `staleMaxSeconds` old, for a call without a response from KV. */
export function lastKnownGood(asked: PersonAsked, now: number, staleMaxSeconds: number): Lookup {
  if (asked.keys.length === 0) return { found: NOTHING, emailNotTrusted: asked.emailNotTrusted, degraded: '' };
  const known = remembered.get(memoryKey(asked));
  // Math.abs: a clock that moves back must not make a copy fresh.
  if (known === undefined || Math.abs(now - known.at) > staleMaxSeconds * 1_000) {
    return { found: NOTHING, emailNotTrusted: asked.emailNotTrusted, degraded: 'kv-unavailable' };
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
function choose(values: Values, { keys, places, emailNotTrusted }: LocatedPerson): Lookup {
  for (const key of keys) {
    const found = readValue(key, places.get(key) ?? [], values);
    if (found !== undefined) return lookupOf(found, false);
  }
  return lookupOf(NOTHING, emailNotTrusted);
}

const lookupOf = (found: Found, emailNotTrusted: boolean): Lookup => ({
  found,
  emailNotTrusted,
  degraded: found.record === undefined && found.unreadable ? 'entitlements-unreadable' : '',
});

function readValue(key: string, places: readonly string[], values: Values): Found | undefined {
  const newest = newestCopy(places, values);
  if (newest === undefined) return undefined;
  const { stored } = newest;
  if (stored === undefined) return { record: stored, key, unreadable: true };
  return 'removed' in stored ? undefined : { record: stored, key };
}

const memoryKey = ({ keys, emailNotTrusted }: PersonAsked): string => `${emailNotTrusted} ${keys.join('\n')}`;

function remember(asked: LocatedPerson, lookup: Lookup, values: Values, now: number): void {
  const memory = memoryKey(asked);
  const read = [...asked.places.values()].flat();
  const chars = read.reduce((sum, place) => sum + (values.get(place)?.length ?? 0), memory.length);
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
