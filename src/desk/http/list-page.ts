/** A page of a list that Postgres answers: its period, its length, and the cursor to the next page. */
import * as z from 'zod/mini';
import { type Position, type Question, readCursor } from './cursor.ts';
import { limit, text } from './input-rules.ts';
import { type Period, periodOf, type TypedPeriod } from './typed-times.ts';

const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 500;
export const FOREIGN_CURSOR =
  'not a cursor of this question: send "next" of the previous page, and change nothing else';

export const page = { limit: limit(DEFAULT_LIMIT, MAX_LIMIT), cursor: z.optional(text) };

/** A page of a list: the filters, the length, and the position that the page follows. */
export interface Page<Narrowed> {
  readonly narrowed: Narrowed;
  readonly limit: number;
  readonly after: Position | undefined;
  /** The question that the cursor of the next page belongs to. */
  readonly question: Question;
}

interface Paged extends TypedPeriod {
  limit: number;
  cursor?: string | undefined;
}
type Narrowed<Asked> = Omit<Asked, keyof Paged> & Period;

/** Last step of a schema: separates the page from the filters, and refuses the cursor of another question. */
export const paged = <Asked extends Paged>(list: string) =>
  z.transform(async ({ limit, cursor, from, to, tz, ...rest }: Asked, context): Promise<Page<Narrowed<Asked>>> => {
    const period = periodOf({ from, to, tz }, Date.now(), context, cursor === undefined);
    if (period === undefined) return z.NEVER;
    // Another language is the same page.
    const question: Question = [list, { ...rest, ...period.signed, lang: undefined }];
    const after = cursor === undefined ? undefined : await readCursor(question, cursor);
    if (after === undefined && cursor !== undefined) {
      context.issues.push({ code: 'custom', input: cursor, path: ['cursor'], message: FOREIGN_CURSOR });
      return z.NEVER;
    }
    // A "from" such as -24h is another moment by now.
    return { narrowed: { ...rest, from: after?.from ?? period.from, to: period.to }, limit, after, question };
  });
