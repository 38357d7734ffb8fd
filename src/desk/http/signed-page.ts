/** A page of a list whose store has cursors of its own: Workers KV, or the number of a row. */
import * as z from 'zod/mini';
import { signatureOf } from './cursor.ts';
import { limit, strict, text } from './input-rules.ts';

/** Length of a signature of `cursor.ts`. */
const SIGNATURE_CHARS = 16;

export const FOREIGN_SIGNED_CURSOR = 'not a cursor of this list. Send all of "next" from the previous page';

/**
 * Pages of a list whose cursor is a text of its store. KV does not reliably reject a foreign or damaged cursor, so
 * Gatehouse puts a signature of the list and the cursor in front of it.
 */
export function signedPageOf(list: string, preset: number, most: number) {
  const ours = async (stored: string) => (await signatureOf([list, stored])) + stored;
  const cursor = z.pipe(
    text,
    z.transform(async (typed: string, { issues }): Promise<string> => {
      const stored = typed.slice(SIGNATURE_CHARS);
      if (stored !== '' && typed === (await ours(stored))) return stored;
      issues.push({ code: 'custom', input: typed, message: FOREIGN_SIGNED_CURSOR });
      return z.NEVER;
    }),
  );
  return {
    query: strict({ cursor: z.optional(cursor), limit: limit(preset, most) }),
    /** The member `next` of the response; absent on the last page. */
    next: async (stored: string | undefined) => (stored === undefined ? {} : { next: await ours(stored) }),
  };
}
