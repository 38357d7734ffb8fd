/**
 * Which policy decides now. A call asks Workers KV for the pointer at most every half minute an isolate, and for a document
 * only when its number changed; it is compiled once, and what is in memory goes on deciding when KV fails or holds something
 * that is no policy.
 */
import type { Config } from '../config.ts';
import { errorFields, log } from '../log.ts';
import { Late, within } from '../within.ts';
import { POINTER_KEY, type Pointer, readPointer, versionKey } from './pointer.ts';
import { builtIn, type Policy, sentName } from './policy.ts';

/** `POLICY_FRESH_SECONDS` long what KV said is used without asking; up to so many times as long it is used while it is asked anew. Beyond, a call waits: an isolate that was idle must not decide by last week's policy. */
const USABLE_TIMES = 2;
/** An answer that takes so many times its limit will not come. */
const LATE_TIMES = 5;

/** `''`, or why this may not be the version that was saved last. */
export type PolicyFault = '' | 'policy-kv-unavailable' | 'policy-missing' | 'policy-unreadable';

/** A second policy, whose decisions are only remembered. */
export interface Shadow {
  readonly policy: Policy;
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
  /** Milliseconds since 1970 when KV last confirmed the number, and when it was last asked; -Infinity: never. */
  confirmedAt: number;
  failedAt: number;
  renewingSince: number;
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
      if (Math.abs(now - memory.renewingSince) >= freshMs) {
        memory.renewingSince = now;
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
    memory = { inForce, confirmedAt: -Infinity, failedAt: -Infinity, renewingSince: -Infinity };
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
  try {
    await within(LATE_TIMES * asking.config.KV_TIMEOUT_MS, () => renew(memory, asking));
  } catch (error) {
    log('policy-not-read', errorFields(error));
    failed(memory, asking.now, 'policy-kv-unavailable');
  } finally {
    memory.renewingSince = -Infinity;
  }
}

async function renew(memory: Memory, { kv, config, now }: Asking): Promise<void> {
  const text = await kv.get(POINTER_KEY);
  const pointer = text === null ? undefined : readPointer(text);
  if (pointer === undefined) return failed(memory, now, text === null ? 'policy-missing' : 'policy-unreadable');
  if (memory.inForce.policy?.version !== pointer.number) {
    const policy = await load(kv, pointer.number, config, () => memory.inForce.policy);
    if (typeof policy === 'string') return failed(memory, now, policy);
    memory.inForce = { ...memory.inForce, policy };
  }
  memory.inForce = { ...memory.inForce, fault: '', shadow: await shadowOf(memory, kv, pointer, config) };
  memory.confirmedAt = now;
  memory.failedAt = -Infinity;
}

/** A shadow that cannot be had shadows nothing: it must not harm what decides. */
async function shadowOf({ inForce }: Memory, kv: Asking['kv'], { shadow }: Pointer, config: Config) {
  if (shadow === undefined) return undefined;
  const known = inForce.shadow?.policy;
  const policy = known?.version === shadow.number ? known : await load(kv, shadow.number, config, () => undefined);
  return typeof policy === 'string' ? undefined : { policy, sample: shadow.sample };
}

/** A version compiled, or why there is none. `known` is looked at again after waiting: of many calls at once, one compiles. */
async function load(
  kv: Asking['kv'],
  number: number,
  config: Config,
  known: () => Policy | undefined,
): Promise<Policy | 'policy-missing' | 'policy-unreadable'> {
  const { loadPolicy } = await import('./load.ts');
  const text = await kv.get(versionKey(number));
  const meanwhile = known();
  if (meanwhile?.version === number) return meanwhile;
  if (text === null) return 'policy-missing';
  const names = { rolesClaim: config.ROLES_CLAIM, extensionsAppId: config.EXTENSIONS_APP_ID };
  const policy = loadPolicy(text, number, names);
  if (policy === undefined) log('policy-unreadable', { number });
  return policy ?? 'policy-unreadable';
}

function failed(memory: Memory, now: number, fault: PolicyFault): void {
  memory.inForce = { ...memory.inForce, fault };
  memory.failedAt = now;
}
