/** JSON Web Tokens in texts, signed (RFC 7515) or encrypted (RFC 7516). They are stored and logged nowhere. */

/** Base64url of the shortest header, `{"alg":""}`. */
const MIN_HEADER_CHARS = 14;
/** A header may follow other letters, as in `token_eyJ…`. Each try decodes the rest, so there are few. */
const MAX_TRIES = 8;
/** A text with more parts that look like headers is hostile, and counts as one with a token. */
const MAX_PARSED = 100;

const IS_BASE64URL = Uint8Array.from({ length: 128 }, (_, code) => (/[\w-]/.test(String.fromCharCode(code)) ? 1 : 0));
/** After a separator, or where base64url has `{` and a quote or a line break. */
const MAY_START = /(?<=[_-])|e(?=[yw])/g;
/** Base64url of `{` or of white space before it. */
const MAY_BE_OBJECT = /^[eICD]/;
const STARTS_OBJECT = /^\s*(?:\{\s*(?:"|$)|$)/;
const PREFIX_CHARS = 16;

/**
 * Whether a text contains a token in compact form, with any text around it: a JSON object with `alg` in base64url, and
 * a dot behind it. Takes linear time.
 */
export function containsToken(text: string): boolean {
  let parsed = 0;
  let previous = -1;
  for (let dot = text.indexOf('.'); dot !== -1; dot = text.indexOf('.', dot + 1)) {
    let start = dot;
    while (start > previous + 1 && IS_BASE64URL[text.charCodeAt(start - 1)] === 1) start -= 1;
    previous = dot;
    if (dot - start < MIN_HEADER_CHARS) continue;
    for (const object of objectsAtEnd(text.slice(start, dot))) {
      parsed += 1;
      if (parsed > MAX_PARSED || hasAlg(object)) return true;
    }
  }
  return false;
}

/** Texts that may be a JSON object, decoded from the end of a base64url text. */
function objectsAtEnd(run: string): string[] {
  const starts = [0];
  for (const { index } of run.matchAll(MAY_START)) {
    if (starts.length > MAX_TRIES) break;
    if (index > 0 && mayBeObject(run, index)) starts.push(index);
  }
  return starts
    .filter((start) => mayBeObject(run, start))
    .map((start) => decoded(run.slice(start)))
    .filter(mayHaveAlg);
}

/** Parsing would throw on most other texts, which is slow. `\u` may hide a letter. */
const mayHaveAlg = (text: string): boolean =>
  text.trimEnd().endsWith('}') && (text.includes('"alg"') || text.includes('\\u'));

const mayBeObject = (run: string, start: number): boolean =>
  run.length - start >= MIN_HEADER_CHARS &&
  MAY_BE_OBJECT.test(run.charAt(start)) &&
  STARTS_OBJECT.test(decoded(run.slice(start, start + PREFIX_CHARS)));

/** Each character is a byte. `''` when it is no base64url. */
function decoded(part: string): string {
  try {
    return atob(part.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return '';
  }
}

function hasAlg(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && 'alg' in json;
  } catch {
    return false;
  }
}
