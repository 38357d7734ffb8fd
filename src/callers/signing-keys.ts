/**
 * The public keys of token issuers, as values in the isolate with an age. They are renewed in the background after an
 * hour, and count for a day when the issuer does not answer. A call waits only when there are none, or when its token
 * names a key that is not among them.
 */
import { TimeoutError, withTimeout } from '../platform/timeout.ts';
import type { TokenIssuer } from './credential.ts';
import { isSecureUrl } from './issuers.ts';

const MINUTE_MS = 60_000;
const RENEWED_AFTER_MS = 60 * MINUTE_MS;
/** A key that the issuer withdrew counts no longer than this. */
const KEPT_MS = 24 * 60 * MINUTE_MS;
/** Between fetches for unknown keys, and between renewals that fail. */
const PAUSE_MS = MINUTE_MS;
/** Between fetches while there are no keys. */
const PAUSE_WITHOUT_KEYS_MS = 5_000;
/** Microsoft's metadata and keys are below 20 KiB. */
const MAX_BYTES = 256 * 1024;
/** Most providers have two to six. */
const MAX_KEYS = 100;
/** Metadata and keys together. B2C waits five seconds for the whole call. */
const FETCH_LIMIT_MS = 1_000;
const POLL_MS = 25;

export interface SigningKey extends JsonWebKey {
  readonly kid: string;
}

export interface IssuerKeys {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  readonly keys: readonly SigningKey[];
  /** Milliseconds since 1970. */
  readonly fetchedAt: number;
}

/** What a check of a token needs from outside. */
export interface TokenWorld {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Takes work that continues after the reply. */
  readonly later: (work: Promise<unknown>) => void;
  readonly log: (event: string, fields: Record<string, string>) => void;
  readonly fetch?: typeof fetch;
  /** `LOCAL`: http on this machine is admitted. */
  readonly local: boolean;
  /** Instead of {@link FETCH_LIMIT_MS}. */
  readonly fetchLimitMs?: number;
}

/** All times in milliseconds since 1970. */
interface Slot {
  found?: IssuerKeys;
  /** Start of the last fetch. */
  triedAt: number;
  /** Start of the last fetch for an unknown key. */
  soughtAt: number;
  /** Until then another call of the isolate fetches; 0 when none does. */
  busyUntil: number;
}

const slots = new Map<string, Slot>();

/** The issuer's keys; undefined while it has none that count. Never rejects. */
export async function keysOf(issuer: TokenIssuer, world: TokenWorld): Promise<IssuerKeys | undefined> {
  const slot = slotOf(issuer);
  const { now } = world;
  const found = countingAt(slot, now);
  if (found === undefined) {
    if (slot.busyUntil > now) return fetchedByAnother(slot, world);
    if (isWithin(PAUSE_WITHOUT_KEYS_MS, slot.triedAt, now)) return undefined;
    return renew(issuer, slot, world);
  }
  const isOld = !isWithin(RENEWED_AFTER_MS, found.fetchedAt, now);
  if (isOld && slot.busyUntil <= now && !isWithin(PAUSE_MS, slot.triedAt, now)) void renew(issuer, slot, world);
  return found;
}

/** The keys again, after a token named one that is not among them. It fetches at most once a minute. */
export async function keysAnew(issuer: TokenIssuer, world: TokenWorld): Promise<IssuerKeys | undefined> {
  const slot = slotOf(issuer);
  const { now } = world;
  const found = countingAt(slot, now);
  if (slot.busyUntil > now) return fetchedByAnother(slot, world);
  if (found?.fetchedAt === now || isWithin(PAUSE_MS, slot.soughtAt, now)) return found;
  slot.soughtAt = now;
  return renew(issuer, slot, world);
}

function slotOf({ metadata, issuer = '' }: TokenIssuer): Slot {
  const address = `${metadata} ${issuer}`;
  const slot = slots.get(address) ?? {
    triedAt: Number.NEGATIVE_INFINITY,
    soughtAt: Number.NEGATIVE_INFINITY,
    busyUntil: 0,
  };
  slots.set(address, slot);
  return slot;
}

