/** How a call finds a person's entitlements in Workers KV (`person:` + person key): one bulk read, and what counts when it fails. */
import type { PersonKeys } from '../sign-in/event.ts';
import { Late, type Within, within } from '../within.ts';
import { type Entitlements, entitlementsSchema } from './document.ts';

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

/** By KV key; null is missing. */
type Values = ReadonlyMap<string, string | null>;

const NOTHING: Found = { record: undefined, key: undefined, unreadable: false };

/** An answer that takes so many times its limit will not come: work after the reply must end too. */
const LATE_TIMES = 5;

interface Remembered {
  readonly lookup: Lookup;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly chars: number;
}

/** Last known good look-ups of this isolate, oldest first. Values, never promises. */
const remembered = new Map<string, Remembered>();
let rememberedChars = 0;

export interface LookupOptions {
  readonly emailIsTrusted: boolean;
  readonly timeoutMs: number;
  /** Keeps that limit. */
  readonly within: Within;
  readonly staleMaxSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Takes work that goes on after the look-up: remembering what KV said too late for this call. */
  readonly later: (work: Promise<unknown>) => void;
}

/**
 * Looks a person up by every key the call revealed, in one bulk read; the best key that has a record wins: oid, idp, e-mail.
 * Never throws: when KV fails or takes longer than `timeoutMs`, the last known good answer counts if it is young enough.
 */
export async function lookUp(kv: Pick<KVNamespace, 'get'>, keys: PersonKeys, options: LookupOptions): Promise<Lookup> {
  const best = [...(keys.oid === undefined ? [] : [keys.oid]), ...keys.idp];
  const asked = [...new Set(keys.email === undefined ? best : [...best, keys.email])];
  if (asked.length === 0) return { found: NOTHING, emailRecordNotUsed: false, degraded: '' };
  const memory = JSON.stringify([options.emailIsTrusted, asked]);
  const answered = readAll(kv, asked).then((values) => {
    const lookup = choose(best, keys.email, values, options.emailIsTrusted);
    remember(memory, lookup, values, options.now);
    return lookup;
  });
  try {
    return await options.within(options.timeoutMs, () => answered);
  } catch (error) {
    if (error instanceof Late)
      options.later(within(LATE_TIMES * options.timeoutMs, () => answered).catch(() => undefined));
    return lastKnownGood(memory, options);
  }
}

/** Pure: which record counts. */
function choose(best: readonly string[], email: string | undefined, values: Values, emailIsTrusted: boolean): Lookup {
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

function readValue(key: string, values: Values): Found | undefined {
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

/** Read as text and parsed one by one: one value that is not JSON fails a whole typed bulk read. Rejects when KV does, or answers with something else. */
async function readAll(kv: Pick<KVNamespace, 'get'>, keys: readonly string[]): Promise<Values> {
  const values: unknown = await kv.get(keys.map((key) => PERSON_PREFIX + key));
  if (!(values instanceof Map)) throw new TypeError('KV answered a bulk read with something else');
  return values;
}

function remember(memory: string, lookup: Lookup, values: Values, now: number): void {
  const chars = [memory, ...values.values()].reduce((sum, text) => sum + (text?.length ?? 0), 0);
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

function lastKnownGood(memory: string, { now, staleMaxSeconds }: LookupOptions): Lookup {
  const known = remembered.get(memory);
  // A clock that went back must not make a copy young again.
  if (known === undefined || Math.abs(now - known.at) > staleMaxSeconds * 1_000) {
    return { found: NOTHING, emailRecordNotUsed: false, degraded: 'kv-unavailable' };
  }
  return { ...known.lookup, degraded: 'kv-stale-copy' };
}
