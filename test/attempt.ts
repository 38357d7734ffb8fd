/** A valid attempt with some members changed. */
import { v7 as uuidv7 } from 'uuid';
import type { Attempt } from '../src/attempts/attempt.ts';

/** Happened now, unless an `id` says otherwise; the person has an object id that nobody else has. */
export function anAttempt(changed: Partial<Attempt> = {}): Attempt {
  const objectId = changed.objectId ?? crypto.randomUUID();
  return {
    kind: 'attempt',
    v: 1,
    id: uuidv7(),
    channel: 'user-flow',
    step: 'PreTokenIssuance',
    urlStep: '',
    outcome: 'continue',
    reason: '',
    reply: 'Continue',
    status: 200,
    rule: '',
    messageKey: '',
    message: '',
    supportCode: '',
    policyVersion: 0,
    clientId: '',
    objectId,
    email: '',
    issuer: '',
    issuerAssignedId: '',
    signInType: '',
    oidKey: objectId === '' ? '' : `oid:${objectId}`,
    idpKey: '',
    emailKey: '',
    otherKeys: [],
    locale: 'en-US',
    claimNames: ['step', 'objectId'],
    unexpectedClaims: [],
    keptClaims: {},
    roles: [],
    rolesUpdatedAt: null,
    durationMs: 3,
    degraded: '',
    notes: [],
    caller: 'Test',
    cfRay: '',
    correlationId: '',
    fingerprint: '0123456789abcdef0123456789abcdef',
    ...changed,
  };
}
