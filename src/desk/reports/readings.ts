/** What a text can be that a customer reads out or a support agent pastes: the readings to try, the likeliest first. */
import { lettersOf, readSupportCode, SUPPORT_CODE_CHARS } from '../../attempts/support-code.ts';
import { dimensionOf } from '../../attempts/text-limits.ts';
import { asciiDigits, guidOf, isAddress, normalText, telephoneOf, withoutUnseen } from '../../sign-in/normal-form.ts';
import { NAME_PREFIX, nameKey, normalEmailKey, normalOidKey } from '../../sign-in/search-keys.ts';
import { impossibleKey, nearGuid, nearMissOf, readPersonKey } from '../../sign-in/typed-key.ts';

/** One reading of a text: a key of a person, or a mark of one call. */
export type TextReading =
  | {
      readonly takenFor: 'person key' | 'e-mail address' | 'phone number' | 'user name' | 'objectId';
      readonly key: string;
    }
  | { readonly takenFor: 'support code' | 'correlation id' | 'attempt id'; readonly mark: string };
export type TakenFor = TextReading['takenFor'];

export interface Readings {
  readonly readings: readonly TextReading[];
  /** How the text misses another reading by a character or two. */
  readonly nearMiss: string | undefined;
}

/** A sign-in name as a key: reports only. */
export const isTypedName = (typed: string): boolean =>
  typed.toLowerCase().startsWith(NAME_PREFIX) && normalText(typed.slice(NAME_PREFIX.length)) !== '';

const UUIDV7 = /^.{14}7.{4}[89ab]/;

/** The readings of a typed text. There is at least one, unless nothing of the text is seen. */
export async function readingsOf(typed: string): Promise<Readings> {
  const text = bare(typed);
  const typedKey = await readPersonKey(text);
  if (typedKey !== undefined && impossibleKey(text) === undefined)
    return { readings: [{ takenFor: 'person key', key: typedKey }], nearMiss: undefined };
  if (isTypedName(text))
    return {
      readings: [{ takenFor: 'person key', key: await nameKey(text.slice(NAME_PREFIX.length)) }],
      nearMiss: undefined,
    };
  const guid = guidOf(text);
  if (guid !== undefined) {
    const marks: TextReading[] = [{ takenFor: 'correlation id', mark: guid }];
    if (UUIDV7.test(guid)) marks.push({ takenFor: 'attempt id', mark: guid });
    return { readings: [{ takenFor: 'objectId', key: await normalOidKey(guid) }, ...marks], nearMiss: undefined };
  }
  if (normalText(text) === '') return { readings: [], nearMiss: undefined };
  if (isAddress(text)) {
    return { readings: [{ takenFor: 'e-mail address', key: await normalEmailKey(text) }], nearMiss: undefined };
  }
  const code = readSupportCode(text);
  const telephone = telephoneOf(text);
  const others: TextReading[] = [
    ...(code === undefined ? [] : [{ takenFor: 'support code', mark: code } as const]),
    { takenFor: 'user name', key: await nameKey(text) },
    { takenFor: 'correlation id', mark: dimensionOf(text) },
  ];
  if (telephone === undefined) {
    const near = impossibleKey(text) ?? nearGuid(text);
    return { readings: others, nearMiss: near ?? (code === undefined ? nearSupportCode(text) : undefined) };
  }
  // The name is the text as typed: a customer number may have any hyphens. Its search includes the digits with a +.
  const called = await nameKey(telephone.startsWith('+') ? telephone : text);
  return { readings: [{ takenFor: 'phone number', key: called }, ...others], nearMiss: undefined };
}

/** What people and mail programs put around an address, a number or a code. */
const AROUND = /^(?:mailto:|tel:|[\s"'`<([\u2018-\u201f\u00ab\u00bb])+|[\s"'`>)\],;.\u2018-\u201f\u00ab\u00bb]+$/gi;
const DASH = /[\p{Pd}\u2212\u30fc\uff70]/gu;
const IN_ANGLE_BRACKETS = /<([^<>]*)>\s*$/;

/** A support code (with a digit: most names have none), a GUID or an address within a sentence. */
const WITHIN =
  /(?<![\w-])(?:(?=\D{0,10}\d)[\da-z]{5}-[\da-z]{5}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|[^\s@<>"()]+@[^\s@<>"()]+)(?![\w-])/iu;

/** A telephone number within a sentence: with its country, since any other digits may be something else. */
const TELEPHONE_WITHIN = /(?<![\w+])\(?(?:\+|00)[\d\s().\-/]{6,30}\d/;

function bare(typed: string): string {
  const text = withoutUnseen(typed).trim();
  const named = (IN_ANGLE_BRACKETS.exec(text)?.[1] ?? text).replace(AROUND, '');
  // A sentence from the page or a mail. A telephone number and a GUID may have spaces of their own.
  const isSentence = /\s/.test(named) && telephoneOf(named) === undefined && guidOf(named) === undefined;
  if (!isSentence) return named;
  const plain = named.replace(DASH, '-');
  const telephone = TELEPHONE_WITHIN.exec(asciiDigits(plain))?.[0] ?? '';
  return WITHIN.exec(plain)?.[0].replace(AROUND, '') ?? (telephoneOf(telephone) === undefined ? named : telephone);
}

/** How a text misses a support code; undefined when it is nothing like one. */
export function nearSupportCode(typed: string): string | undefined {
  const letters = lettersOf(typed);
  if (!/^[0-9A-Z]+$/.test(letters)) return undefined;
  if (letters.length !== SUPPORT_CODE_CHARS)
    return nearMissOf('support code', 'letters and digits', letters.length, SUPPORT_CODE_CHARS);
  return letters.includes('U') ? 'a support code has no letter U: it may be a V' : undefined;
}

/** A reading in words, for the sentence that nothing was found. */
export const wordsOf = (reading: TextReading): string =>
  'mark' in reading ? `the ${reading.takenFor} ${reading.mark}` : `the ${reading.takenFor} ${nameIn(reading.key)}`;

const nameIn = (key: string) => key.slice(key.indexOf(':') + 1);

/** The keys of a search in words: `email:…`, or the sign-in name without its prefix. */
export const keyInWords = (key: string): string =>
  key.startsWith(NAME_PREFIX) ? `the sign-in name ${nameIn(key)}` : key;