/** A clock that was set back counts as much time. */
const isWithin = (limitMs: number, since: number, now: number) => Math.abs(now - since) < limitMs;

const countingAt = ({ found }: Slot, now: number): IssuerKeys | undefined =>
  found !== undefined && isWithin(KEPT_MS, found.fetchedAt, now) ? found : undefined;

/** Looks again until the other call has fetched. It does not await that call's promise, which may end with the call. */
async function fetchedByAnother(slot: Slot, world: TokenWorld): Promise<IssuerKeys | undefined> {
  const { now, fetchLimitMs = FETCH_LIMIT_MS } = world;
  for (let waited = 0; slot.busyUntil > now && waited < fetchLimitMs; waited += POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return countingAt(slot, now);
}

async function renew(issuer: TokenIssuer, slot: Slot, world: TokenWorld): Promise<IssuerKeys | undefined> {
  const { now, later, log, fetchLimitMs = FETCH_LIMIT_MS } = world;
  slot.triedAt = now;
  slot.busyUntil = now + fetchLimitMs;
  const fetched = inTime(fetchLimitMs, (signal) => fetchKeys(issuer, signal, world))
    .then((keys) => {
      slot.found = { ...keys, fetchedAt: now };
    })
    .catch((error: unknown) => {
      const why = error instanceof Unusable ? error.message : 'the issuer could not be reached';
      log('signing-keys-failed', { issuer: issuer.name, why });
    })
    .finally(() => {
      slot.busyUntil = 0;
    });
  // The fetch continues when the caller hangs up.
  later(fetched);
  await fetched;
  return countingAt(slot, now);
}

/** The message contains no value from outside. */
class Unusable extends Error {
  override readonly name = 'Unusable';
}

/** Rejects after `limitMs`, also when the work does not heed the signal. */
async function inTime<Value>(limitMs: number, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const abort = new AbortController();
  try {
    return await withTimeout(limitMs, () => work(abort.signal));
  } catch (error) {
    abort.abort();
    throw error instanceof TimeoutError ? new Unusable(`the issuer did not answer within ${limitMs} ms`) : error;
  }
}

async function fetchKeys(
  issuer: TokenIssuer,
  signal: AbortSignal,
  world: TokenWorld,
): Promise<Omit<IssuerKeys, 'fetchedAt'>> {
  const metadata = await fetchJson(issuer.metadata, signal, world);
  const { issuer: named, jwks_uri: address } = metadata;
  if (typeof named !== 'string' || named === '') throw new Unusable('the metadata names no issuer');
  if (issuer.issuer !== undefined && named !== issuer.issuer)
    throw new Unusable('the metadata names another issuer than the setting');
  if (!isSecureUrl(address, world.local)) throw new Unusable('the jwks_uri of the metadata is no https URL');
  const { keys } = await fetchJson(address, signal, world);
  if (!Array.isArray(keys)) throw new Unusable('the key set has no list of keys');
  const usable = keys.slice(0, MAX_KEYS).filter(isUsable);
  if (usable.length === 0) throw new Unusable('the key set has no usable key');
  return { issuer: named, keys: usable };
}

/** A public key for signatures with a name. */
function isUsable(key: unknown): key is SigningKey {
  if (typeof key !== 'object' || key === null) return false;
  const { kid, kty, use } = key as Record<string, unknown>;
  const isPublic = (kty === 'RSA' || kty === 'EC' || kty === 'OKP') && !('d' in key);
  return typeof kid === 'string' && kid !== '' && isPublic && (use === undefined || use === 'sig');
}

async function fetchJson(
  address: string,
  signal: AbortSignal,
  { fetch: send = fetch }: TokenWorld,
): Promise<Record<string, unknown>> {
  const response = await send(address, { headers: { Accept: 'application/json' }, redirect: 'manual', signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Unusable(`the issuer answered with status ${response.status}`);
  }
  const json: unknown = parsed(await readLimited(response));
  if (typeof json !== 'object' || json === null) throw new Unusable('the issuer answered no JSON object');
  return json as Record<string, unknown>;
}

async function readLimited(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > MAX_BYTES) throw new Unusable(`the issuer's answer is larger than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Unusable('the issuer answered no JSON object');
  }
}
