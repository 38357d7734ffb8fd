/**
 * The active policy. Every call reads the pointer from Workers KV. A version never changes, so a loaded version never
 * becomes stale. When KV does not respond, the last pointer applies.
 */
import type { Config } from '../platform/config.ts';
import { log } from '../platform/log.ts';
import type { Step } from '../sign-in/event.ts';
import { loadPolicy } from './load-plan.ts';
import { listKey, planKey } from './plan.ts';
import { type Pointer, readPointer } from './pointer.ts';
import { builtIn, type Policy, sentName } from './policy.ts';

/** The reason why the policy may not be the last saved version; `''` when there is none. */
export type PolicyFault = '' | 'policy-kv-unavailable' | VersionFault;
type VersionFault = 'policy-missing' | 'policy-unreadable';

/** A version whose decisions are recorded only, and its share of the calls (0 to 1). */
export type Shadow = NonNullable<Pointer['shadow']>;

export interface ActiveVersion {
  /** Undefined when no policy is known. No rule may decide then. */
  readonly policy: Policy | undefined;
  readonly shadow: Shadow | undefined;
  readonly fault: PolicyFault;
}

/** Reads a text from Workers KV; null when the key is missing. Rejects when KV does. */
export type ReadText = (key: string) => Promise<string | null>;

type Unreadable = { readonly unreadableAt: number };

/** An operator may repair a version in KV under the same number. */
const RETRY_UNREADABLE_MS = 10_000;
/** The active version, its shadow, and their predecessors, which calls read while KV propagates a change. */
const MAX_VERSIONS = 4;
/** Maximum wait for another call that reads the same version, since concurrent cold calls would all hold its text. */
const MAX_WAIT_FOR_READ_MS = 600;
const POLL_INTERVAL_MS = 10;

export class ActivePolicy {
  readonly #config: Config;
  #last: { readonly text: string; readonly inForce: ActiveVersion & { readonly policy: Policy } } | undefined;
  /** In order of last use. Values, never promises: awaiting another call's promise may hang (measured). */
  readonly #versions = new Map<number, Policy | Unreadable>();
  /** Keys that a call is reading. */
  readonly #reading = new Set<string>();

  constructor(config: Config) {
    this.#config = config;
  }

  /** The policy of the last valid pointer; undefined before the first. */
  get last(): (ActiveVersion & { readonly policy: Policy }) | undefined {
    return this.#last?.inForce;
  }

  /**
   * The active version for `text`, the value of the pointer: null when it is missing, undefined when KV did not
   * respond. On a fault, the last valid version applies. The policy contains the lists that the rules of `step` read;
   * without them it is undefined. `now` is in milliseconds since 1970. Rejects when `read` does.
   */
  at(
    text: string | null | undefined,
    step: Step | undefined,
    now: number,
    read: ReadText,
  ): ActiveVersion | Promise<ActiveVersion> {
    if (text === undefined) return this.#lastWith('policy-kv-unavailable', step);
    if (text === null) return this.#lastWith('policy-missing', step);
    if (text === this.#last?.text && hasLists(this.#last.inForce.policy, step)) return this.#last.inForce;
    const pointer = readPointer(text);
    return pointer === undefined
      ? this.#lastWith('policy-unreadable', step)
      : this.#become(text, pointer, step, now, read);
  }

  async #become(text: string, { number, shadow }: Pointer, step: Step | undefined, now: number, read: ReadText) {
    const policy = await this.version(number, step, now, read);
    if (typeof policy === 'string') return this.#lastWith(policy, step);
    const inForce = { policy, shadow, fault: '' } as const;
    this.#last = { text, inForce };
    return inForce;
  }

  /** A version with the lists of a step, loaded once per isolate, or the fault. Rejects when `read` does. */
  async version(number: number, step: Step | undefined, now: number, read: ReadText): Promise<Policy | VersionFault> {
    const policy = await this.#once(
      planKey(number),
      () => this.#known(number, now),
      (text) => this.#load(number, text, now),
      read,
    );
    if (typeof policy === 'string') return policy;
    for (const name of policy.steps.get(step ?? '')?.lists ?? []) {
      const has = () => (policy.lists.has(name) ? true : undefined);
      const store = (text: string) => policy.lists.set(name, text) && true;
      if ((await this.#once(listKey(number, name), has, store, read)) !== true) return 'policy-missing';
    }
    return policy;
  }

  #load(number: number, text: string, now: number): Policy | 'policy-unreadable' {
    const { ROLES_CLAIM: rolesClaim, EXTENSIONS_APP_ID: extensionsAppId } = this.#config;
    const policy = loadPolicy(text, number, { rolesClaim, extensionsAppId });
    if (policy === undefined) log('policy-unreadable', { number });
    this.#cache(number, policy ?? { unreadableAt: now });
    return policy ?? 'policy-unreadable';
  }

  /** Applies `make` to the text under a key. One of several concurrent calls reads it. */
  async #once<Value>(
    key: string,
    known: () => Value | undefined,
    make: (text: string) => Value,
    read: ReadText,
  ): Promise<Value | 'policy-missing'> {
    for (let waitedMs = 0; this.#reading.has(key) && waitedMs < MAX_WAIT_FOR_READ_MS; waitedMs += POLL_INTERVAL_MS) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
    const made = known();
    if (made !== undefined) return made;
    this.#reading.add(key);
    try {
      const text = await read(key);
      return text === null ? 'policy-missing' : make(text);
    } finally {
      this.#reading.delete(key);
    }
  }

  #known(number: number, now: number): Policy | 'policy-unreadable' | undefined {
    const known = this.#versions.get(number);
    if (known === undefined) return undefined;
    if ('unreadableAt' in known)
      return Math.abs(now - known.unreadableAt) < RETRY_UNREADABLE_MS ? 'policy-unreadable' : undefined;
    this.#cache(number, known);
    return known;
  }

  #cache(number: number, version: Policy | Unreadable): void {
    this.#versions.delete(number);
    this.#versions.set(number, version);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > MAX_VERSIONS && oldest !== undefined) this.#versions.delete(oldest);
  }

  #lastWith(fault: PolicyFault, step: Step | undefined): ActiveVersion {
    const { policy, shadow } = this.#last?.inForce ?? {};
    return { policy: policy && hasLists(policy, step) ? policy : undefined, shadow, fault };
  }
}

const hasLists = ({ steps, lists }: Policy, step: Step | undefined): boolean =>
  steps.get(step ?? '')?.lists.every((name) => lists.has(name)) ?? true;

const actives = new WeakMap<Config, ActivePolicy>();

/** The stored policy of this isolate. */
export function activePolicyOf(config: Config): ActivePolicy {
  let active = actives.get(config);
  if (active === undefined) {
    active = new ActivePolicy(config);
    actives.set(config, active);
  }
  return active;
}

const builtIns = new WeakMap<Config, ActiveVersion & { readonly policy: Policy }>();

/** The built-in policy with the claim names of the settings. */
export function builtInForce(config: Config): ActiveVersion & { readonly policy: Policy } {
  let inForce = builtIns.get(config);
  if (inForce === undefined) {
    inForce = { policy: builtIn(sentName(config.ROLES_CLAIM, config.EXTENSIONS_APP_ID)), shadow: undefined, fault: '' };
    builtIns.set(config, inForce);
  }
  return inForce;
}

/** The policy in memory, for a reply without a decision. It never reads KV. */
export const policyInMemory = (config: Config): Policy =>
  (config.POLICY === 'built-in' ? undefined : activePolicyOf(config).last?.policy) ?? builtInForce(config).policy;
