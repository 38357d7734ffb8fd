/**
 * The normal form of what people are called: keys and names are stored in it and searched for in it. It is for finding
 * only. Records of roles are looked up by the value that the call has, so that no other spelling gains them.
 */

/** Characters that are not seen: default-ignorable ones, marks of direction, tags, control characters, separators. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Zl}\p{Zp}]/gu;
/** ASCII without spaces: only the case differs in its normal form. */
const PLAIN = /^[!-~]*$/;
const FULL_WIDTH = /[\uff01-\uff5e]/g;
const FULL_WIDTH_OFFSET = 0xfee0;
/** Phones and mail programs write these for an apostrophe and a hyphen. */
const APOSTROPHES = /[\u2018\u2019\u201b\u02bb\u02bc\u2032\u00b4\u1ffd]/g;
const DASHES = /[\p{Pd}\u2212]/gu;
/** Japanese keyboards write the sign of a long vowel for a hyphen. Within a name it is a letter. */
export const LONG_VOWELS = /[\u30fc\uff70]/g;

/** Normalising combining marks takes quadratic time. A valid address has at most 254 bytes (RFC 5321). */
const MAX_NORMALIZED_CHARS = 1_000;

/** NFC of a text that is short enough. */
export const composed = (text: string): string => (text.length > MAX_NORMALIZED_CHARS ? text : text.normalize('NFC'));

export const withoutUnseen = (text: string): string => text.replace(UNSEEN, '');

/**
 * Removes characters that are not seen and outer spaces; full-width signs, apostrophes and dashes become their ASCII
 * forms; lower case, NFC. Idempotent.
 */
export function normalText(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase();
  const narrow = withoutUnseen(text.toWellFormed())
    .replace(FULL_WIDTH, (wide) => String.fromCharCode(wide.charCodeAt(0) - FULL_WIDTH_OFFSET))
    .replace(APOSTROPHES, "'")
    .replace(DASHES, '-');
  return composed(narrow.toLowerCase()).trim();
}

/** One @, a name before it, and after it a domain without empty labels. A domain may have one label (`localhost`). */
const ADDRESS = /^[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)*$/;

/** Whether a text is an e-mail address in its normal form: typed, sent as a claim, or used as a sign-in name. */
export const isAddress = (text: string): boolean => ADDRESS.test(normalText(text));

export const GUID_DIGITS = 32;
/** What people and tools put around and into a GUID. */
const AROUND_GUID = /^urn:uuid:|[-{}()[\]<>"'`\u201c\u201d\u201e\u00ab\u00bb\u30fc\uff70\s]/g;

/** A text without what may be around and in a GUID, in lower case. */
export const bareGuid = (text: string): string => normalText(text).replace(AROUND_GUID, '');

/** As Microsoft writes it. Its other forms cost twenty times as much, at every call. */
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The GUID that a text is, in lower case with hyphens; undefined when it is none. */
export function guidOf(text: string): string | undefined {
  if (GUID.test(text)) return text;
  const digits = bareGuid(text);
  return /^[0-9a-f]{32}$/.test(digits) ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : undefined;
}

/** A client id as calls have it: a GUID in lower case with hyphens. Any other text in lower case. */
export const clientIdOf = (typed: string): string => guidOf(typed) ?? withoutUnseen(typed).trim().toLowerCase();

/** Decimal digits of other scripts as ASCII digits. Unicode has the ten digits of a script in a row. */
export const asciiDigits = (text: string): string =>
  text.replace(/(?!\d)\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    let zero = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return String((code - zero) % 10);
  });

/** The client id of a call. The same application may send it without hyphens. */
export function clientIdIn(sent: string): string {
  const id = sent.trim().toLowerCase();
  return id.length === GUID_DIGITS ? (guidOf(id) ?? id) : id;
}

/** A telephone number: digits, with a leading + and separators at most. E.164 has up to 15 digits. */
const TELEPHONE = /^(?:tel:)?[([]?(\+|00(?=[1-9]))?([\d\s()[\].\-/\u00b7\u2022\u30fb]+)$/;
const TELEPHONE_DIGITS = /^\d{6,15}$/;
/** With every separator and what is not seen. */
const MAX_TELEPHONE_CHARS = 100;

/** The digits of a telephone number, with + when its country is known; undefined when a text is none. */
export function telephoneOf(text: string): string | undefined {
  if (text.length > MAX_TELEPHONE_CHARS) return undefined;
  const typed = asciiDigits(normalText(text)).replace(LONG_VOWELS, '-');
  const [, plus, rest = ''] = TELEPHONE.exec(typed) ?? [];
  // +44 (0)20: the zero is dialled within the country only.
  const digits = rest.replace(plus === undefined ? /\D/g : /\(0\)|\D/g, '');
  if (!TELEPHONE_DIGITS.test(digits)) return undefined;
  return plus === undefined ? digits : `+${digits}`;
}
