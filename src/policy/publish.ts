/**
 * Brings what Neon says about the policy into Workers KV, where calls read it. KV has no compare-and-swap and Neon cannot
 * write to KV, so this is how no older version stays in force over a newer one, whoever dies or overlaps:
 *
 * - A saving leaves a key under `policy:publish-due:` before it adds a version, and whoever else may write the pointer does
 *   so before writing.
 * - Having written, they ask Neon again and write again what it says if that is something else; only then they take their key
 *   away. So an older version that was written late is followed by the newer one, or by nobody who took his key away.
 * - While there is such a key, the cron writes anew, whatever KV seems to say: it may show a value of a minute ago.
 */
import { type Result, withinLimit, write } from '../entitlements/kv.ts';
import { log } from '../log.ts';
import { within } from '../within.ts';
import { POINTER_KEY, type Pointer, PUBLISH_DUE_PREFIX, readPointer, versionKey } from './pointer.ts';
import type { Head, InForce, NeonRefusal, Version, Versions } from './version.ts';

/** For documents of 8 MB. */
const DOCUMENT_LIMIT_MS = 5_000;
const LIST_LIMIT_MS = 5_000;
/** Somebody saves while we publish: again, and again; whoever saves that often publishes too. */
const MAX_ROUNDS = 5;
/** From leaving a key to the end of a saving, with room for clocks that differ: a younger key may be followed by its version. */
const SAVING_ENDS_WITHIN_MS = 120_000;
/** Each key costs a deletion; Cloudflare allows 1,000 operations an invocation (https://developers.cloudflare.com/kv/platform/limits/). */
const MAX_KEYS_A_TICK = 100;

type Kv = Pick<KVNamespace, 'get' | 'put' | 'delete' | 'list'>;

/** What Neon says. */
type Stored = Pick<Versions, 'readInForce' | 'readVersion'>;

/** A saving that may not be in KV. */
export interface Due {
  readonly key: string;
  /** When it began, in milliseconds since 1970; 0 when somebody wrote the key by hand. */
  readonly at: number;
}

/** Leaves a key that says that publishing may be due from `now` on (milliseconds since 1970); refuses when KV does not take it. */
export async function markDue(kv: Kv, now: number): Promise<Result<Due>> {
  const key = PUBLISH_DUE_PREFIX + crypto.randomUUID();
  const put = await write(() => kv.put(key, new Date(now).toISOString(), { metadata: { at: now } }));
  return put.ok ? { ok: true, value: { key, at: now } } : put;
}

/** Takes the key away: what it stands for is in KV, or nothing came of it. When that fails the cron does it. Never throws. */
export async function settle(kv: Kv, { key }: Due): Promise<void> {
  await write(() => kv.delete(key));
}

/** Savings that may not be in KV, `limit` of them at most. Rejects when KV does, or does not answer. */
export async function listDue(kv: Kv, limit = MAX_KEYS_A_TICK): Promise<Due[]> {
  const list = () => kv.list<{ at?: unknown }>({ prefix: PUBLISH_DUE_PREFIX, limit });
  const { keys } = await within(LIST_LIMIT_MS, list);
  return keys.map(({ name, metadata }) => ({ key: name, at: typeof metadata?.at === 'number' ? metadata.at : 0 }));
}

/** Two ticks of the cron, and how long a key takes to show. */
const OVERDUE_AFTER_MS = 12 * 60_000;

/** Since when (milliseconds since 1970) a saving waits that the cron should have published by `now`; undefined when none does. For `/health/ready`. */
export async function unpublishedSince(kv: Kv, now: number): Promise<number | undefined> {
  const overdue = (await listDue(kv)).map(({ at }) => at).filter((at) => at > 0 && now - at > OVERDUE_AFTER_MS);
  return overdue.length === 0 ? undefined : Math.min(...overdue);
}

/**
 * Makes KV say what is in force, beginning with `start`, which Neon said. A key of {@link markDue} must be there already.
 * `fresh` is a document that KV cannot have yet. Returns whether KV took all of it and Neon still says the same; when not,
 * the key must stay. Never throws.
 */
