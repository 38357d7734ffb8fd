/**
 * Brings what Neon says about the policy into Workers KV, where calls read it. KV has no compare-and-swap and Neon cannot
 * write to KV, so this is how no older version stays in force over a newer one, whoever dies or overlaps:
 *
 * - A saving leaves a key under `policy:publish-due:` before it adds a version, and whoever else may write the pointer does
 *   so before writing.
 * - Having written, they ask Neon again and write again what it says if that is something else; only then they take their key
 *   away. So an older version that was written late is followed by the newer one, or by nobody who took his key away.
 * - While there is such a key, the cron writes anew, whatever KV seems to say: it may show a value of a minute ago.
 *
 * A version never changes under its number, so nothing is compared before it is written: writing it again is harmless.
 */
import { type KvResult, withKvTimeout, write } from '../../platform/kv.ts';
import { log } from '../../platform/log.ts';
import { withTimeout } from '../../platform/timeout.ts';
import { planKey } from '../../policy/plan.ts';
import { POINTER_KEY, type Pointer, PUBLISH_DUE_PREFIX, versionKey } from '../../policy/pointer.ts';
import type { NeonRefusal, Version, Versions } from './saved-version.ts';

/** For documents of 8 MB. */
const DOCUMENT_LIMIT_MS = 5_000;
const LOOK_LIMIT_MS = 5_000;
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
export async function markPublishDue(kv: Kv, now: number): Promise<KvResult<Due>> {
  const key = PUBLISH_DUE_PREFIX + crypto.randomUUID();
  const put = await write(() => kv.put(key, new Date(now).toISOString(), { metadata: { at: now } }));
  return put.ok ? { ok: true, value: { key, at: now } } : put;
}

/** Takes the key away: what it stands for is in KV, or nothing came of it. When that fails the cron does it. Never throws. */
export async function clearPublishDue(kv: Kv, { key }: Due): Promise<void> {
  await write(() => kv.delete(key));
}

/** Savings that may not be in KV, `limit` of them at most. Rejects when KV does, or does not answer. */
export async function listDue(kv: Kv, limit = MAX_KEYS_A_TICK): Promise<Due[]> {
  const list = () => kv.list<{ at?: unknown }>({ prefix: PUBLISH_DUE_PREFIX, limit });
  const { keys } = await withTimeout(LOOK_LIMIT_MS, list);
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
 * Makes KV say what is in force, beginning with `start`, which Neon said. A key of {@link markPublishDue} must be there already.
 * `known` are versions that need not be read from Neon. Returns whether KV took all of it and Neon still says the same; when
 * not, the key must stay. Never throws.
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

/** Publishes `inForce`, which Neon said, whatever KV holds. Returns false when KV or Neon failed: then the cron goes on. Never throws. */
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
 * What the cron does at `now` (milliseconds since 1970): publishes when a saving may not be in KV, or when KV lost what is in
 * force or says something else than Neon. Harmless when it overlaps others. Throws when KV or Neon fails; what was due is due
 * then as before.
 */
export async function publishDue(kv: Kv, stored: Stored, now: number): Promise<void> {
  const seen = await listDue(kv);
  const inForce = answered(await stored.readInForce());
  if (
    inForce !== undefined &&
    (seen.length > 0 || !(await withTimeout(LOOK_LIMIT_MS, () => isPublished(kv, inForce))))
  ) {
    if (!(await publishAgain(kv, stored, inForce, now))) throw new Error('The policy could not be published.');
  }
  // A younger one may be followed by its version after we asked Neon.
  const over = seen.filter(({ at }) => now - at > SAVING_ENDS_WITHIN_MS);
  await Promise.all(over.map((due) => clearPublishDue(kv, due)));
}

/** Metadata of the versions that we write: what somebody wrote by hand has none, and the cron writes it again. */
const OURS = { published: true };

/** Writes all that a call reads of a version, under keys of its number. The pointer to it comes after. Never throws. */
async function putVersion(kv: Kv, { number, text }: Version): Promise<boolean> {
  if (text === null) return false;
  // Brings the compiler along, which only publishing and checking need.
  const { publishedValues } = await import('./published.ts');
  for (const { key, text: value, expiresAfterSeconds } of await publishedValues(number, text)) {
    const lives = expiresAfterSeconds === undefined ? {} : { expirationTtl: expiresAfterSeconds };
    const put = () => kv.put(key, value, { metadata: OURS, ...lives });
    if (!(await withKvTimeout(put, DOCUMENT_LIMIT_MS)).ok) return false;
  }
  return true;
}

/** Whether KV has the pointer, and its versions with their plans, as we write them. Values are not fetched. Rejects when KV does. */
async function isPublished(kv: Kv, inForce: Pointer): Promise<boolean> {
  if ((await kv.get(POINTER_KEY)) !== JSON.stringify(inForce)) return false;
  for (const key of numbersIn(inForce).flatMap((number) => [versionKey(number), planKey(number)])) {
    const { keys } = await kv.list<Partial<typeof OURS>>({ prefix: key, limit: 1 });
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

function answered<Value>(asked: KvResult<Value, NeonRefusal>): Value {
  if (asked.ok) return asked.value;
  throw new Error(`Neon did not say which policy is in force (${asked.reason}).`);
}
