/** How a call finds a person's entitlements in Workers KV (`person:` + person key): one bulk read, and what counts when it fails. */
import type { PersonKeys } from '../connectors/event.ts';
import { within } from '../within.ts';
import { type Entitlements, entitlementsSchema } from './document.ts';

export const PERSON_PREFIX = 'person:';
/** So many people's answers are kept in an isolate for when KV fails: about a kilobyte each. */
const MAX_REMEMBERED = 5_000;

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

const NOTHING: Found = { record: undefined, key: undefined, unreadable: false };

/** Last known good look-ups of this isolate, oldest first. Values, never promises. */
const remembered = new Map<string, { readonly lookup: Lookup; readonly at: number }>();

export interface LookupOptions {
  readonly emailIsTrusted: boolean;
  readonly timeoutMs: number;
  readonly staleMaxSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Looks a person up by every key the call revealed, in one bulk read; the best key that has a record wins: oid, idp, e-mail.
 * Never throws: when KV fails or takes longer than `timeoutMs`, the last known good answer counts if it is young enough.
 */
export async function lookUp(kv: KVNamespace, keys: PersonKeys, options: LookupOptions): Promise<Lookup> {
  const best = [...(keys.oid === undefined ? [] : [keys.oid]), ...keys.idp];
  const asked = [...new Set(keys.email === undefined ? best : [...best, keys.email])];
  if (asked.length === 0) return { found: NOTHING, emailRecordNotUsed: false, degraded: '' };
  const memory = `${options.emailIsTrusted}|${asked.join('|')}`;
  const values = await readAll(kv, asked, options.timeoutMs);
  if (values === undefined) return lastKnownGood(memory, options);
  const lookup = choose(best, keys.email, values, options.emailIsTrusted);
  remember(memory, lookup, options.now);
  return lookup;
}

/** Pure: which record counts. */
function choose(
  best: readonly string[],
  email: string | undefined,
  values: ReadonlyMap<string, string | null>,
  emailIsTrusted: boolean,
): Lookup {
  const emailFound = email === undefined ? undefined : readValue(email, values);
  for (const key of best) {
    const found = readValue(key, values);
    if (found !== undefined) return lookupOf(found, false);
  }
  if (emailFound === undefined) return lookupOf(NOTHING, false);
  return emailIsTrusted ? lookupOf(emailFound, false) : lookupOf(NOTHING, true);
}

const lookupOf = (found: Found, emailRecordNotUsed: boolean): Lookup => ({
  found,
  emailRecordNotUsed,
  degraded: found.record === undefined && found.unreadable ? 'entitlements-unreadable' : '',
});

function readValue(key: string, values: ReadonlyMap<string, string | null>): Found | undefined {
  const value = values.get(PERSON_PREFIX + key);
  if (value === null || value === undefined) return undefined;
  const record = parseEntitlements(value);
  return record === undefined ? { record, key, unreadable: true } : { record, key };
}

/** A KV value as a record, undefined when it is none. */
export function parseEntitlements(value: string): Entitlements | undefined {
  try {
    return entitlementsSchema.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}

/** Read as text and parsed one by one: one value that is not JSON fails a whole typed bulk read. */
async function readAll(kv: KVNamespace, keys: readonly string[], timeoutMs: number) {
  try {
    return await within(timeoutMs, () => kv.get(keys.map((key) => PERSON_PREFIX + key)));
  } catch {
    return undefined;
  }
}

function remember(memory: string, lookup: Lookup, now: number): void {
  remembered.delete(memory);
  remembered.set(memory, { lookup, at: now });
  if (remembered.size <= MAX_REMEMBERED) return;
  const oldest = remembered.keys().next();
  if (!oldest.done) remembered.delete(oldest.value);
}

function lastKnownGood(memory: string, { now, staleMaxSeconds }: LookupOptions): Lookup {
  const known = remembered.get(memory);
  if (known === undefined || now - known.at > staleMaxSeconds * 1_000) {
    return { found: NOTHING, emailRecordNotUsed: false, degraded: 'kv-unavailable' };
  }
  return { ...known.lookup, degraded: 'kv-stale-copy' };
}
