/** Why a body is not JSON: it may be compressed, or in another encoding than UTF-8. It is then not decoded. */

type NotJson = 'compressed' | 'not-utf-8' | 'not-json';

/** Why a body could not be parsed. `text` is `bytes` read as UTF-8, with U+FFFD for what is not UTF-8. */
export function whyNotJson(headers: Headers, bytes: Uint8Array, text: string): NotJson {
  if (bytes.length === 0) return 'not-json';
  if (hasContentCoding(headers) || hasMagicOfCompression(bytes, text)) return 'compressed';
  return hasOtherCharset(headers) || !isMostlyUtf8(bytes, text) ? 'not-utf-8' : 'not-json';
}

const hasContentCoding = (headers: Headers): boolean =>
  (headers.get('Content-Encoding') ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .some((coding) => coding !== '' && coding !== 'identity');

/** The first bytes of gzip (RFC 1952) and zstd (RFC 8878). */
const MAGIC = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
];

function hasMagicOfCompression(bytes: Uint8Array, text: string): boolean {
  if (MAGIC.some((magic) => magic.every((byte, index) => bytes[index] === byte))) return true;
  // zlib (RFC 1950) has two bytes with a check sum: method 8, a window of at most 32 KiB. They may also be letters.
  const [first = 0, second = 0] = bytes;
  const isZlib = (first & 0x0f) === 8 && first >> 4 <= 7 && (first * 256 + second) % 31 === 0;
  return isZlib && text.includes(REPLACEMENT);
}

/** In other charsets, which extend ASCII, the structure of JSON is the same as in UTF-8. */
const OTHER_CHARSET =
  /;\s*charset\s*=\s*"?\s*(?:utf-?(?:7|16|32)|ucs-?[24]|iso-10646-ucs|unicode|csunicode|ibm|cp037|ebcdic)/i;
const hasOtherCharset = (headers: Headers): boolean => OTHER_CHARSET.test(headers.get('Content-Type') ?? '');

const REPLACEMENT = '\ufffd';
const BYTE_ORDER_MARKS = [
  [0xfe, 0xff],
  [0xff, 0xfe],
];
/** More of them are no garbled name. */
const MAX_GARBLED_SHARE = 0.1;

function isMostlyUtf8(bytes: Uint8Array, text: string): boolean {
  if (BYTE_ORDER_MARKS.some((mark) => mark.every((byte, index) => bytes[index] === byte))) return false;
  // JSON begins with an ASCII character and has no NUL. In UTF-16 and UTF-32, the first or the second byte is one.
  if (bytes[0] === 0 || bytes[1] === 0) return false;
  let garbled = 0;
  for (const character of text) if (character === REPLACEMENT || character === '\0') garbled += 1;
  return garbled <= text.length * MAX_GARBLED_SHARE;
}
