/** Reads the policy pointer and the person's records from Workers KV, in one bulk read. */
import { type CallIdentity, randomSupportCode, supportCodeOf } from '../attempts/support-code.ts';
import {
  heldIn,
  type LocatedPerson,
  type Lookup,
  lastKnownGood,
  locate,
  lookUpIn,
  type PersonAsked,
  personAsked,
  type Values,
} from '../entitlements/look-up.ts';
import type { Config } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import { TimeoutError, type WithTimeout, withTimeout } from '../platform/timeout.ts';
import { type ActiveVersion, activePolicyOf, builtInForce, policyInMemory } from '../policy/active.ts';
import { POINTER_KEY } from '../policy/pointer.ts';
import { NOTHING_HELD, type Policy } from '../policy/policy.ts';
import type { SignInEvent } from '../sign-in/event.ts';
import type { Knowledge, Understood, World } from './answer.ts';
import { personIdOf } from './person-id.ts';

/** Time for decision and reply after the timeout of KV. */
const AFTER_KV_MS = 100;
/** A read that missed its timeout gets this multiple of it after the reply, for the next call. */
const LATE_READ_FACTOR = 5;

export interface KvWorldOptions {
  readonly kv: Pick<KVNamespace, 'get'>;
  readonly config: Config;
  /** Arrival and deadline of the call, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly deadline: number;
  readonly withTimeout: WithTimeout;
  /** Accepts work that continues after the reply: a late response from KV serves the next call. */
  readonly later: (work: Promise<unknown>) => void;
}

export class KvWorld implements World {
  readonly #options: KvWorldOptions;

  constructor(options: KvWorldOptions) {
    this.#options = options;
  }

  policyInMemory(): Policy {
    return policyInMemory(this.#options.config);
  }

  policy(): ActiveVersion | Promise<ActiveVersion> {
    const { config } = this.#options;
    if (config.POLICY === 'built-in') return builtInForce(config);
    return activePolicyOf(config).last ?? this.#coldPolicy();
  }

  /** Reads the current policy. Never rejects. */
  async policyNow(): Promise<ActiveVersion> {
    const last = await this.policy();
    return last.policy === undefined ? last : (await this.know(undefined, last)).inForce;
  }

  async #coldPolicy(): Promise<ActiveVersion> {
    const { config, startedAt } = this.#options;
    const active = activePolicyOf(config);
    const read = async () => active.at(await this.#readOne(POINTER_KEY), undefined, startedAt, this.#readOne);
    const inForce = await this.#inTime(config.DECISION_TIMEOUT_MS - AFTER_KV_MS, read);
    return inForce ?? active.at(undefined, undefined, startedAt, this.#readOne);
  }

  async know(event: Understood['event'] | undefined, last: ActiveVersion): Promise<Knowledge> {
    const { config, startedAt } = this.#options;
    const isStored = config.POLICY !== 'built-in';
    const person = event !== undefined && asksPerson(last, event.step) ? this.#personAsked(event) : undefined;
    const read = async () => {
      const located = person && (await locate(person, config.EMAIL_KEY));
      const values = await this.#readAll([...(isStored ? [POINTER_KEY] : []), ...placesIn(located)]);
      const lookup = located && lookUpIn(values, located, startedAt);
      if (!isStored) return { inForce: last, lookup };
      const pointer = values.get(POINTER_KEY) ?? null;
      return { lookup, inForce: await activePolicyOf(config).at(pointer, event?.step, startedAt, this.#readOne) };
    };
    const known = (await this.#inTime(config.KV_TIMEOUT_MS, read)) ?? (await this.#fallback(person, event?.step, last));
    return { ...known, ...heldBy(known.lookup, event) };
  }

  async #fallback(person: PersonAsked | undefined, step: string | undefined, last: ActiveVersion) {
    const { config, startedAt } = this.#options;
    return {
      inForce:
        config.POLICY === 'built-in'
          ? last
          : await activePolicyOf(config).at(undefined, step, startedAt, this.#readOne),
      lookup: person && lastKnownGood(person, startedAt, config.STALE_ROLES_MAX_SECONDS),
    };
  }

  /** The shadow policy with the lists of `step`; undefined when KV fails or times out. Never rejects. */
  async shadowPolicy(number: number, step: string): Promise<Policy | undefined> {
    const { config, startedAt } = this.#options;
    const read = () => activePolicyOf(config).version(number, step, startedAt, this.#readOne);
    const policy = await this.#inTime(config.KV_TIMEOUT_MS, read);
    return typeof policy === 'string' ? undefined : policy;
  }

  /** Reads the person's records after a reply that did not need them. Never rejects. */
  async lookUp(event: SignInEvent): Promise<Lookup> {
    const { config, startedAt } = this.#options;
    const person = this.#personAsked(event);
    const read = async () => {
      const located = await locate(person, config.EMAIL_KEY);
      return lookUpIn(await this.#readAll(placesIn(located)), located, startedAt);
    };
    const lookup = await this.#inTime(config.KV_TIMEOUT_MS, read);
    return lookup ?? lastKnownGood(person, startedAt, config.STALE_ROLES_MAX_SECONDS);
  }

  personId(event: SignInEvent): Promise<string | undefined> {
    return personIdOf(this.#options.config.SUPPORT_CODE_KEY, event);
  }

  supportCode(identity: CallIdentity): Promise<string> {
    return supportCodeOf(this.#options.config.SUPPORT_CODE_KEY, identity, this.#options.startedAt);
  }

  randomSupportCode(): string {
    return randomSupportCode();
  }

  #personAsked(event: SignInEvent): PersonAsked {
    return personAsked(event, this.#options.config);
  }

  /** Resolves as `work` does, or to undefined when it rejects or times out. It leaves time for the reply. */
  async #inTime<Value>(timeoutMs: number, work: () => Promise<Value>): Promise<Value | undefined> {
    const { deadline, later, withTimeout: limited } = this.#options;
    const working = work();
    try {
      return await limited(Math.max(0, Math.min(timeoutMs, deadline - Date.now() - AFTER_KV_MS)), () => working);
    } catch (error) {
      if (error instanceof TimeoutError)
        later(withTimeout(LATE_READ_FACTOR * timeoutMs, () => working).catch(() => undefined));
      else log('kv-not-read', errorFields(error));
      return undefined;
    }
  }

  readonly #readOne = (key: string): Promise<string | null> => this.#options.kv.get(key);

  /** Reads values as text: one invalid value fails a whole JSON bulk read. Rejects when KV fails. */
  async #readAll(keys: readonly string[]): Promise<Values> {
    if (keys.length === 0) return NO_VALUES;
    const values: unknown = await this.#options.kv.get([...keys]);
    if (!(values instanceof Map)) throw new TypeError('KV did not return a Map for a bulk read.');
    return values;
  }
}

const placesIn = (located: LocatedPerson | undefined): string[] => [...(located?.places.values() ?? [])].flat();

const NO_VALUES: Values = new Map();

/** A step that cannot refuse always reads the records, since its attempt contains the person's roles. */
function asksPerson({ policy }: ActiveVersion, step: string): boolean {
  const at = policy?.steps.get(step);
  return policy?.sendsRoles === true || at === undefined || at.asksPerson || !at.allows.block;
}

const heldBy = (lookup: Lookup | undefined, event: SignInEvent | undefined) =>
  lookup === undefined || event === undefined
    ? { person: NOTHING_HELD, droppedNames: 0 }
    : heldIn(lookup, event.clientId);
