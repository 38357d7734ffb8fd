/** Builds attempts, and writes them to the table without the queue. For workerd and Node. */
import { getTableColumns } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Attempt } from '../../src/attempts/attempt.ts';
import type { Database } from '../../src/database/connect.ts';
import { createMonths } from '../../src/database/partitions.ts';
import { attempts } from '../../src/database/schema.ts';
import { attemptRow } from '../../src/desk/consume/row.ts';

const { occurredAt: _, ...columns } = getTableColumns(attempts);
const EMPTY = { string: '', number: 0, boolean: false, array: [], json: {}, date: null };
/** An attempt with every column empty. */
const emptyAttempt = () =>
  Object.fromEntries(
    Object.entries(columns).map(([name, { dataType }]) => [name, EMPTY[dataType]]),
  ) as unknown as Attempt;

/** A valid attempt with some members changed. Defaults: the current time and a new objectId. */
export function anAttempt({ at, ...changed }: Partial<Attempt> & { at?: Date } = {}): Attempt {
  const objectId = changed.objectId ?? crypto.randomUUID();
  return {
    ...emptyAttempt(),
    kind: 'attempt',
    v: 1,
    id: uuidv7({ msecs: at?.getTime() ?? Date.now() }),
    channel: 'user-flow',
    step: 'PreTokenIssuance',
    outcome: 'continue',
    reply: 'Continue',
    status: 200,
    objectId,
    oidKey: objectId === '' ? '' : `oid:${objectId}`,
    locale: 'en-US',
    claimNames: ['step', 'objectId'],
    durationMs: 3,
    caller: 'Test',
    fingerprint: '0123456789abcdef0123456789abcdef',
    isolate: null,
    ...changed,
  };
}

/** Inserts attempts and creates their months. */
export async function keepAttempts(db: Database, some: readonly Attempt[]): Promise<void> {
  const rows = some.map(rowOf);
  await createMonths(
    db,
    rows.map(({ occurredAt }) => occurredAt),
  );
  // Postgres accepts 65,535 parameters a statement.
  for (let first = 0; first < rows.length; first += 1_000) {
    await db.insert(attempts).values(rows.slice(first, first + 1_000));
  }
}

/** Throws where the consumer would refuse the attempt. */
function rowOf(attempt: Attempt) {
  const row = attemptRow(attempt);
  if (row === undefined) throw new Error('A value has the wrong type for its column.');
  return row;
}
