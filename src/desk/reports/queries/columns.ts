/** The columns of an attempt that a report reads. */
import { getTableColumns } from 'drizzle-orm';
import { attempts } from '../../../database/schema.ts';

export const attemptColumns = getTableColumns(attempts);
export type AttemptRow = typeof attempts.$inferSelect;
