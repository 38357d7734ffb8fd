/** What the addresses of administrators take: person keys as people type them, and pages. */
import * as z from 'zod/mini';
import { readPersonKey } from '../connectors/event.ts';

/** Longer than any address or id; a key this long is stored as its digest. */
const MAX_TYPED_KEY_CHARS = 2_000;
const MAX_CURSOR_CHARS = 2_000;

export const KEY_FORMS =
  'not a person key. Write oid:<objectId>, idp:<issuer>:<id> (each of the two percent-encoded) or email:<address>: ' +
  'for example oid:0f8fad5b-d9cb-469f-a165-70867728950e, idp:google.com:1084512345678 or email:anna@example.com. ' +
  'A key holds no control characters and no marks of direction, and in a path the whole key is one percent-encoded segment';

/** A key as somebody typed it, in the form under which the record is stored. */
export const personKey = z.pipe(
  z.string().check(z.maxLength(MAX_TYPED_KEY_CHARS)),
  z.transform(async (typed: string, context): Promise<string> => {
    const key = await readPersonKey(typed);
    if (key !== undefined) return key;
    context.issues.push({ code: 'custom', input: typed, message: KEY_FORMS });
    return z.NEVER;
  }),
);

export const keyOnly = z.strictObject({ key: personKey });

/**
 * A page of a list that KV keeps. KV's cursors are opaque and not every KV refuses a foreign one, so ours carry the name of
 * their list.
 */
export function pageOf(list: string, preset: number, most: number) {
  const mark = `${list}.`;
  const cursor = z.pipe(
    z.string().check(
      z.maxLength(MAX_CURSOR_CHARS),
      z.refine((text) => text.startsWith(mark), 'not a cursor of this list: take it from "next" of the page before'),
    ),
    z.transform((text: string) => text.slice(mark.length)),
  );
  const limit = z._default(z.coerce.number().check(z.int(), z.gte(1), z.lte(most)), preset);
  return {
    query: z.strictObject({ cursor: z.optional(cursor), limit }),
    /** `next` as the answer shows it; no member on the last page. */
    next: (kvCursor: string | undefined) => (kvCursor === undefined ? {} : { next: mark + kvCursor }),
  };
}

/** Which dead letters: those that an outage made, those that were refused, or all. */
export const deadLetterKind = z.strictObject({ kind: z.optional(z.enum(['outage', 'refused'])) });
