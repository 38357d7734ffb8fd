/**
 * Which policy decides now. A call asks Workers KV for the pointer at most every half minute an isolate, and for a document
 * only when its number changed; it is compiled once, and what is in memory goes on deciding when KV fails or holds something
 * that is no policy.
 */
import type { Config } from '../config.ts';
import { errorFields, log } from '../log.ts';
import { Late, within } from '../within.ts';
import type { loadPolicy as LoadPolicy } from './load.ts';
import { POINTER_KEY, readPointer, versionKey } from './pointer.ts';
import { builtIn, type Policy, sentName } from './policy.ts';

/** `POLICY_FRESH_SECONDS` long what KV said is used without asking; up to so many times as long it is used while it is asked anew. Beyond, a call waits: an isolate that was idle must not decide by last week's policy. */
const USABLE_TIMES = 2;
/** A try that failed is made again after this part of that time: reading and refusing a document at every call would be dear. */
const RETRY_PART = 1 / 3;
/** An answer that takes so many times its limit will not come. */
const LATE_TIMES = 5;
/** While another call reads a document, one waits so long for what it makes of it: thirty texts of 8 MB are more than an isolate holds. */
const READ_BY_ANOTHER_MS = 600;
const LOOK_AGAIN_MS = 10;

/** `''`, or why this may not be the version that was saved last. */
export type PolicyFault = '' | 'policy-kv-unavailable' | 'policy-missing' | 'policy-unreadable';

/** A version whose decisions are only remembered. */
export interface Shadow {
  readonly number: number;
  /** Share of the calls, 0 to 1. */
  readonly sample: number;
}

export interface InForce {
  /** Undefined: none is known, and nothing may be decided. */
  readonly policy: Policy | undefined;
  readonly shadow: Shadow | undefined;
  readonly fault: PolicyFault;
}

/** Values, never promises: awaiting another call's promise may hang (measured). */
interface Memory {
  inForce: InForce;
  /** What became of documents by their number: the one in force, its shadow, and such as are no policy, with when that was seen. */
  readonly versions: Map<number, Policy | { readonly unreadableAt: number }>;
  /** Documents that a call is reading. */
  readonly reading: Set<number>;
  /** Milliseconds since 1970 when KV last confirmed the number, when it last failed to, and when it was last asked; -Infinity: never. */
  confirmedAt: number;
  failedAt: number;
  askedAt: number;
  /** How often KV was asked, and which of those gave what is in force: an answer that took longer than a later one is old. */
  turns: number;
  heard: number;
}

export interface Asking {
  readonly kv: Pick<KVNamespace, 'get'>;
  readonly config: Config;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How long KV may take when memory has a policy to go on with, and when it has none. */
  readonly timeoutMs: number;
  readonly coldTimeoutMs: number;
  /** Takes work that is under way and goes on after the reply. */
  readonly later: (work: Promise<unknown>) => void;
  /** Takes work that begins when the reply is out: compiling must not delay it. */
  readonly afterReply: (work: () => Promise<unknown>) => void;
}

const memories = new WeakMap<Config, Memory>();
const builtIns = new WeakMap<Config, InForce>();

/** The policy for a call at `now`: at once when memory has it, else as soon as KV says. Never throws or rejects. */
export function policyInForce(asking: Asking): InForce | Promise<InForce> {
  const { config, now } = asking;
  if (config.POLICY === 'built-in') return builtInForce(config);
  const memory = memoryOf(config);
  const freshMs = freshMsOf(config);
  // A clock that went back must not make a copy young again.
  const age = Math.abs(now - memory.confirmedAt);
  if (memory.inForce.policy !== undefined) {
    if (age < freshMs) return memory.inForce;
    if (age < USABLE_TIMES * freshMs || Math.abs(now - memory.failedAt) < freshMs) {
      if (Math.abs(now - memory.askedAt) >= RETRY_PART * freshMs) {
        memory.askedAt = now;
        asking.afterReply(() => renewSafely(memory, asking));
      }
      return memory.inForce;
    }
  }
  return renewed(memory, asking);
}

/** What an isolate knows without asking: for an answer that is needed now. */
export const policyInMemory = (config: Config): Policy =>
  memories.get(config)?.inForce.policy ?? builtInForce(config).policy;

const freshMsOf = ({ POLICY_FRESH_SECONDS }: Config): number => POLICY_FRESH_SECONDS * 1_000;

function memoryOf(config: Config): Memory {
  let memory = memories.get(config);
  if (memory === undefined) {
    const inForce: InForce = { policy: undefined, shadow: undefined, fault: 'policy-kv-unavailable' };
    const never = { confirmedAt: -Infinity, failedAt: -Infinity, askedAt: -Infinity, turns: 0, heard: 0 };
    memory = { inForce, versions: new Map(), reading: new Set(), ...never };
    memories.set(config, memory);
  }
  return memory;
}

function builtInForce(config: Config) {
  let inForce = builtIns.get(config);
  if (inForce === undefined) {
    inForce = { policy: builtIn(sentName(config.ROLES_CLAIM, config.EXTENSIONS_APP_ID)), shadow: undefined, fault: '' };
    builtIns.set(config, inForce);
  }
  return inForce as InForce & { policy: Policy };
}

