/**
 * Slows the guessing of secrets, by Cloudflare's rate limiting binding.
 *
 * Why a correct credential is not locked out by the guesses of others:
 * - At a staff address every credential is compared first. Only a wrong one is counted, and only a wrong one gets 429.
 * - At a connector a block is for one credential at one address: guesses from other addresses, and guesses at other
 *   names or kinds, do not count for it. B2C's addresses are shared by tenants, so a credential that was right from an
 *   address within the last hour is always compared there. One that was not yet right there, in this isolate, may be
 *   refused for a minute: its first calls after a flood of guesses from B2C's own address. A JWT and a certificate
 *   cannot be guessed and have no block.
 * - Without an address, or without the binding, nothing is blocked.
 */
import { withTimeout } from '../platform/timeout.ts';
import type { CallerKind } from './credential.ts';

/** Of `RateLimit`: counts, and reports whether the count is within the limit of wrangler.toml. */
export interface GuessCounter {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** The period of the binding. */
const BLOCK_SECONDS = 60;
const PROVEN_MS = 3_600_000;
/** A flood of addresses must not fill the isolate's memory. */
const MAX_ENTRIES = 1_000;
/** The binding counts in the same data centre. A refusal does not wait longer for it. */
const COUNT_LIMIT_MS = 250;

/** End of a block, and of the time in which a credential counts as proven. Milliseconds since 1970, by credential. */
const blocked = new Map<string, number>();
const proven = new Map<string, number>();

const keyOf = (address: string, kind: CallerKind, name: string) => JSON.stringify([address, kind, name]);

/**
 * For an IPv6 address its first half, which one customer has; `''` when the runtime names none. Only Cloudflare sets
 * the header.
 */
export function addressOf(request: Request): string {
  const address = request.headers.get('CF-Connecting-IP') ?? '';
  if (!address.includes(':')) return address;
  const [before = '', after] = address.toLowerCase().split('::', 2);
  const groups = before.split(':');
  const filled = after === undefined ? groups : [...groups, ...Array<string>(8).fill('0')];
  return filled.slice(0, 4).join(':');
}

/** Whether a credential from this address is refused without a comparison. Undefined when none is, as nearly always. */
export function blocksOf(address: string, now: number): ((kind: CallerKind, name: string) => boolean) | undefined {
  for (const [key, until] of blocked) {
    // The oldest block is first and ends first.
    if (until > now) break;
    blocked.delete(key);
  }
  if (blocked.size === 0 || address === '') return undefined;
  return (kind, name) => {
    const key = keyOf(address, kind, name);
    return (blocked.get(key) ?? 0) > now && (proven.get(key) ?? 0) <= now;
  };
}

/** Notes that a credential was right. */
export function noteRight(address: string, kind: CallerKind, name: string, now: number): void {
  if (address === '' || kind === 'certificate' || kind === 'jwt') return;
  put(proven, keyOf(address, kind, nameWhenWrong(kind, name)), now + PROVEN_MS);
}

/** Counts a wrong credential at a connector, and blocks it when it is over the limit. Never rejects. */
export async function noteWrong(
  counter: GuessCounter | undefined,
  address: string,
  kind: CallerKind,
  name: string,
  now: number,
): Promise<void> {
  if (address === '') return;
  const key = keyOf(address, kind, name);
  if (await isOverLimit(counter, [key])) put(blocked, key, now + BLOCK_SECONDS * 1_000);
}

/** Counts a wrong credential at a staff address. True when the address or the name is over the limit. Never rejects. */
export function isGuessTooMany(
  counter: GuessCounter | undefined,
  route: string,
  address: string,
  name: string,
): Promise<boolean> {
  const keys = [
    ['address', address],
    ['name', name],
  ].filter(([, value]) => value !== '');
  return isOverLimit(
    counter,
    keys.map((key) => JSON.stringify([route, ...key])),
  );
}

/** Only Basic names whose secret is wrong. */
const nameWhenWrong = (kind: CallerKind, name: string) => (kind === 'basic' ? name : '');

/** A binding that fails or hangs limits nothing: the credential was wrong, and is refused in any case. */
async function isOverLimit(counter: GuessCounter | undefined, keys: readonly string[]): Promise<boolean> {
  if (counter === undefined) return false;
  try {
    const outcomes = await withTimeout(COUNT_LIMIT_MS, () => Promise.all(keys.map((key) => counter.limit({ key }))));
    return outcomes.some(({ success }) => !success);
  } catch {
    return false;
  }
}

/** The oldest entry makes room. */
function put(map: Map<string, number>, key: string, until: number): void {
  map.delete(key);
  map.set(key, until);
  const [oldest] = map.keys();
  if (map.size > MAX_ENTRIES && oldest !== undefined) map.delete(oldest);
}
