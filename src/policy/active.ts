/**
 * The policy that decides. Every call reads the pointer from Workers KV; a version never changes under its number, so what
 * was loaded once never grows old. When KV does not answer, the last pointer counts.
 */
import type { Config } from '../platform/config.ts';
import { log } from '../platform/log.ts';
import type { Step } from '../sign-in/event.ts';
import { loadPolicy } from './load-plan.ts';
import { listKey, planKey } from './plan.ts';
import { type Pointer, readPointer } from './pointer.ts';
import { builtIn, type Policy, sentName } from './policy.ts';

/** `''`, or why this may not be the version that was saved last. */
export type PolicyFault = '' | 'policy-kv-unavailable' | VersionFault;
type VersionFault = 'policy-missing' | 'policy-unreadable';

/** A version whose decisions are only recorded, and the share of the calls (0 to 1) that it runs for. */
export type Shadow = NonNullable<Pointer['shadow']>;

export interface ActiveVersion {
  /** Undefined: none is known, and nothing may be decided. */
  readonly policy: Policy | undefined;
  readonly shadow: Shadow | undefined;
  readonly fault: PolicyFault;
}

/** Reads the text under a key of Workers KV; null when there is none. Rejects when KV does. */
export type ReadText = (key: string) => Promise<string | null>;

type Unreadable = { readonly unreadableAt: number };

/** A version that was broken by hand may be repaired by hand, under the same number. */
const RETRY_UNREADABLE_MS = 10_000;
/** The active version, its shadow, and the two before them: while KV spreads a change, calls may still bring the old pointer. */
const MAX_VERSIONS = 4;
/** How long a call waits for another one that reads the same version, so that many cold calls do not each hold its text. */
const READ_BY_ANOTHER_MS = 600;
const LOOK_AGAIN_MS = 10;

export class ActivePolicy {
  readonly #config: Config;
  #last: { readonly text: string; readonly inForce: ActiveVersion & { readonly policy: Policy } } | undefined;
  /** Values, never promises: awaiting another call's promise may hang (measured). The last used is the last. */
  readonly #versions = new Map<number, Policy | Unreadable>();
  /** Keys that a call is reading. */
  readonly #reading = new Set<string>();

  constructor(config: Config) {
    this.#config = config;
  }

  /** What the last pointer that could be used said; undefined before the first. */
  get last(): (ActiveVersion & { readonly policy: Policy }) | undefined {
    return this.#last?.inForce;
  }

  /**
   * What is in force by `text`, the value of the pointer: null when KV holds none, undefined when KV did not answer. Then,
   * and when the pointer or its version cannot be used, the last one counts, with the fault. The lists that the rules of `step`
   * ask for are there; where they cannot be had, no policy is. `now` is in milliseconds since 1970. Rejects when `read` does.
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

  /** A version, loaded once an isolate, with the lists of a step; or why it cannot be used. Rejects when `read` does. */
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
      const keep = (text: string) => policy.lists.set(name, text) && true;
      if ((await this.#once(listKey(number, name), has, keep, read)) !== true) return 'policy-missing';
    }
    return policy;
  }

  #load(number: number, text: string, now: number): Policy | 'policy-unreadable' {
    const { ROLES_CLAIM: rolesClaim, EXTENSIONS_APP_ID: extensionsAppId } = this.#config;
    const policy = loadPolicy(text, number, { rolesClaim, extensionsAppId });
    if (policy === undefined) log('policy-unreadable', { number });
    this.#keep(number, policy ?? { unreadableAt: now });
    return policy ?? 'policy-unreadable';
  }

  /** What `make` makes of the text under a key: of many calls at once one reads it. */
  async #once<Value>(
    key: string,
    known: () => Value | undefined,
    make: (text: string) => Value,
    read: ReadText,
  ): Promise<Value | 'policy-missing'> {
    for (let waitedMs = 0; this.#reading.has(key) && waitedMs < READ_BY_ANOTHER_MS; waitedMs += LOOK_AGAIN_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
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
    this.#keep(number, known);
    return known;
  }

  #keep(number: number, version: Policy | Unreadable): void {
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

/** The built-in policy under the names of claims that the settings give. */
export function builtInForce(config: Config): ActiveVersion & { readonly policy: Policy } {
  let inForce = builtIns.get(config);
  if (inForce === undefined) {
    inForce = { policy: builtIn(sentName(config.ROLES_CLAIM, config.EXTENSIONS_APP_ID)), shadow: undefined, fault: '' };
    builtIns.set(config, inForce);
  }
  return inForce;
}

/** What this isolate knows without asking: for a reply that no policy can decide. */
export const policyInMemory = (config: Config): Policy =>
  (config.POLICY === 'built-in' ? undefined : activePolicyOf(config).last?.policy) ?? builtInForce(config).policy;
