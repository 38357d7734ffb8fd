/** Whether the name of a claim marks a secret: by whole words, in any style of writing, and in several languages. */
import { byName } from '../sign-in/by-name.ts';
import { shortName } from '../sign-in/claim-names.ts';
import { withoutUnseen } from '../sign-in/normal-form.ts';
import {
  CODE_WORDS,
  COMPANIONS,
  FILLERS,
  SECRET_ALONE,
  SECRET_PURPOSES,
  SECRET_STEMS,
  SECRET_WORDS,
} from './secret-words.ts';

/** Letters that Unicode does not split into a letter and a mark. */
const LETTERS: { readonly [letter: string]: string } = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ı: 'i' };

/** Lower case without accents. `ae`, `oe` and `ue` are the umlauts ä, ö and ü written in ASCII. */
const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ßæœøłđı]/g, (letter) => LETTERS[letter] ?? letter)
    .replace(/([aou])e/g, '$1');

const foldedSet = (words: readonly string[]): ReadonlySet<string> => new Set(words.map(folded));

interface Table {
  readonly stems: readonly string[];
  readonly secrets: ReadonlySet<string>;
  readonly alone: ReadonlySet<string>;
  readonly codes: ReadonlySet<string>;
  readonly purposes: ReadonlySet<string>;
  readonly fillers: ReadonlySet<string>;
  /** Every word that may be part of one written together. */
  readonly parts: ReadonlySet<string>;
}

/** A longer name counts as a secret's: no tenant has one, and a caller may send any. */
const MAX_NAME_CHARS = 256;
/** The longest phrases have four words; a plural or a filler may come between. */
const MAX_PHRASE_WORDS = 6;

const END_OF_WORD = /(?<=[\p{Ll}\p{Lo}])(?=\p{Lu})/u;
const END_OF_ACRONYM = /(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
const DIGITS = /(?<=\p{N})(?=\p{L})|(?<=\p{L})(?=\p{N})/u;
const SEPARATORS = /[^\p{L}\p{M}\p{N}]+/u;

const splitAt = (words: readonly string[], border: RegExp): string[] => words.flatMap((word) => word.split(border));

/** A name as words, in each way to read it: `PINCode`, `PINs` and `pincode` need different ones. */
function readings(name: string): string[][] {
  const short = shortName(withoutUnseen(name).normalize('NFKC'));
  const chunks = short.replace(/^extension_/i, '').split(SEPARATORS);
  const atCapitals = splitAt(splitAt(chunks, DIGITS), END_OF_WORD);
  return [splitAt(atCapitals, END_OF_ACRONYM), atCapitals, chunks].map((words) =>
    words.map(folded).filter((word) => word !== ''),
  );
}

/** Joins the words of a name or of a setting. `''` when it has no letter or digit. */
export const joinedWords = (name: string): string => readings(name).at(-1)?.join('') ?? '';

/**
 * A test of names, with the words of a table and the operator's own `words`: each is a word, or the name of a claim,
 * and matches every name in which its words follow each other.
 */
export function secretNames(words: readonly string[]): (name: string) => boolean {
  let table: Table | undefined;
  return byName((name) => {
    table ??= tableWith(words);
    return name.length > MAX_NAME_CHARS || isSecret(readings(name), table);
  });
}

/** Built when the first name is tested, which is after a reply. */
function tableWith(words: readonly string[]): Table {
  const secrets = new Set([...SECRET_WORDS.map(folded), ...words.map(joinedWords).filter((word) => word !== '')]);
  const [codes, purposes] = [foldedSet(CODE_WORDS), foldedSet(SECRET_PURPOSES)];
  return {
    stems: SECRET_STEMS.map(folded),
    secrets,
    alone: foldedSet(SECRET_ALONE),
    codes,
    purposes,
    fillers: foldedSet(FILLERS),
    parts: new Set([...secrets, ...codes, ...purposes, ...COMPANIONS.map(folded)]),
  };
}

function isSecret(read: readonly string[][], table: Table): boolean {
  const joined = read.at(-1)?.join('') ?? '';
  if (table.alone.has(joined) || table.stems.some((stem) => joined.includes(stem))) return true;
  return read.some(
    (words) =>
      hasSecret(words, table) ||
      hasSecret(
        words.flatMap((word) => partsOf(word, table)),
        table,
      ),
  );
}

function hasSecret(words: readonly string[], table: Table): boolean {
  const telling = phrasesOf(words.filter((word) => !table.fillers.has(word) && !/^\p{N}+$/u.test(word)));
  if ([...phrasesOf(words), ...telling].some((starting) => starting.some((phrase) => isIn(table.secrets, phrase))))
    return true;
  return telling.some((starting, from) =>
    starting.some((phrase, more) => (telling[from + more + 1] ?? []).some((next) => isCode(phrase, next, table))),
  );
}

/** For each word, the phrases that start with it, in order of length. */
const phrasesOf = (words: readonly string[]): string[][] =>
  words.map((_, from) =>
    words.slice(from, from + MAX_PHRASE_WORDS).map((_, more) => words.slice(from, from + more + 1).join('')),
  );

const isCode = (one: string, other: string, { codes, purposes }: Table): boolean =>
  (isIn(codes, one) && purposes.has(other)) || (purposes.has(one) && isIn(codes, other));

const isIn = (set: ReadonlySet<string>, word: string): boolean =>
  set.has(word) || (word.endsWith('s') && set.has(word.slice(0, -1)));

/** The known words of which a word consists; the word itself when it has other letters, too. */
function partsOf(word: string, { parts }: Table): readonly string[] {
  /** By position: the parts of the word up to there, the longest last part first. */
  const upTo: (readonly string[] | undefined)[] = [[]];
  for (let end = 1; end <= word.length; end += 1) {
    for (let start = 0; start < end && upTo[end] === undefined; start += 1) {
      const before = upTo[start];
      const part = word.slice(start, end);
      if (before !== undefined && isIn(parts, part)) upTo[end] = [...before, part];
    }
  }
  return upTo[word.length] ?? [word];
}
