/** The roles that a reply had. */
import { containsToken } from '../attempts/token-shape.ts';
import { MAX_ROLES, ROLE_NAME } from '../entitlements/stored-record.ts';
import type { Policy, SentValue } from '../policy/policy.ts';
import type { SignInEvent } from '../sign-in/event.ts';
import type { Answered } from './answer.ts';

/** At the token step of a stored policy, the roles in the sent claim. Otherwise the person's roles. */
export function rolesSent({ reached: { inForce, event, person }, decision }: Answered): string[] {
  const policy = inForce?.policy;
  if (policy === undefined || policy.sendsRoles || !isTokenStep(policy, event)) return [...(person?.roles ?? [])];
  return rolesIn(decision.claims[policy.rolesClaim]);
}

export const isTokenStep = ({ steps }: Policy, event: SignInEvent | undefined): boolean =>
  event?.step !== undefined && steps.get(event.step)?.allows.claims === 'token';

/** The roles in a claim, in the form that an attempt stores. */
export const rolesIn = (claim: SentValue | undefined): string[] =>
  namesInClaim(claim)
    .filter((name) => ROLE_NAME.test(name) && !containsToken(name))
    .slice(0, MAX_ROLES);

/** Splits at any separator that a policy may use. Names contain none of them. */
export const namesInClaim = (claim: SentValue | undefined): string[] =>
  String(claim ?? '')
    .split(/[\s,;|]+/)
    .filter((name) => name !== '');
