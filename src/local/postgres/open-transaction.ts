/** The consumer's insert as text and parameters, for transactions that stay open. Neon's HTTP does not support them. */
import type { Message } from '../../attempts/attempt.ts';
import { connect } from '../../database/connect.ts';
import { attempts } from '../../database/schema.ts';
import { attemptRow } from '../../desk/consume/row.ts';

/** Only builds the query: nothing is sent to this address. */
const { db } = connect('postgres://unused:unused@127.0.0.1:1/unused', 2_147_483_647);

export function insertQuery(some: readonly Message[]): { text: string; values: unknown[] } {
  const rows = some.map(attemptRow).filter((row) => row !== undefined);
  const { sql: text, params: values } = db.insert(attempts).values(rows).toSQL();
  return { text, values };
}
