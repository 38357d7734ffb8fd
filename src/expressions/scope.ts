/** The data of a call that expressions read. */
import { MAX_PERSON_ROLES, MAX_ROLE_TEXT, MAX_TEXT_READ, MAX_WORK } from './limits.ts';
import { hasAllDigits } from './numbers.ts';
import { IDENTITY, type IdentityMember, type Owner, type RequestMember } from './tree.ts';
import { Unknown, type Value } from './values.ts';

type ClaimValue = string | number | boolean;
/** Replay passes `UNKNOWN` for data that was not stored. */
type Known<T> = T | Unknown;
type ScopeIdentity = Readonly<Record<'issuer' | 'issuerAssignedId' | 'signInType', string>>;

export interface ScopeInputs {
  /** By canonical name, which is case-insensitive. A name without a value is absent. */
  readonly claims: { readonly [name: string]: Known<ClaimValue> };
  /** The first identity of the call. */
  readonly identity: Known<ScopeIdentity> | undefined;
  /** All identities of the call, in order. */
  readonly identities: Known<readonly ScopeIdentity[]>;
  /** The id of the person; absent when the call has no person key, or no rule reads it. */
  readonly personId?: Known<string> | undefined;
  readonly roles: Known<readonly string[]>;
  readonly groups: Known<readonly string[]>;
  readonly attributes: Known<{ readonly [name: string]: ClaimValue }>;
  readonly step: Known<string>;
  readonly clientId: Known<string>;
  /** The policy's name for the client id; `''` when there is none. */
  readonly application: Known<string>;
  readonly locale: Known<string>;
  readonly channel: Known<string>;
  /** In milliseconds since 1970. */
  readonly now: number;
  /** The texts of the policy's lists (`list.ts`). An expression that reads a missing list fails. */
  readonly lists: Pick<ReadonlyMap<string, string>, 'get'>;
}

/**
 * One call. A longer text is truncated to 10,000 characters plus U+FFFD. It is still present and too long, matches no
 * other text, and cannot become a claim. A scope costs little until an expression reads it.
 */
export class Scope {
  readonly lists: ScopeInputs['lists'];
  readonly now: number;
  /** Remaining units of work; -1 after an expression exceeded them. */
  work: number;
  /** Values of equal sub-expressions, by slot. */
  readonly memo: Value[] = [];
  readonly #inputs: ScopeInputs;
  readonly #truncated = new Map<string, string>();
  #roles: Value | undefined;
  #groups: Value | undefined;
  #identities: Value | undefined;
  /** Names of claims and attributes by their lower case. */
  readonly #spellings = new Map<'claims' | 'attributes', ReadonlyMap<string, string>>();

  constructor(inputs: ScopeInputs, work = MAX_WORK) {
    this.#inputs = inputs;
    this.lists = inputs.lists;
    this.now = inputs.now;
    this.work = work;
  }

  /** A claim, an attribute or the person's id; undefined if absent. */
  member(of: Owner, name: string): Value | undefined {
    if (of === 'person') return this.#inputs.personId;
    const values = this.#inputs[of];
    if (values instanceof Unknown) return values;
    if (Object.hasOwn(values, name)) return this.#valueOf(of, values[name]);
    let spellings = this.#spellings.get(of);
    if (spellings === undefined) {
      spellings = new Map(Object.keys(values).map((own) => [own.toLowerCase(), own]));
      this.#spellings.set(of, spellings);
    }
    const spelled = spellings.get(name.toLowerCase());
    return spelled === undefined ? undefined : this.#valueOf(of, values[spelled]);
  }

  /** A record that was written by hand may have a number beyond 2^53. It is absent, as one of a call is. */
  #valueOf<T extends Value | undefined>(of: 'claims' | 'attributes', value: T): T | string | undefined {
    return of === 'attributes' && typeof value === 'number' && !hasAllDigits(value) ? undefined : this.#read(value);
  }

  identity(member: IdentityMember): Value {
    const { identity } = this.#inputs;
    if (identity === undefined) return '';
    return identity instanceof Unknown ? identity : this.#read(identity[member === 'id' ? 'issuerAssignedId' : member]);
  }

  /** Maps with the members of `identity`. */
  get identities(): Value {
    this.#identities ??= this.#readIdentities(this.#inputs.identities);
    return this.#identities;
  }

  #readIdentities(identities: ScopeInputs['identities']): Value {
    if (identities instanceof Unknown) return identities;
    return identities.map(
      (identity) =>
        new Map(IDENTITY.map((name) => [name, this.#read(identity[name === 'id' ? 'issuerAssignedId' : name])])),
    );
  }

  request(member: RequestMember): Value {
    return this.#read(this.#inputs[member]);
  }

  get roles(): Value {
    this.#roles ??= namesOf(this.#inputs.roles);
    return this.#roles;
  }

  get groups(): Value {
    this.#groups ??= namesOf(this.#inputs.groups);
    return this.#groups;
  }

  #read<T extends Value | undefined>(value: T): T | string {
    if (typeof value !== 'string' || value.length < MAX_TEXT_READ) return value;
    const known = this.#truncated.get(value) ?? `${value.slice(0, MAX_TEXT_READ - 1).toWellFormed()}\uFFFD`;
    this.#truncated.set(value, known);
    return known;
  }
}

export const openScope = (inputs: ScopeInputs, work?: number): Scope => new Scope(inputs, work);

/** Applies the limits of entitlements. */
const namesOf = (names: Known<readonly string[]>): Value =>
  names instanceof Unknown ? names : names.filter((name) => name.length <= MAX_ROLE_TEXT).slice(0, MAX_PERSON_ROLES);
