/** Finds the dead letters of a person. KV holds them as text, and a letter may be no message of this version. */
import { isMessage } from '../../../attempts/attempt.ts';
import { normalText } from '../../../sign-in/normal-form.ts';
import { bodyOfLetter, listDeadLetters, readDeadLetterTexts } from '../../consume/dead-letters.ts';
import { keysOfMessage } from '../../erasure/erased-keys.ts';

export interface LettersOfPerson {
  readonly ids: readonly string[];
  /** Letters that are no message of this version and name the person in no form that is known. */
  readonly unreadable: number;
}

/** Keys of one bulk read. */
const LETTERS_A_PAGE = 100;

/** Reads every dead letter. Rejects when KV does. */
export async function lettersOfPerson(kv: KVNamespace, keys: readonly string[]): Promise<LettersOfPerson> {
  const isOfPerson = letterTest(keys);
  const ids: string[] = [];
  let unreadable = 0;
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listDeadLetters>> = await listDeadLetters(kv, LETTERS_A_PAGE, cursor);
    for (const { id, text } of await readDeadLetterTexts(kv, page.letters)) {
      const verdict = isOfPerson(text);
      if (verdict === 'theirs') ids.push(id);
      if (verdict === 'unreadable') unreadable += 1;
    }
    cursor = page.next ?? null;
  } while (cursor !== null);
  return { ids, unreadable };
}

type Verdict = 'theirs' | 'another' | 'unreadable';

/**
 * A message is the person's when it has one of the keys. Another text is when it has one of the keys, or the address,
 * name or objectId in a key, as a whole and not as a part of a longer one.
 */
export function letterTest(keys: readonly string[]): (text: string) => Verdict {
  const own = new Set(keys);
  const names = keys.flatMap((key) => NAME_IN_KEY.exec(key)?.[1] ?? []);
  const all = [...keys, ...names].map((name) => name.toLowerCase().replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  const named = new RegExp(`(?<![\\p{L}\\p{N}_.+@-])(?:${all.join('|')})(?![\\p{L}\\p{N}_@%-]|\\.[\\p{L}\\p{N}])`, 'u');
  return (text) => {
    const message = bodyOfLetter(text);
    if (isMessage(message)) return keysOfMessage(message).some((key) => own.has(key)) ? 'theirs' : 'another';
    return named.test(normalText(text)) ? 'theirs' : 'unreadable';
  };
}

/** Shorter names are in any text. */
const NAME_IN_KEY = /^(?:oid|email|name):(.{6,})$/s;
