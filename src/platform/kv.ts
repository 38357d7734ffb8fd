/** Access to Workers KV for administration: with a timeout, and a refusal instead of an exception. */
import { errorFields, log } from './log.ts';
import { TimeoutError, withTimeout } from './timeout.ts';

/** No sign-in waits for these operations, so KV may take twice the limit of a call. */
const KV_LIMIT_MS = 2_000;
/** KV accepts one write per second and key (https://developers.cloudflare.com/kv/platform/limits/). */
const RETRY_AFTER_MS = 1_100;

/** `kv-refused`: KV returned 400. `kv-busy`: the previous write of this key is less than a second old. */
export type KvRefusal = { readonly ok: false; readonly reason: 'kv-failed' | 'kv-refused' | 'kv-timeout' | 'kv-busy' };
export type KvResult<Value, Refused = KvRefusal> = { readonly ok: true; readonly value: Value } | Refused;

/** Writes to KV. It retries `kv-busy` once. */
export async function write(operation: () => Promise<void>): Promise<KvResult<void>> {
  const first = await withKvTimeout(operation);
  if (first.ok || first.reason !== 'kv-busy') return first;
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  return withKvTimeout(operation);
}

/** Runs a KV operation. Refuses when it throws or exceeds `limitMs`. Never throws. */
export async function withKvTimeout<Value>(
  operation: () => Promise<Value>,
  limitMs = KV_LIMIT_MS,
): Promise<KvResult<Value>> {
  try {
    return { ok: true, value: await withTimeout(limitMs, operation) };
  } catch (error) {
    if (error instanceof TimeoutError) return { ok: false, reason: 'kv-timeout' };
    // workerd: `KV PUT failed: 429 Too Many Requests`.
    const status = error instanceof Error ? /failed: (\d{3})/.exec(error.message)?.[1] : undefined;
    if (status === '429') return { ok: false, reason: 'kv-busy' };
    log('storage-failed', errorFields(error));
    return { ok: false, reason: status === '400' ? 'kv-refused' : 'kv-failed' };
  }
}

/** KV's limit for one bulk read (https://developers.cloudflare.com/kv/api/read-key-value-pairs/). */
export const MAX_KEYS_A_READ = 100;

/** Values by key; null when missing. As text, because one value that is not JSON fails a bulk read of type JSON. */
export async function readMany(
  kv: KVNamespace,
  places: readonly string[],
): Promise<KvResult<Map<string, string | null>>> {
  const values = new Map<string, string | null>();
  for (let from = 0; from < places.length; from += MAX_KEYS_A_READ) {
    const read = await withKvTimeout(() => kv.get(places.slice(from, from + MAX_KEYS_A_READ)));
    if (!read.ok) return read;
    for (const [place, text] of read.value) values.set(place, text);
  }
  return { ok: true, value: values };
}
