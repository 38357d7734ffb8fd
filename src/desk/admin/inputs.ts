/** Inputs of the admin endpoints: typed person keys, pages, and dead letters. */
import * as z from 'zod/mini';
import { MAX_KEYS_A_READ } from '../../platform/kv.ts';
import { nameKey } from '../../sign-in/search-keys.ts';
import { impossibleKey, readPersonKey, unchangedKey } from '../../sign-in/typed-key.ts';
import { DEAD_LETTER_KINDS } from '../consume/dead-letters.ts';
import { strict, text } from '../http/input-rules.ts';
import { signedPageOf } from '../http/signed-page.ts';
import { KEY_FORMS } from '../http/typed-values.ts';
import { recordInputWith } from './record-input.ts';

/** Longer than any address or id. Long keys are stored as a digest. */
const MAX_TYPED_KEY_CHARS = 2_000;

const typedKey = z
  .string('not a text. Write a person key, such as oid:0f8fad5b-d9cb-469f-a165-70867728950e')
  .check(z.maxLength(MAX_TYPED_KEY_CHARS, `longer than ${MAX_TYPED_KEY_CHARS} characters. Write a shorter person key`));

/** A typed person key. */
export interface TypedKey {
  /** The key under which a record is stored. */
  readonly key: string;
  /** The key under which an earlier version, which kept more of what was typed, may have stored a record. */
  readonly unchanged: string;
  /** Why no call can have this key. No record is saved under it. */
  readonly problem: string | undefined;
}

const personKey = z.pipe(
  typedKey,
  z.transform(async (typed: string, context): Promise<TypedKey> => {
    const key = await readPersonKey(typed);
    if (key === undefined) {
      context.issues.push({ code: 'custom', input: typed, message: KEY_FORMS });
      return z.NEVER;
    }
    return { key, unchanged: (await unchangedKey(typed)) ?? key, problem: impossibleKey(typed) };
  }),
);

/** `name:` and what a person signs in with: attempts are found under it, and no record is stored. */
const NAME_KEY = /^\s*name:(?=.*\S)(\P{Cc}*)$/isu;
const nameOnly = z.pipe(
  typedKey.check(z.regex(NAME_KEY)),
  z.transform(async (typed: string): Promise<TypedKey> => {
    const key = await nameKey(NAME_KEY.exec(typed)?.[1] ?? '');
    return { key, unchanged: key, problem: undefined };
  }),
);
/** A person key, or a `name:` key. */
export const erasureKey = z.union([nameOnly, personKey], KEY_FORMS);

export const keyOnly = strict({ key: personKey });
export const keyedRecordInput = recordInputWith(personKey);

export const peoplePage = signedPageOf('people', 50, MAX_KEYS_A_READ);
export const deadLettersPage = signedPageOf('dead-letters', 50, 500);
export const versionsPage = signedPageOf('policy-versions', 50, 500);

/** `outage`: only earlier versions write these. Absent: all kinds. */
export const deadLetterKind = strict({
  kind: z.optional(z.enum(DEAD_LETTER_KINDS, 'not a kind. Write outage or refused, or omit it for both')),
});

/** At most three bytes a character, and 512 bytes for a KV key. */
const MAX_DEAD_LETTER_ID_CHARS = 150;
export const deadLetterId = strict({
  id: text.check(
    z.maxLength(MAX_DEAD_LETTER_ID_CHARS, 'not the id of a dead letter. GET /admin/dead-letters lists them'),
  ),
});
