/**
 * Restores the inputs of a call from its attempt. An attempt stores the names of all claims and the values of a few
 * (`KEEP_CLAIMS`). Everything that is not certain is UNKNOWN.
 */

import { IDENTITIES_DROPPED, TOKEN_LEFT_OUT } from '../../../attempts/notes.ts';
import { isNeverStored, type StoredClaims } from '../../../attempts/redaction.ts';
import { MAX_CHARS, MAX_NAMES, truncate } from '../../../attempts/text-limits.ts';
import type { Lookup } from '../../../entitlements/look-up.ts';
import type { ScopeInputs } from '../../../expressions/scope.ts';
import { subtrees, type Tree, type TreeNode } from '../../../expressions/tree.ts';
import { UNKNOWN } from '../../../expressions/values.ts';
import { CUT_TO_FIT } from '../../../gate/truncate-attempt.ts';
import type { ExchangeInput } from '../../../policy/exchange.ts';
import { canonicalName, comparableName } from '../../../sign-in/claim-names.ts';
import type { Channel } from '../../../sign-in/event.ts';
import type { StoredAttempt } from './replay-attempts.ts';

/** An input of expressions: `claims.city` (value), `has(claims.city)` (name), `person.groups`, `identity`, … */
export type KnownInput = string;

const valueInput = (claim: string): KnownInput => `claims.${claim}`;
const nameInput = (claim: string): KnownInput => `has(claims.${claim})`;

function inputOf([operator, first, second]: TreeNode): KnownInput | undefined {
  if (operator === 'claims') return valueInput(String(first));
  if (operator === 'person' || (operator === 'has' && first === 'person')) return 'person.id';
  if (operator === 'has') return first === 'claims' ? nameInput(String(second)) : 'person.attributes';
  if (operator === 'roles' || operator === 'groups' || operator === 'attributes') return `person.${operator}`;
  if (operator === 'identity' || operator === 'identities') return operator;
  return operator === 'request' ? `request.${first}` : undefined;
}

export function knownInputs(tree: Tree): readonly KnownInput[] {
  const input = typeof tree === 'object' ? inputOf(tree) : undefined;
  return input === undefined ? subtrees(tree).flatMap(knownInputs) : [input];
}

/** Splits each claim into two inputs, name and value: one can be known without the other. */
export function withInputs(tree: Tree): Tree {
  if (typeof tree !== 'object') return tree;
  const [operator, ...parts] = tree;
  if (operator === 'claims') return [operator, inputOf(tree) ?? ''];
  if (operator === 'has' && parts[0] === 'claims') return [operator, 'claims', inputOf(tree) ?? ''];
  if (operator !== 'map') return [operator, ...parts.map(withInputs)];
  const entries = parts as unknown as readonly (readonly [string, Tree])[];
  return [operator, ...entries.map(([key, value]): Tree => [key, withInputs(value)])];
}

export interface KnownCall {
  /** For expressions that {@link withInputs} changed. The policy adds `application` and `lists`. */
  readonly inputs: Omit<ScopeInputs, 'application' | 'lists'>;
  readonly unknown: ReadonlySet<KnownInput>;
  /** Whether Gatehouse could look up the person. */
  readonly isPersonKnown: boolean;
}

export interface ReplayedStep {
  readonly channel: Channel;
  readonly name: string;
  /** Of the draft's exchange; undefined in a user flow. */
  readonly inputs: readonly ExchangeInput[] | undefined;
}

/** `claims` are the claims that expressions read. */
export function knownCall(
  attempt: StoredAttempt,
  { name: step, inputs }: ReplayedStep,
  claims: Iterable<string>,
): KnownCall {
  const { occurredAt, channel, issuer, issuerAssignedId, signInType } = attempt;
  const { isPersonKnown, roles, groups, attributes } = heldThen(attempt, step, inputs === undefined);
  const byName = inputs === undefined ? claimsOf(attempt, claims) : claimsOfExchange(attempt, inputs, claims);
  const isWithoutTexts = attempt.notes.includes(TOKEN_LEFT_OUT);
  const whole = (text: string) => (text === '' && isWithoutTexts ? UNKNOWN : dimension(text));
  const [clientId, locale] = [whole(attempt.clientId), whole(attempt.locale)];
  // An exchange of the draft may identify the person in another way.
  const isIdentityWhole =
    inputs === undefined &&
    !isWithoutTexts &&
    !attempt.notes.includes(IDENTITIES_DROPPED) &&
    [issuer, signInType].every((text) => dimension(text) === text) &&
    isWhole(issuerAssignedId, MAX_CHARS.identifier);
  const identity = isIdentityWhole ? { issuer, issuerAssignedId, signInType } : UNKNOWN;
  // An attempt stores the first identity only. Without one, it has none.
  const identities = isIdentityWhole && issuer === '' ? [] : UNKNOWN;
  const read: { readonly [input: KnownInput]: unknown } = {
    ...byName,
    // It needs the secret of the gate.
    'person.id': UNKNOWN,
    ...{ 'person.roles': roles, 'person.groups': groups, 'person.attributes': attributes, identity, identities },
    ...{ 'request.clientId': clientId, 'request.application': clientId, 'request.locale': locale },
  };
  return {
    inputs: {
      ...{ claims: byName, identity, identities, roles, groups, attributes, step, clientId, locale, channel },
      personId: UNKNOWN,
      now: Date.parse(occurredAt),
    },
    unknown: new Set(Object.keys(read).filter((input) => read[input] === UNKNOWN)),
    isPersonKnown,
  };
}

