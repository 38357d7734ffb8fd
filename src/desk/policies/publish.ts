/**
 * Publishes the policy in force from Neon to Workers KV, where calls read it. KV has no compare-and-swap and Neon
 * cannot write to KV. Three rules keep an older version from replacing a newer one when writers overlap or crash:
 *
 * - Every writer first puts a key under `policy:publish-due:`, before it writes to Neon or the pointer to KV.
 * - A writer reads Neon again after it wrote KV, and repeats until both agree. Only then it deletes its key. So if an
 *   older version is written last, either the newer one overwrites it, or a publish-due key is still there.
 * - The cron republishes while such a key exists. It does not trust reads of KV, which can be a minute old.
 *
 * A version never changes, so writing it again is harmless.
 */
import { type KvResult, withKvTimeout, write } from '../../platform/kv.ts';
import { log } from '../../platform/log.ts';
import { withTimeout } from '../../platform/timeout.ts';
import { planKey } from '../../policy/plan.ts';
import { POINTER_KEY, type Pointer, PUBLISH_DUE_PREFIX, versionKey } from '../../policy/pointer.ts';
import type { NeonRefusal, Version, Versions } from './saved-version.ts';

/** Enough for a document of 8 MB. */
const DOCUMENT_LIMIT_MS = 5_000;
const CHECK_LIMIT_MS = 5_000;
/** Each round means that another save won. That save publishes too. */
const MAX_ROUNDS = 5;
/** Maximum time from a key to its version in Neon, with a margin for clock skew. */
const MAX_SAVE_MS = 120_000;
/** An invocation has at most 1,000 operations (https://developers.cloudflare.com/kv/platform/limits/). */
const MAX_KEYS_A_TICK = 100;

type Kv = Pick<KVNamespace, 'get' | 'put' | 'delete' | 'list'>;

type Stored = Pick<Versions, 'readInForce' | 'readVersion'>;

export interface Due {
  readonly key: string;
  /** Start of the save in milliseconds since 1970; 0 for a key without metadata. */
  readonly at: number;
}

/** Writes a publish-due key. `now` is in milliseconds since 1970. Refused when KV does not accept the key. */
export async function markPublishDue(kv: Kv, now: number): Promise<KvResult<Due>> {
  const key = PUBLISH_DUE_PREFIX + crypto.randomUUID();
  const put = await write(() => kv.put(key, new Date(now).toISOString(), { metadata: { at: now } }));
  return put.ok ? { ok: true, value: { key, at: now } } : put;
}

/** Deletes the key of a save that is published or did not happen. On failure the cron deletes it. Never throws. */
export async function clearPublishDue(kv: Kv, { key }: Due): Promise<void> {
  await write(() => kv.delete(key));
}

/** Lists at most `limit` saves that may not be in KV yet. Rejects when KV fails or times out. */
export async function listDue(kv: Kv, limit = MAX_KEYS_A_TICK): Promise<Due[]> {
  const list = () => kv.list<{ at?: unknown }>({ prefix: PUBLISH_DUE_PREFIX, limit });
  const { keys } = await withTimeout(CHECK_LIMIT_MS, list);
  return keys.map(({ name, metadata }) => ({ key: name, at: typeof metadata?.at === 'number' ? metadata.at : 0 }));
}

/** Two ticks of the cron, and the time until KV shows a key. */
const OVERDUE_AFTER_MS = 12 * 60_000;

/** When (milliseconds since 1970) the oldest overdue save began; undefined when there is none. For `/health/ready`. */
export async function unpublishedSince(kv: Kv, now: number): Promise<number | undefined> {
  const overdue = (await listDue(kv)).map(({ at }) => at).filter((at) => at > 0 && now - at > OVERDUE_AFTER_MS);
  return overdue.length === 0 ? undefined : Math.min(...overdue);
}

/**
 * Writes the policy in force to KV. `start` is the pointer from Neon; `known` are versions that need no read. The
 * caller has called {@link markPublishDue}. Returns true when KV and Neon agree. Otherwise the key must stay. Never
 * throws.
 */
