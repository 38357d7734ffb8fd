/** Workers KV as administrators use it: with a limit on every answer, and a refusal instead of an exception. */
import { errorFields, log } from './log.ts';
import { TimeoutError, withTimeout } from './timeout.ts';

/** Nobody signs in through these calls, so that KV may take twice what the road of a call allows it. */
const KV_LIMIT_MS = 2_000;
/** KV takes one write a second for one key (https://developers.cloudflare.com/kv/platform/limits/). */
const WRITE_AGAIN_AFTER_MS = 1_100;

/** KV threw, took the request for a bad one, answered too late, or had a write of this key less than a second ago. */
export type KvRefusal = { readonly ok: false; readonly reason: 'kv-failed' | 'kv-refused' | 'kv-timeout' | 'kv-busy' };
export type KvResult<Value, Refused = KvRefusal> = { readonly ok: true; readonly value: Value } | Refused;

/** KV refuses a second write of a key within a second: once more after that, then the caller is told. */
export async function write(operation: () => Promise<void>): Promise<KvResult<void>> {
  const first = await withKvTimeout(operation);
  if (first.ok || first.reason !== 'kv-busy') return first;
  await new Promise((resolve) => setTimeout(resolve, WRITE_AGAIN_AFTER_MS));
  return withKvTimeout(operation);
}

/** Does something with KV; refuses when it throws or is not done after `limitMs`. Never throws. */
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
