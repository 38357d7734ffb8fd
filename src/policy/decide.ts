/**
 * Decides one call. Pure: no I/O, no clock, no chance; the same inputs give the same decision. Today's policy is built in and
 * only puts roles in the token; rules as data will be evaluated here, behind the same signature.
 */
import type { ClaimValue, SignInEvent } from '../connectors/event.ts';
import { messageText } from './messages.ts';

/** What a decision may know of the person: empty when we hold nothing, or nothing that could be read. */
export interface PersonEntitlements {
  readonly roles: readonly string[];
}

export interface Policy {
  /** 0 is the built-in policy; stored versions count from 1. */
  readonly version: number;
  /** The claim that carries the roles, in the form it is sent in; `''`: none is sent. */
  readonly rolesClaim: string;
}

interface ReplyClaims {
  /** Sent with Continue; also with a block or invalid that the step does not allow, where Continue is all that B2C takes. */
  readonly claims: { readonly [name: string]: ClaimValue };
}

export type Decision =
  | ({ readonly kind: 'continue' } & ReplyClaims)
  | ({
      readonly kind: 'block' | 'invalid';
      readonly rule: string;
      readonly messageKey: string;
      readonly message: string;
    } & ReplyClaims);

/** `now` is in milliseconds since 1970; `supportCode` is shown when somebody is turned away. Both are for the rules to come. */
export function decide(
  event: SignInEvent,
  entitlements: PersonEntitlements,
  policy: Policy,
  _now: number,
  _supportCode: string,
): Decision {
  return { kind: 'continue', claims: rolesClaims(event, entitlements, policy) };
}

/**
 * At the token step the roles claim is in every reply: left out, the directory's value, which a profile page may let the
 * person edit, would reach the token. Before the user is created, a typed-in value is blanked so that it is not stored.
 */
function rolesClaims(event: SignInEvent, { roles }: PersonEntitlements, { rolesClaim }: Policy) {
  if (rolesClaim === '') return {};
  if (event.step === 'PreTokenIssuance') return { [rolesClaim]: roles.join(' ') };
  if (event.step === 'PostAttributeCollection' && carries(event, rolesClaim)) return { [rolesClaim]: '' };
  return {};
}

/** By short or long name, in any case, and whatever its type: this is about what could be stored. */
function carries(event: SignInEvent, rolesClaim: string): boolean {
  const wanted = shortName(rolesClaim);
  return [...event.claimNames, ...event.unexpectedClaims].some((name) => shortName(name) === wanted);
}

const shortName = (name: string) => name.toLowerCase().replace(/^extension_[0-9a-f]{32}_/, 'extension_');

/**
 * The decision when there can be none: the body is unusable, something threw, or time ran out. The token step goes on with
 * empty roles, since B2C accepts nothing else; sign-up is refused, since nobody checked it.
 */
export function decideWithoutPolicy(
  event: Pick<SignInEvent, 'step'>,
  policy: Policy,
  reason: 'unreadable-body' | 'unavailable',
  supportCode: string,
): Decision {
  const claims = event.step === 'PreTokenIssuance' && policy.rolesClaim !== '' ? { [policy.rolesClaim]: '' } : {};
  if (event.step === 'PreTokenIssuance') return { kind: 'continue', claims };
  const kind = reason === 'unreadable-body' && event.step !== 'PostFederationSignup' ? 'invalid' : 'block';
  return { kind, rule: '', messageKey: reason, message: messageText(reason, supportCode), claims };
}