/** Whether the attempt certainly stores the text unchanged and not truncated. */
const isWhole = (text: string, maxChars: number) => text.length < maxChars && !text.includes('\ufffd');
const dimension = (text: string) => (isWhole(text, MAX_CHARS.dimension) ? text : UNKNOWN);

/** By input. A missing input means that the call had no such claim. */
function claimsOf({ keptClaims, claimNames, email, notes }: StoredAttempt, claims: Iterable<string>) {
  const names = new Set(claimNames.map(comparableName));
  const areAllNames = claimNames.length < MAX_NAMES && !notes.includes(CUT_TO_FIT);
  const whole = Object.entries(keptClaims).filter(([name]) => isWhole(name, MAX_CHARS.name));
  const values = new Map(whole.map(([name, value]) => [comparableName(name), value]));
  const isEmailKnown = names.has('email') && !notes.includes(TOKEN_LEFT_OUT);
  if (email !== '' || isEmailKnown) values.set('email', email);
  const found: { [input: KnownInput]: ScopeInputs['claims'][string] } = {};
  for (const claim of claims) {
    const name = comparableName(claim);
    const isNamed = values.has(name) || (names.has(name) && isWhole(claim, MAX_CHARS.name));
    if (!isNamed && areAllNames && !names.has(comparableName(truncate(claim, MAX_CHARS.name)))) continue;
    const value = values.get(name) ?? UNKNOWN;
    found[nameInput(claim)] = isNamed || UNKNOWN;
    found[valueInput(claim)] = typeof value === 'string' && !isWhole(value, MAX_CHARS.value) ? UNKNOWN : value;
  }
  return found;
}

/**
 * The claims of an exchange. An attempt has those that were inputs at the time, so a claim that it lacks may have been
 * sent all the same: its absence is unknown. So is a value that has another type than the draft declares.
 */
function claimsOfExchange(attempt: StoredAttempt, inputs: readonly ExchangeInput[], claims: Iterable<string>) {
  const types = new Map(inputs.map(({ claim, type }) => [comparableName(claim), type]));
  const read = claimsOf(attempt, claims);
  const found: { [input: KnownInput]: ScopeInputs['claims'][string] } = {};
  for (const claim of claims) {
    const type = types.get(comparableName(claim));
    // An exchange of the draft that does not have the input never has the claim.
    if (type === undefined) continue;
    const value = read[valueInput(claim)];
    const isEmailOnly = comparableName(claim) === 'email' && attempt.email === '';
    found[nameInput(claim)] = read[nameInput(claim)] ?? UNKNOWN;
    found[valueInput(claim)] = value === undefined || typeof value !== type || isEmailOnly ? UNKNOWN : value;
  }
  return found;
}

/** Whether `KEEP_CLAIMS`, a comma-separated list, can name the claim. E-mail addresses are always stored. */
export const isKeepable = (stored: StoredClaims, claim: string) =>
  /^[^\p{Cc},\ufffd]{1,99}$/u.test(claim) &&
  claim === canonicalName(claim.trim()) &&
  claim !== 'email' &&
  !isNeverStored(stored, claim);

const LOOK_UP_FAILED: ReadonlySet<string> = new Set<Lookup['degraded']>(['kv-unavailable', 'entitlements-unreadable']);
const STALE_COPY: Lookup['degraded'] = 'kv-stale-copy';

/**
 * The person's record at the time of the call. An attempt stores the roles of the record, but at the token step under a
 * stored policy the roles that were sent. That a person has no record is known only if Gatehouse looked: always before
 * the token, always under the built-in policy, else only if a rule needed it. At an exchange it is never known. Without
 * a look-up, Workers KV counts as available.
 */
function heldThen(
  { degraded, policyVersion, roles, rolesUpdatedAt }: StoredAttempt,
  step: string,
  isUserFlow: boolean,
) {
  const faults = degraded.split(' ');
  const isPersonKnown = !faults.some((fault) => LOOK_UP_FAILED.has(fault));
  const isTokenStep = step === 'PreTokenIssuance';
  const isLookedUp = isUserFlow && (isTokenStep || policyVersion === 0 || faults.includes(STALE_COPY));
  if (!isPersonKnown || (rolesUpdatedAt === null && isLookedUp))
    return { isPersonKnown, roles: [], groups: [], attributes: {} };
  const areHeld = rolesUpdatedAt !== null && (!isTokenStep || policyVersion === 0);
  return { isPersonKnown, roles: areHeld ? roles : UNKNOWN, groups: UNKNOWN, attributes: UNKNOWN };
}
