/** Which columns of an attempt a report reads. */
import { getTableColumns } from 'drizzle-orm';
import { attempts } from '../../database/schema.ts';

/** Without `written_in`, which is the sums' own. */
const { writtenIn: _, ...columns } = getTableColumns(attempts);
export const attemptColumns = columns;
export type AttemptRow = Omit<typeof attempts.$inferSelect, 'writtenIn'>;
