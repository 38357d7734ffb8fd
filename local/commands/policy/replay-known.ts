/**
 * What a kept attempt still says of its call. An attempt keeps the names of all claims and the values of a few (`KEEP_CLAIMS`);
 * what it does not say for sure is a gap, and never guessed. Pure but for digests of long keys.
 */
import { bound, MAX_CHARS, MAX_NAMES } from '../../../src/attempts/bounds.ts';
import { isNeverKept } from '../../../src/attempts/redaction.ts';
import type { Lookup } from '../../../src/entitlements/look-up.ts';
import { CUT_TO_FIT } from '../../../src/gate/attempt.ts';
import { readEvent } from '../../../src/gate/user-flow/request.ts';
import { NOTHING_HELD, type PersonEntitlements } from '../../../src/policy/policy.ts';
import { canonicalName } from '../../../src/sign-in/claim-names.ts';
import type { ClaimValue, SignInEvent } from '../../../src/sign-in/event.ts';
import type { UserFlowStep } from '../../../src/sign-in/steps.ts';
import type { KeptAttempt } from './replay-attempts.ts';

/**
 * Why something is not known. `not-kept`: `KEEP_CLAIMS` did not name the claim; `never-kept`: it is not kept whatever that
 * names; `cut`: it was longer than what is kept, or held characters that cannot be; `too-large`: the call did not fit into its
 * attempt; `person`: what is held about people is not kept.
 */
export type Why = 'not-kept' | 'never-kept' | 'cut' | 'too-large' | 'person';

export interface Gap {
  /** As an expression has it: `claims.city`, `person.groups`, `request.locale`. */
  readonly path: string;
  readonly why: Why;
}

export interface KnownCall {
  readonly step: UserFlowStep;
  /** Its claims are those whose values are known. */
  readonly event: SignInEvent;
  readonly entitlements: PersonEntitlements;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether the call had a claim of that name; undefined: nobody can say. */
  readonly had: (claim: string) => boolean | undefined;
  /** Why the value of a claim is not known; undefined: it is, or there was no such claim. */
  readonly claimGap: (claim: string) => Gap | undefined;
  /** The gaps that are not about claims. */
  readonly gaps: readonly Gap[];
}

export async function knownCall(attempt: KeptAttempt, step: UserFlowStep): Promise<KnownCall> {
  const { clientId, locale, claimNames, unexpectedClaims } = attempt;
  const event = await readEvent(bodyOf(attempt), step);
  const held = heldThen(attempt, step);
  const had = namesIn(attempt);
  return {
    step,
    // What was read of members whose values are not kept as they came.
    event: { ...event, step, clientId, locale, claimNames, unexpectedClaims },
    entitlements: held.entitlements,
    now: Date.parse(attempt.occurredAt),
    had,
    claimGap(claim) {
      if (Object.hasOwn(event.claims, claim) || had(claim) === false) return undefined;
      return { path: `claims.${claim}`, why: whyUnknown(attempt, claim, had(claim)) };
    },
    gaps: [...held.gaps, ...cutIn(attempt)],
  };
}

/** Neither cut nor mended on its way into the attempt (`bound`), as far as one can see. */
const isWhole = (text: string, maxChars: number) => text.length < maxChars && !text.includes('\ufffd');

/** The body, as far as its values are known: in the form that Gatehouse took it for, which reads as itself. */
function bodyOf({ keptClaims, claimNames, email, ...attempt }: KeptAttempt): Record<string, unknown> {
  const { issuer, issuerAssignedId, signInType } = attempt;
  const claims = Object.entries(keptClaims).filter(
    ([name, value]) => isKeepable(name) && (typeof value !== 'string' || isWhole(value, MAX_CHARS.value)),
  );
  const hadEmail = email !== '' || claimNames.includes('email');
  if (hadEmail && isWhole(email, MAX_CHARS.value)) claims.push(['email', email]);
  return {
    ...Object.fromEntries<ClaimValue>(claims),
    identities: issuer === '' ? [] : [{ signInType, issuer, issuerAssignedId }],
  };
}

