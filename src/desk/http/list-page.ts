/** A page of a list that Postgres answers: its period, its length, and the cursor to the next page. */
import * as z from 'zod/mini';
import { type Position, type Question, readCursor } from './cursor.ts';
import { limit, text } from './input-rules.ts';
import { instant } from './typed-values.ts';

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 500;
export const FOREIGN_CURSOR =
  'not a cursor of this question: send "next" of the previous page, and change nothing else';

/** `from` is included, `to` is not. */
export const range = { from: z.optional(instant), to: z.optional(instant) };

export const page = { limit: limit(DEFAULT_LIMIT, MAX_LIMIT), cursor: z.optional(text) };

export const inOrder = z.refine<{ from?: Date | undefined; to?: Date | undefined }>(
  ({ from, to }) => from === undefined || to === undefined || from < to,
  { path: ['from'], message: 'not before "to": give a "from" that is earlier' },
);

/** A page of a list: the filters, the length, and the position that the page follows. */
export interface Page<Narrowed> {
  readonly narrowed: Narrowed;
  readonly limit: number;
  readonly after: Position | undefined;
  /** The question that the cursor of the next page belongs to. */
  readonly question: Question;
}

/** Last step of a schema: separates the page from the filters, and refuses the cursor of another question. */
export const paged = <Asked extends { limit: number; cursor?: string | undefined }>(list: string) =>
  z.transform(
    async ({ limit, cursor, ...narrowed }: Asked, context): Promise<Page<Omit<Asked, 'limit' | 'cursor'>>> => {
      const question: Question = [list, narrowed];
      const after = cursor === undefined ? undefined : await readCursor(question, cursor);
      if (after === undefined && cursor !== undefined) {
        context.issues.push({ code: 'custom', input: cursor, path: ['cursor'], message: FOREIGN_CURSOR });
        return z.NEVER;
      }
      return { narrowed, limit, after, question };
    },
  );
