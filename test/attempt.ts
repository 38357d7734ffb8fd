/** A valid attempt with some members changed; and attempts in the table without the queue. In workerd and in Node. */
import { v7 as uuidv7 } from 'uuid';
import type { Attempt } from '../src/attempts/attempt.ts';
import { createMonths } from '../src/attempts/partitions.ts';
import { attemptRow } from '../src/attempts/store.ts';
import type { Database } from '../src/database/connect.ts';
import { attempts } from '../src/database/schema.ts';

/** Happened now, unless `at` or an `id` says otherwise; the person has an object id that nobody else has. */
export function anAttempt({ at, ...changed }: Partial<Attempt> & { at?: Date } = {}): Attempt {
  const objectId = changed.objectId ?? crypto.randomUUID();
  return {
    kind: 'attempt',
    v: 1,
    id: uuidv7({ msecs: at?.getTime() ?? Date.now() }),
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
    messageLanguage: '',
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

/** Inserts attempts and makes the months they need. */
export async function keepAttempts(db: Database, some: readonly Attempt[]): Promise<void> {
  const rows = some.map(attemptRow);
  await createMonths(
    db,
    rows.map(({ occurredAt }) => occurredAt),
  );
  // Postgres takes 65,535 parameters a statement.
  for (let first = 0; first < rows.length; first += 1_000) {
    await db.insert(attempts).values(rows.slice(first, first + 1_000));
  }
}