/** Waits for KV as long as the call can; what comes later still counts for the next call. */
async function renewed(memory: Memory, asking: Asking): Promise<InForce> {
  const renewing = renewSafely(memory, asking);
  try {
    const cold = memory.inForce.policy === undefined;
    await within(cold ? asking.coldTimeoutMs : asking.timeoutMs, () => renewing);
  } catch (error) {
    if (!(error instanceof Late)) throw error;
    asking.later(renewing);
    // Another call may have had more luck meanwhile.
    if (Math.abs(asking.now - memory.confirmedAt) >= USABLE_TIMES * freshMsOf(asking.config))
      failed(memory, asking.now, 'policy-kv-unavailable');
  }
  return memory.inForce;
}

/** Asks KV and takes over what it says. Never rejects, and ends. */
async function renewSafely(memory: Memory, asking: Asking): Promise<void> {
  memory.turns += 1;
  const turn = memory.turns;
  memory.askedAt = asking.now;
  try {
    await within(LATE_TIMES * asking.config.KV_TIMEOUT_MS, () => renew(memory, asking, turn));
  } catch (error) {
    log('policy-not-read', errorFields(error));
    if (turn > memory.heard) failed(memory, asking.now, 'policy-kv-unavailable');
  }
}

async function renew(memory: Memory, asking: Asking, turn: number): Promise<void> {
  const text = await asking.kv.get(POINTER_KEY);
  const pointer = text === null ? undefined : readPointer(text);
  const none = text === null ? 'policy-missing' : 'policy-unreadable';
  const policy = pointer === undefined ? none : await versionOf(memory, pointer.number, asking);
  if (turn < memory.heard) return;
  if (typeof policy === 'string') return failed(memory, asking.now, policy);
  const shadow = pointer?.shadow;
  memory.inForce = { policy, shadow, fault: '' };
  memory.heard = turn;
  memory.confirmedAt = asking.now;
  memory.failedAt = -Infinity;
  for (const known of memory.versions.keys()) {
    if (known !== policy.version && known !== shadow?.number) memory.versions.delete(known);
  }
}

/**
 * The version that runs in the shadow, for when the reply is out: reading and compiling it must not delay what decides.
 * Undefined where it cannot be had within `KV_TIMEOUT_MS`; what comes later counts for the next call. Never rejects.
 */
export async function shadowPolicy(
  { kv, config, now, later }: Pick<Asking, 'kv' | 'config' | 'now' | 'later'>,
  number: number,
): Promise<Policy | undefined> {
  const reading = versionOf(memoryOf(config), number, { kv, config, now });
  try {
    const policy = await within(config.KV_TIMEOUT_MS, () => reading);
    return typeof policy === 'string' ? undefined : policy;
  } catch (error) {
    if (error instanceof Late) later(within(LATE_TIMES * config.KV_TIMEOUT_MS, () => reading).catch(() => undefined));
    log('shadow-not-read', { number, ...errorFields(error) });
    return undefined;
  }
}

/** A version compiled, or why there is none. */
async function versionOf(
  { versions, reading }: Memory,
  number: number,
  { kv, config, now }: Pick<Asking, 'kv' | 'config' | 'now'>,
): Promise<Policy | 'policy-missing' | 'policy-unreadable'> {
  const known = () => knownVersion(versions.get(number), config, now);
  // Of many calls at once, one reads and compiles. By timers of its own: awaiting another call's promise may hang (measured),
  // and a call may be cut off in the midst.
  for (let waited = 0; reading.has(number) && known() === undefined && waited < READ_BY_ANOTHER_MS; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    waited += LOOK_AGAIN_MS;
  }
  const meanwhile = known();
  if (meanwhile !== undefined) return meanwhile;
  reading.add(number);
  try {
    const { loadPolicy } = await import('./load.ts');
    const text = await kv.get(versionKey(number));
    return known() ?? (text === null ? 'policy-missing' : remembered(text, loadPolicy));
  } finally {
    reading.delete(number);
  }

  function remembered(text: string, loadPolicy: typeof LoadPolicy): Policy | 'policy-unreadable' {
    const names = { rolesClaim: config.ROLES_CLAIM, extensionsAppId: config.EXTENSIONS_APP_ID };
    const { policy, problem } = loadPolicy(text, number, names);
    if (policy === undefined) log('policy-unreadable', { number, problem });
    versions.set(number, policy ?? { unreadableAt: now });
    return policy ?? 'policy-unreadable';
  }
}

/** Somebody may repair by hand what was broken by hand, under the same number. */
function knownVersion(known: Policy | { readonly unreadableAt: number } | undefined, config: Config, now: number) {
  if (known === undefined || !('unreadableAt' in known)) return known;
  return Math.abs(now - known.unreadableAt) < RETRY_PART * freshMsOf(config) ? 'policy-unreadable' : undefined;
}

function failed(memory: Memory, now: number, fault: PolicyFault): void {
  memory.inForce = { ...memory.inForce, fault };
  memory.failedAt = now;
}
