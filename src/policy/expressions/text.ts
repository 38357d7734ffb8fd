/** What our functions do to text. Pure; all but {@link normalEmail} give at most as many UTF-16 units as they took, or a domain's 255. */

/** RFC 1035, 2.3.4. */
const MAX_DOMAIN = 255;
const ASCII = /^[\0-\x7f]*$/;
/** What would end the host of a URL, or be decoded in it: no domain has it, whatever stands beside it. */
const NOT_IN_A_DOMAIN = /[\0-,/:-@[-^`{-\x7f]/;

/**
 * The domain after the last `@`, in lower case, without a trailing dot; `''` when there is none. Other letters than ASCII
 * become what a mail server would look up (UTS 46): full-width letters or the Kelvin sign do not walk around a list.
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

const withoutDot = (domain: string) => domain.replace(/\.+$/, '');

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu;
const UPPER = /[\p{Lu}\p{Lt}]/u;
const LOWER = /\p{Ll}/u;

/** A name typed in one case, with capitals where names have them. Who used both cases meant what they typed. */
export const titleCase = (text: string): string =>
  UPPER.test(text) && LOWER.test(text) ? text : text.replace(WORD, capitalised);

/** O'Neil and D'Angelo, but Jane's: a capital after an apostrophe only where a single letter stands before it. */
function capitalised(word: string): string {
  const [head = '', ...rest] = word.split(/(?<=['’])/);
  const afterOneLetter = /^\p{L}\p{M}*['’]$/u.test(head);
  return (
    upperFirst(head) + rest.map((part, index) => (afterOneLetter && index === 0 ? upperFirst : lower)(part)).join('')
  );
}

function upperFirst(word: string): string {
  const first = String.fromCodePoint(word.codePointAt(0) ?? 0);
  const upper = first.toUpperCase();
  // ß and ligatures have no single capital.
  return (upper.length === first.length ? upper : first) + lower(word.slice(first.length));
}

/** İ has a small letter of two characters, of which the second is seen by nobody. */
const lower = (text: string) => text.replaceAll('İ', 'I').toLowerCase();

/** As person keys have it (`emailKey` in sign-in/event.ts). */
export const normalEmail = (text: string): string => text.trim().normalize('NFC').toLowerCase();
