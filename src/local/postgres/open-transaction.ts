/** The consumer's insert as text and parameters, for transactions that stay open, which Neon's HTTP cannot have. */
import type { Message } from '../../attempts/attempt.ts';
import { connect } from '../../database/connect.ts';
import { attempts } from '../../database/schema.ts';
import { attemptRow } from '../../desk/consume/row.ts';

/** Only writes the query: nothing is ever sent to this address. */
const { db } = connect('postgres://nobody:nothing@127.0.0.1:1/none', 2_147_483_647);

export function insertQuery(some: readonly Message[]): { text: string; values: unknown[] } {
  const rows = some.map(attemptRow).filter((row) => row !== undefined);
  const { sql: text, params: values } = db.insert(attempts).values(rows).toSQL();
  return { text, values };
}
