/** Whether the name of a claim marks a secret: by whole words, in any style of writing, and in several languages. */
import { byName } from '../sign-in/by-name.ts';
import { shortName } from '../sign-in/claim-names.ts';
import { withoutUnseen } from '../sign-in/normal-form.ts';
import {
  CODE_WORDS,
  COMPANIONS,
  FILLERS,
  FOREIGN_STEMS,
  SECRET_ALONE,
  SECRET_PURPOSES,
  SECRET_STEMS,
  SECRET_WORDS,
} from './secret-words.ts';

/** Tables of Unicode cost an isolate milliseconds, and few names need them. */
const IS_ASCII = /^[ -~]*$/;
/** Letters that Unicode does not split into a letter and a mark. */
const LETTERS: { readonly [letter: string]: string } = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ı: 'i' };

/** Lower case without accents. */
const folded = (text: string): string =>
  IS_ASCII.test(text)
    ? text.toLowerCase()
    : text
        .normalize('NFKD')
        .replace(/\p{M}/gu, '')
        .toLowerCase()
        .replace(/[^ -~]/g, (letter) => LETTERS[letter] ?? letter);

/** The umlauts ä, ö and ü, and ø, as they are written in ASCII. */
const UMLAUT = /([aou])e/g;

interface Table {
  readonly secrets: ReadonlySet<string>;
  readonly codes: ReadonlySet<string>;
  readonly purposes: ReadonlySet<string>;
  readonly fillers: ReadonlySet<string>;
  /** Every word that may be part of one written together. */
  readonly parts: ReadonlySet<string>;
}

/** A longer name counts as a secret's: no tenant has one, and a caller may send any. */
const MAX_NAME_CHARS = 256;
/** The longest word of the table has fewer. */
const MAX_PART_CHARS = 40;
/** More than a phrase of the table has. An operator may add the long name of a claim. */
const MAX_PHRASE_WORDS = 12;

/** Where words end. */
const ASCII_BORDERS = {
  word: /(?<=[a-z])(?=[A-Z])/,
  acronym: /(?<=[A-Z])(?=[A-Z][a-z])/,
  digits: /(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])/,
  separators: /[^A-Za-z0-9]+/,
};
const BORDERS: typeof ASCII_BORDERS = {
  word: /(?<=[\p{Ll}\p{Lo}])(?=\p{Lu})/u,
  acronym: /(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u,
  digits: /(?<=\p{N})(?=\p{L})|(?<=\p{L})(?=\p{N})/u,
  separators: /[^\p{L}\p{M}\p{N}]+/u,
};

const splitAt = (words: readonly string[], border: RegExp): string[] => words.flatMap((word) => word.split(border));

/** A name as words, in each way to read it: `PINCode`, `PINs`, `pincode` and `Schluessel` need different ones. */
function readings(name: string): string[][] {
  const isAscii = IS_ASCII.test(name);
  const { word, acronym, digits, separators } = isAscii ? ASCII_BORDERS : BORDERS;
  const short = shortName(isAscii ? name : withoutUnseen(name).normalize('NFKC')).replace(/^extension_/i, '');
  const chunks = short.split(separators);
  const atCapitals = splitAt(splitAt(chunks, digits), word);
  const read = [chunks, atCapitals, splitAt(atCapitals, acronym)].map((words) =>
    words.map(folded).filter((one) => one !== ''),
  );
  if (!read[0]?.some((one) => one.search(UMLAUT) !== -1)) return read;
  return [...read, ...read.map((words) => words.map((one) => one.replace(UMLAUT, '$1')))];
}

/** Joins the words of a name or of a setting. `''` when it has no letter or digit. */
const joinedWords = (name: string): string => readings(name)[0]?.join('') ?? '';

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
  const secrets = new Set([...SECRET_WORDS, ...words.map(joinedWords).filter((word) => word !== '')]);
  return {
    secrets,
    codes: new Set(CODE_WORDS),
    purposes: new Set(SECRET_PURPOSES),
    fillers: new Set(FILLERS),
    parts: new Set([...secrets, ...CODE_WORDS, ...SECRET_PURPOSES, ...COMPANIONS]),
  };
}

const isSecret = (read: readonly string[][], table: Table): boolean =>
  read.some(
    (words) =>
      isSecretWhole(words.join('')) ||
      hasSecret(words, table) ||
      hasSecret(
        words.flatMap((word) => partsOf(word, table)),
        table,
      ),
  );

const isSecretWhole = (joined: string): boolean =>
  SECRET_ALONE.includes(joined) ||
  SECRET_STEMS.some((stem) => joined.includes(stem)) ||
  (!IS_ASCII.test(joined) && FOREIGN_STEMS.some((stem) => joined.includes(folded(stem))));

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
    for (let start = Math.max(0, end - MAX_PART_CHARS); start < end && upTo[end] === undefined; start += 1) {
      const before = upTo[start];
      const part = word.slice(start, end);
      if (before !== undefined && isIn(parts, part)) upTo[end] = [...before, part];
    }
  }
  return upTo[word.length] ?? [word];
}
