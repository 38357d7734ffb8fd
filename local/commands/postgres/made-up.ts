/** Made-up attempts: enough different hours, dimensions and people that a row counted wrongly shows somewhere. */
import { randomInt, randomUUID } from 'node:crypto';
import { v7 } from 'uuid';
import type { Attempt } from '../../../src/attempts/attempt.ts';
import { STEPS } from '../../../src/sign-in/steps.ts';

const HOUR_MS = 3_600_000;
const PEOPLE = Array.from({ length: 200 }, () => randomUUID());

const oneOf = <T>(choices: readonly T[]): T => choices[randomInt(choices.length)] as T;

/** An attempt within the three hours before `before`. */
export function madeUpAttempt(before: Date): Attempt {
  const outcome = oneOf(['continue', 'continue', 'block', 'invalid', 'error'] as const);
  const objectId = oneOf(PEOPLE);
  return {
    kind: 'attempt',
    v: 1,
    id: v7({ msecs: before.getTime() - randomInt(1, 3 * HOUR_MS) }),
    channel: 'user-flow',
    step: oneOf(STEPS),
    urlStep: '',
    outcome,
    reason: outcome === 'error' ? 'not-json' : '',
    reply: 'Continue',
    status: 200,
    rule: outcome === 'block' ? oneOf(['no-throwaway-mail', 'closed']) : '',
    messageKey: '',
    message: '',
    messageLanguage: '',
    supportCode: '',
    policyVersion: 0,
    clientId: oneOf(['shop', 'portal', 'app']),
    objectId,
    email: '',
    issuer: oneOf(['', 'google.com', 'facebook.com']),
    issuerAssignedId: '',
    signInType: '',
    oidKey: `oid:${objectId}`,
    idpKey: '',
    emailKey: '',
    otherKeys: [],
    locale: 'en',
    claimNames: ['displayName'],
    unexpectedClaims: [],
    keptClaims: { displayName: 'Made up' },
    roles: [],
    rolesUpdatedAt: null,
    durationMs: randomInt(1, 3_000),
    degraded: '',
    notes: [],
    caller: 'test-postgres',
    cfRay: '',
    correlationId: '',
    fingerprint: '',
  };
}

export const madeUpAttempts = (count: number, before: Date): Attempt[] =>
  Array.from({ length: count }, () => madeUpAttempt(before));