export async function publish(
  kv: Kv,
  stored: Stored,
  start: Pointer,
  known: readonly Version[] = [],
): Promise<boolean> {
  let wanted = start;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    for (const number of numbersIn(wanted)) {
      const version = known.find((one) => one.number === number) ?? (await readOne(stored, number));
      if (version === undefined || !(await putVersion(kv, version))) return false;
    }
    const pointer = JSON.stringify(wanted);
    if (!(await write(() => kv.put(POINTER_KEY, pointer))).ok) return false;
    const now = await stored.readInForce();
    if (!now.ok || now.value === undefined) return false;
    if (JSON.stringify(now.value) === pointer) {
      log('policy-published', { number: wanted.number, shadow: wanted.shadow?.number });
      return true;
    }
    wanted = now.value;
  }
  return false;
}

/** Publishes `inForce`, the pointer from Neon. False: KV or Neon failed, and the cron retries. Never throws. */
export async function publishAgain(
  kv: Kv,
  stored: Stored,
  inForce: Pointer,
  now: number,
  known: readonly Version[] = [],
): Promise<boolean> {
  const due = await markPublishDue(kv, now);
  if (!due.ok || !(await publish(kv, stored, inForce, known))) return false;
  await clearPublishDue(kv, due.value);
  return true;
}

/**
 * The cron at `now` (milliseconds since 1970): publishes when a save may not be in KV, or when KV differs from Neon.
 * May overlap other writers. Throws when KV or Neon fails; the next tick retries.
 */
export async function publishDue(kv: Kv, stored: Stored, now: number): Promise<void> {
  const seen = await listDue(kv);
  const inForce = presentOrThrow(await stored.readInForce());
  if (
    inForce !== undefined &&
    (seen.length > 0 || !(await withTimeout(CHECK_LIMIT_MS, () => isPublished(kv, inForce))))
  ) {
    if (!(await publishAgain(kv, stored, inForce, now))) throw new Error('The policy could not be published.');
  }
  // A younger save can still add its version to Neon.
  const over = seen.filter(({ at }) => now - at > MAX_SAVE_MS);
  await Promise.all(over.map((due) => clearPublishDue(kv, due)));
}

/** Metadata of published values. A value that was written by hand has none, and the cron overwrites it. */
const PUBLISHED = { published: true };

/** Writes all values of a version. The pointer is written later. Never throws. */
async function putVersion(kv: Kv, { number, text }: Version): Promise<boolean> {
  if (text === null) return false;
  // Imported lazily: only publishing and checking need the compiler.
  const { publishedValues } = await import('./published.ts');
  for (const { key, text: value, expiresAfterSeconds } of await publishedValues(number, text)) {
    const expiry = expiresAfterSeconds === undefined ? {} : { expirationTtl: expiresAfterSeconds };
    const put = () => kv.put(key, value, { metadata: PUBLISHED, ...expiry });
    if (!(await withKvTimeout(put, DOCUMENT_LIMIT_MS)).ok) return false;
  }
  return true;
}

/** Whether KV has the pointer and its versions and plans. Reads no values, only metadata. Rejects when KV does. */
async function isPublished(kv: Kv, inForce: Pointer): Promise<boolean> {
  if ((await kv.get(POINTER_KEY)) !== JSON.stringify(inForce)) return false;
  for (const key of numbersIn(inForce).flatMap((number) => [versionKey(number), planKey(number)])) {
    const { keys } = await kv.list<Partial<typeof PUBLISHED>>({ prefix: key, limit: 1 });
    if (!keys.some(({ name, metadata }) => name === key && metadata?.published)) return false;
  }
  return true;
}

const numbersIn = ({ number, shadow }: Pointer): number[] =>
  shadow === undefined ? [number] : [number, shadow.number];

async function readOne(stored: Stored, number: number): Promise<Version | undefined> {
  const read = await stored.readVersion(number);
  return read.ok ? read.value : undefined;
}

function presentOrThrow<Value>(read: KvResult<Value, NeonRefusal>): Value {
  if (read.ok) return read.value;
  throw new Error(`The policy in force could not be read from Neon (${read.reason}).`);
}
