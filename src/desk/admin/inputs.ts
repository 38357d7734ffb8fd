/** What the addresses of administrators take: person keys as people type them, and pages. */
import * as z from 'zod/mini';
import { sha256Hex } from '../../platform/digest.ts';
import { readPersonKey } from '../../sign-in/event.ts';
import { DEAD_LETTER_KINDS } from '../consume/dead-letters.ts';
import { limit, strict, text } from '../http/input-rules.ts';
import { KEY_FORMS } from '../http/typed-values.ts';

/** Longer than any address or id; a key this long is stored as its digest. */
const MAX_TYPED_KEY_CHARS = 2_000;
const HASH_HEX_DIGITS = 12;

/** A key as somebody typed it, in the form under which the record is stored. */
export const personKey = z.pipe(
  z
    .string('give a person key as a text, such as oid:0f8fad5b-d9cb-469f-a165-70867728950e')
    .check(z.maxLength(MAX_TYPED_KEY_CHARS, `longer than ${MAX_TYPED_KEY_CHARS} characters: no person key is`)),
  z.transform(async (typed: string, context): Promise<string> => {
    const key = await readPersonKey(typed);
    if (key !== undefined) return key;
    context.issues.push({ code: 'custom', input: typed, message: KEY_FORMS });
    return z.NEVER;
  }),
);

export const keyOnly = strict({ key: personKey });

export const FOREIGN_KV_CURSOR = 'not a cursor of this list: take it from "next" of the page before, whole';

/**
 * A page of a list that KV keeps. KV's cursors are opaque, and not every KV refuses one that is foreign or damaged, so ours
 * begin with a hash of the list and of KV's cursor.
 */
export function kvPageOf(list: string, preset: number, most: number) {
  const ours = async (kvCursor: string) => (await hashOf([list, kvCursor])) + kvCursor;
  const cursor = z.pipe(
    text,
    z.transform(async (typed: string, { issues }): Promise<string> => {
      const kvCursor = typed.slice(HASH_HEX_DIGITS);
      if (kvCursor !== '' && typed === (await ours(kvCursor))) return kvCursor;
      issues.push({ code: 'custom', input: typed, message: FOREIGN_KV_CURSOR });
      return z.NEVER;
    }),
  );
  return {
    query: strict({ cursor: z.optional(cursor), limit: limit(preset, most) }),
    /** `next` as the answer shows it; no member on the last page. */
    next: async (kvCursor: string | undefined) => (kvCursor === undefined ? {} : { next: await ours(kvCursor) }),
  };
}

const hashOf = async (parts: readonly string[]): Promise<string> =>
  (await sha256Hex(JSON.stringify(parts))).slice(0, HASH_HEX_DIGITS);

/** Which dead letters: those that were refused, those that an outage made under an earlier version, or all. */
export const deadLetterKind = strict({
  kind: z.optional(z.enum(DEAD_LETTER_KINDS, 'not a kind: outage or refused, or leave it out for both')),
});

/** Three bytes a character at most: KV takes keys of 512. */
const MAX_LETTER_ID_CHARS = 150;
export const deadLetterId = strict({
  id: text.check(z.maxLength(MAX_LETTER_ID_CHARS, 'not an id of a dead letter: take one from /admin/dead-letters')),
});
