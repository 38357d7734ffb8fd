/** Made-up attempts with enough different hours, dimensions and people to expose a wrong count. */

import { randomInt, randomUUID } from 'node:crypto';
import { v7 } from 'uuid';
import type { Attempt, Message } from '../../attempts/attempt.ts';
import { HOUR_MS } from '../../platform/duration.ts';
import { STEPS } from '../../sign-in/steps.ts';

const PEOPLE = Array.from({ length: 200 }, () => randomUUID());

const oneOf = <T>(choices: readonly T[]): T => choices[randomInt(choices.length)] as T;

/** An attempt within the three hours before `before`. Missing members get the defaults of their columns. */
export function madeUpAttempt(before: Date): Message {
  const outcome = oneOf(['continue', 'continue', 'block', 'invalid', 'error'] as const);
  const objectId = oneOf(PEOPLE);
  const attempt: Message & Partial<Attempt> = {
    kind: 'attempt',
    v: 1,
    id: v7({ msecs: before.getTime() - randomInt(1, 3 * HOUR_MS) }),
    channel: 'user-flow',
    step: oneOf(STEPS),
    outcome,
    reason: outcome === 'error' ? 'not-json' : '',
    reply: 'Continue',
    status: 200,
    rule: outcome === 'block' ? oneOf(['no-throwaway-mail', 'closed']) : '',
    clientId: oneOf(['shop', 'portal', 'app']),
    objectId,
    issuer: oneOf(['', 'google.com', 'facebook.com']),
    oidKey: `oid:${objectId}`,
    locale: 'en',
    claimNames: ['displayName'],
    keptClaims: { displayName: 'Made up' },
    durationMs: randomInt(1, 3_000),
    caller: 'test-postgres',
  };
  return attempt;
}

export const madeUpAttempts = (count: number, before: Date): Message[] =>
  Array.from({ length: count }, () => madeUpAttempt(before));
