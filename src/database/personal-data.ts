/**
 * Which columns of {@link attempts} hold or derive from personal data. Every column is in one of the two lists, which
 * a test checks. To erase a person empties the blinded columns (`desk/erasure/blinding.ts`); the rest of the row stays,
 * so that aggregates keep their counts.
 */
import type { attempts } from './schema.ts';

type AttemptColumn = keyof typeof attempts.$inferSelect;

/** What identifies or describes the person, or leads to them through another system. */
export const BLINDED_COLUMNS = [
  'objectId',
  'email',
  'issuerAssignedId',
  'oidKey',
  'idpKey',
  'emailKey',
  'otherKeys',
  'keptClaims',
  'message',
  'supportCode',
  'roles',
  'rolesUpdatedAt',
  'notes',
  'cfRay',
  'correlationId',
  'fingerprint',
  'ipNetwork',
] as const satisfies readonly AttemptColumn[];

/** What the call was about, and names that policies, tenants and applications have. Aggregates count most of them. */
export const KEPT_COLUMNS = [
  'id',
  'occurredAt',
  'channel',
  'step',
  'urlStep',
  'outcome',
  'reason',
  'reply',
  'status',
  'rule',
  'messageKey',
  'messageLanguage',
  'policyVersion',
  'clientId',
  'issuer',
  'signInType',
  'locale',
  'claimNames',
  'unexpectedClaims',
  'sentClaims',
  'failedRules',
  'quotedClaims',
  'durationMs',
  'degraded',
  'caller',
  'shadowVersion',
  'shadowOutcome',
  'shadowRule',
  'shadowMessageKey',
  'shadowDiffers',
  'shadowClaims',
  'policyId',
  'callerKind',
  'isolate',
  'sequence',
] as const satisfies readonly AttemptColumn[];