/** Whether `KEEP_CLAIMS`, which is a list with commas in a text, can name it, and an attempt keeps it under that name. */
const isKeepable = (claim: string) =>
  /^[^\p{Cc},\ufffd]{1,99}$/u.test(claim) && claim.trim() === claim && canonicalName(claim) === claim;

function whyUnknown({ keptClaims, notes }: KeptAttempt, claim: string, had: boolean | undefined): Why {
  if (notes.includes(CUT_TO_FIT)) return 'too-large';
  if (claim === 'email' || Object.hasOwn(keptClaims, claim)) return 'cut';
  if (isNeverKept(claim) || !isKeepable(claim)) return 'never-kept';
  return had === undefined ? 'too-large' : 'not-kept';
}

function namesIn({ claimNames, keptClaims, email, notes }: KeptAttempt): KnownCall['had'] {
  const names = new Set(claimNames);
  const areAll = claimNames.length < MAX_NAMES && !notes.includes(CUT_TO_FIT);
  return (claim) => {
    if (Object.hasOwn(keptClaims, claim) || (claim === 'email' && email !== '')) return true;
    if (names.has(bound(claim, MAX_CHARS.name))) return isWhole(claim, MAX_CHARS.name) ? true : undefined;
    return areAll ? false : undefined;
  };
}

const gapsOf = (why: Why, ...paths: readonly string[]): Gap[] => paths.map((path) => ({ path, why }));

function cutIn({ issuer, issuerAssignedId, signInType, clientId, locale }: KeptAttempt): Gap[] {
  const { dimension, identifier } = MAX_CHARS;
  return [
    ...(isWhole(issuer, dimension) ? [] : gapsOf('cut', 'identity.issuer')),
    ...(isWhole(issuerAssignedId, identifier) ? [] : gapsOf('cut', 'identity.id')),
    ...(isWhole(signInType, dimension) ? [] : gapsOf('cut', 'identity.signInType')),
    ...(isWhole(clientId, dimension) ? [] : gapsOf('cut', 'request.clientId', 'request.application')),
    ...(isWhole(locale, dimension) ? [] : gapsOf('cut', 'request.locale')),
  ];
}

const LOOK_UP_FAILED: ReadonlySet<string> = new Set<Lookup['degraded']>(['kv-unavailable', 'entitlements-unreadable']);
const STALE_COPY: Lookup['degraded'] = 'kv-stale-copy';

/**
 * What Gatehouse held about the person. Roles of attempts are those held, but at the token step under a stored policy those
 * that it sent. Somebody without a record holds nothing, which is known where it was looked up: always before the token, under
 * the built-in policy at every step, under a stored one only where a rule asked. Where nobody asked, Workers KV is taken to
 * have answered.
 */
function heldThen({ degraded, policyVersion, roles, rolesUpdatedAt }: KeptAttempt, step: UserFlowStep) {
  const faults = degraded.split(' ');
  if (faults.some((fault) => LOOK_UP_FAILED.has(fault)))
    return { entitlements: { ...NOTHING_HELD, known: false }, gaps: [] };
  if (rolesUpdatedAt === null) {
    const lookedUp = step === 'PreTokenIssuance' || policyVersion === 0 || faults.includes(STALE_COPY);
    return {
      entitlements: NOTHING_HELD,
      gaps: lookedUp ? [] : gapsOf('person', 'person.roles', 'person.groups', 'person.attributes'),
    };
  }
  const others = gapsOf('person', 'person.groups', 'person.attributes');
  return step === 'PreTokenIssuance' && policyVersion > 0
    ? { entitlements: NOTHING_HELD, gaps: [...gapsOf('person', 'person.roles'), ...others] }
    : { entitlements: { ...NOTHING_HELD, roles }, gaps: others };
}