export async function publish(
  kv: Kv,
  stored: Stored,
  start: InForce,
  fresh?: Pick<Version, 'number' | 'text'>,
): Promise<boolean> {
  let wanted = start;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (!(await putDocuments(kv, stored, wanted, fresh))) return false;
    const pointer = JSON.stringify(pointerTo(wanted));
    if (!(await write(() => kv.put(POINTER_KEY, pointer))).ok) return false;
    const now = await stored.readInForce();
    if (!now.ok || now.value === undefined) return false;
    if (sameVersions(now.value, wanted)) {
      log('policy-published', { number: wanted.active.number, shadow: wanted.shadow?.number });
      return true;
    }
    wanted = now.value;
  }
  return false;
}

/**
 * What the cron does at `now` (milliseconds since 1970), and whoever finds nothing to save: publishes when a saving may not
 * be in KV, or when KV says something else than Neon. Harmless when it overlaps others. Throws when KV or Neon fails; what
 * was due is due then as before.
 */
export async function publishDue(kv: Kv, stored: Stored, now: number): Promise<void> {
  const seen = await listDue(kv);
  const inForce = answered(await stored.readInForce());
  if (seen.length === 0 && (inForce === undefined || (await within(DOCUMENT_LIMIT_MS, () => isPublished(kv, inForce)))))
    return;
  const own = await markDue(kv, now);
  const published = own.ok && (inForce === undefined || (await publish(kv, stored, inForce)));
  if (!published) throw new Error('The policy could not be published.');
  // A younger one may be followed by its version after we asked Neon.
  const over = seen.filter(({ at }) => now - at > SAVING_ENDS_WITHIN_MS);
  await Promise.all([own.value, ...over].map((due) => settle(kv, due)));
}

/** Whether KV says what Neon does. Rejects when KV does. */
async function isPublished(kv: Kv, inForce: InForce): Promise<boolean> {
  const text = await kv.get(POINTER_KEY);
  const pointer = text === null ? undefined : readPointer(text);
  if (pointer === undefined || !same(pointer, pointerTo(inForce))) return false;
  for (const head of headsOf(inForce)) if (!(await holds(kv, head))) return false;
  return true;
}

async function putDocuments(
  kv: Kv,
  stored: Stored,
  inForce: InForce,
  fresh: Pick<Version, 'number' | 'text'> | undefined,
): Promise<boolean> {
  for (const head of headsOf(inForce)) {
    // Not asked for first: KV remembers for a minute that there was nothing.
    if (head.number === fresh?.number && fresh.text !== null) {
      if (!(await putDocument(kv, head.number, fresh.text))) return false;
      continue;
    }
    const there = await withinLimit(() => holds(kv, head), DOCUMENT_LIMIT_MS);
    if (there.ok && there.value) continue;
    const read = await stored.readVersion(head.number);
    const text = read.ok ? read.value?.text : undefined;
    if (typeof text !== 'string' || !(await putDocument(kv, head.number, text))) return false;
  }
  return true;
}

const putDocument = async (kv: Kv, number: number, text: string): Promise<boolean> =>
  (await withinLimit(() => kv.put(versionKey(number), text), DOCUMENT_LIMIT_MS)).ok;

async function holds(kv: Kv, { number, digest }: Head): Promise<boolean> {
  const text = await kv.get(versionKey(number));
  return text !== null && (await digestOf(text)) === digest;
}

async function digestOf(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const headsOf = ({ active, shadow }: InForce): Head[] => (shadow === undefined ? [active] : [active, shadow]);

const pointerTo = ({ active, shadow }: InForce): Pointer => ({
  v: 1,
  number: active.number,
  ...(shadow === undefined ? {} : { shadow: { number: shadow.number, sample: shadow.sample } }),
});

/** A document never changes under its number. */
const sameVersions = (a: InForce, b: InForce) => same(pointerTo(a), pointerTo(b));

const same = (a: Pointer, b: Pointer) =>
  a.number === b.number && a.shadow?.number === b.shadow?.number && a.shadow?.sample === b.shadow?.sample;

function answered<Value>(asked: Result<Value, NeonRefusal>): Value {
  if (asked.ok) return asked.value;
  throw new Error(`Neon did not say which policy is in force (${asked.reason}).`);
}
