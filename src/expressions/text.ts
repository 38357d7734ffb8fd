/** Text functions: Gatehouse's own, then CEL's. Pure. */
import { MAX_DOMAIN, MAX_PARTS, MAX_TEXT } from './limits.ts';
import { Fail, type Value } from './values.ts';

const OUT_OF_RANGE = 'the position is out of range';

const ASCII = /^[\0-\x7f]*$/;
/** Characters that end the host of a URL or are decoded in it. No domain contains them. */
const NOT_IN_A_DOMAIN = /[\0-,/:-@[-^`{-\x7f]/;

/**
 * The domain after the last `@`, in lower case, without trailing dots; `''` when there is none. Letters beyond ASCII
 * are converted as mail servers do (UTS 46), so full-width letters or the Kelvin sign cannot evade a list.
 */
export function domainOf(text: string): string {
  const at = text.lastIndexOf('@');
  if (at === -1) return '';
  const domain = text.slice(at + 1).trim();
  if (domain.length > MAX_DOMAIN) return '';
  if (ASCII.test(domain)) return withoutDot(domain.toLowerCase());
  if (NOT_IN_A_DOMAIN.test(domain)) return '';
  return withoutDot(URL.parse(`http://${domain}/`)?.hostname ?? '');
}

/** The domain and every domain above it: `a.b.com`, `b.com`, `com`. An empty label is none. */
export function* domainAndParents(domain: string): Generator<string> {
  yield domain;
  for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1))
    if (domain[dot + 1] !== '.') yield domain.slice(dot + 1);
}

const withoutDot = (domain: string) => domain.replace(/\.+$/, '');

const WORD = /[\p{L}\p{M}\p{N}]+(?:['\u2019][\p{L}\p{M}\p{N}]+)*/gu;
const UPPER = /[\p{Lu}\p{Lt}]/u;
const LOWER = /\p{Ll}/u;

/** Capitalises a name in a single case. A name in mixed case is intentional and stays unchanged. */
export const titleCase = (text: string): string =>
  UPPER.test(text) && LOWER.test(text) ? text : text.replace(WORD, capitalised);

/** O'Neil and D'Angelo, but Jane's: a capital follows an apostrophe only after a single letter. */
function capitalised(word: string): string {
  const [head = '', ...rest] = word.split(/(?<=['\u2019])/);
  const afterOneLetter = /^\p{L}\p{M}*['\u2019]$/u.test(head);
  return (
    upperFirst(head) + rest.map((part, index) => (afterOneLetter && index === 0 ? upperFirst : lower)(part)).join('')
  );
}

function upperFirst(word: string): string {
  const first = String.fromCodePoint(word.codePointAt(0) ?? 0);
  const upper = first.toUpperCase();
  // ß and ligatures have no capital of the same length.
  return (upper.length === first.length ? upper : first) + lower(word.slice(first.length));
}

/** The lower case of İ has two characters; the second is an invisible combining dot. */
const lower = (text: string) => text.replaceAll('\u0130', 'I').toLowerCase();

/** The form of person keys (`emailKey` in sign-in/event.ts). */
export const normalEmail = (text: string): string => text.trim().toLowerCase().normalize('NFC');

/** Longer texts are no codes. They keep their compatibility forms, whose normalisation can take quadratic time. */
const MAX_CODE_CHARS = 100;
/** White space, dashes, and characters that are not visible. */
const NOT_IN_A_CODE = /[\s\p{Pd}\u2212\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu;

/** A code in the form in which lists contain it: capitals, without spaces, dashes and invisible characters. */
export function normalCode(text: string): string {
  const compatible = (code: string) => (code.length > MAX_CODE_CHARS ? code : code.normalize('NFKC'));
  return compatible(compatible(text).replace(NOT_IN_A_CODE, '').toUpperCase()).replace(NOT_IN_A_CODE, '');
}

// CEL's functions. Positions and lengths are in Unicode code points. A lone surrogate counts as one.

const SURROGATE = /[\ud800-\udfff]/;
/** The code points of a text; undefined when they equal its UTF-16 units. */
const pointsOf = (text: string): readonly string[] | undefined => (SURROGATE.test(text) ? [...text] : undefined);
const lengthOf = (text: string) => pointsOf(text)?.length ?? text.length;

export const size = (text: string): bigint => BigInt(lengthOf(text));

export function substring(text: string, from: bigint, to?: bigint): Value {
  const points = pointsOf(text);
  const length = BigInt(points?.length ?? text.length);
  const end = to ?? length;
  if (from < 0n || from > end || end > length) return new Fail(OUT_OF_RANGE);
  const range = [Number(from), Number(end)] as const;
  return points === undefined ? text.slice(...range) : points.slice(...range).join('');
}

export const charAt = (text: string, at: bigint): Value =>
  at >= 0n && at === size(text) ? '' : substring(text, at, at + 1n);

export const indexOf = (text: string, part: string, from?: bigint): Value =>
  found(text, from, (start) => text.indexOf(part, start));
export const lastIndexOf = (text: string, part: string, from?: bigint): Value =>
  found(text, from, (start) => text.lastIndexOf(part, start));

/** Searches by UTF-16 units. */
function found(text: string, from: bigint | undefined, search: (start: number | undefined) => number): Value {
  const points = pointsOf(text);
  const length = points?.length ?? text.length;
  if (from !== undefined && (from < 0n || from > BigInt(length))) return new Fail(OUT_OF_RANGE);
  const start = from === undefined || points === undefined ? from : points.slice(0, Number(from)).join('').length;
  const at = search(start === undefined ? undefined : Number(start));
  return BigInt(at <= 0 || points === undefined ? at : [...text.slice(0, at)].length);
}

/** `''` splits into code points. With a limit, the last part contains the rest of the text. */
export function split(text: string, separator: string, limit = -1n): Value {
  const most = limit < 0n || limit > MAX_PARTS ? MAX_PARTS + 1 : Number(limit);
  if (most === 0) return [];
  const points = separator === '' ? pointsOf(text) : undefined;
  const parts = points?.slice(0, MAX_PARTS + 1) ?? text.split(separator, MAX_PARTS + 1);
  if (parts.length <= Math.min(most, MAX_PARTS)) return parts;
  if (most > MAX_PARTS) return new Fail(`more than ${MAX_PARTS} parts`);
  const head = parts.slice(0, most - 1);
  return [...head, text.slice(head.reduce((at, part) => at + part.length + separator.length, 0))];
}

const tooLong = () => new Fail(`the text would have more than ${MAX_TEXT} characters`);

export function replace(text: string, what: string, by: string, limit = -1n): Value {
  if (what === '') return new Fail('the text to replace is empty');
  const parts = text.split(what);
  const all = parts.length - 1;
  const most = limit < 0n || limit > all ? all : Number(limit);
  if (text.length + most * (by.length - what.length) > MAX_TEXT) return tooLong();
  const head = parts.slice(0, most + 1).join(by);
  return most === all ? head : `${head}${what}${parts.slice(most + 1).join(what)}`;
}

export function join(list: readonly Value[], separator = ''): Value {
  let length = -separator.length;
  for (const part of list) {
    if (typeof part !== 'string') return new Fail('only texts can be joined');
    length += part.length + separator.length;
  }
  return length > MAX_TEXT ? tooLong() : list.join(separator);
}

export const concat = (a: string, b: string): Value => (a.length + b.length > MAX_TEXT ? tooLong() : a + b);

export const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
export const upperAscii = (text: string): string => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());

/** Unicode's White_Space. */
const isSpace = (unit: string) => /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/.test(unit);

export function trim(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text.charAt(start))) start++;
  while (start < end && isSpace(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
