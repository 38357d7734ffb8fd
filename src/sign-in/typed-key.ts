/** Reads a person key as people type it, and says why a key can belong to no call. */
import { emailKey, oidKey } from './event.ts';
import { bareGuid, GUID_DIGITS, guidOf, isAddress, normalText, withoutUnseen } from './normal-form.ts';
import { normalEmailKey, normalIdpKey, normalOidKey } from './search-keys.ts';

/** Control characters and separators inside a key are a slip. Other characters that are not seen come with a paste. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** Splits a typed key at its first colon. */
function partsOf(typed: string): { kind: string; rest: string } {
  const text = withoutUnseen(typed).trim();
  const kind = text.slice(0, text.indexOf(':') + 1).toLowerCase();
  return { kind, rest: text.slice(kind.length).trim() };
}

/**
 * Normalises a typed person key to its stored form; undefined when it is not a person key. Both parts of an `idp:` key
 * must be percent-encoded. A `sha256:` key is lower-cased only.
 */
export function readPersonKey(typed: string): string | Promise<string> | undefined {
  if (CONTROL.test(typed.trim())) return undefined;
  const { kind, rest } = partsOf(typed);
  if (normalText(rest) === '') return undefined;
  if (kind === 'oid:') return normalOidKey(rest);
  if (kind === 'email:') return normalEmailKey(rest);
  if (kind === 'sha256:') return /^[0-9a-f]{64}$/i.test(rest) ? `sha256:${rest.toLowerCase()}` : undefined;
  if (kind !== 'idp:') return undefined;
  const parts = rest.split(':');
  const [issuer, id] = parts;
  if (parts.length !== 2 || !issuer || !id) return undefined;
  try {
    const [plainIssuer, plainId] = [decodeURIComponent(issuer), decodeURIComponent(id)];
    if (CONTROL.test(plainIssuer + plainId) || !withoutUnseen(plainIssuer).trim() || !withoutUnseen(plainId).trim())
      return undefined;
    return normalIdpKey(plainIssuer, plainId);
  } catch {
    return undefined;
  }
}

/** The key as earlier versions stored it, which kept braces and characters that are not seen. */
export function unchangedKey(typed: string): string | Promise<string> | undefined {
  const [, kind, rest = ''] = /^\s*(oid:|email:)(.*)$/is.exec(typed) ?? [];
  if (kind === undefined) return undefined;
  return kind.toLowerCase() === 'oid:' ? oidKey(rest) : emailKey(rest);
}

/** What is wrong with a key that no call can have, and what to write; undefined for a key that a call can have. */
export function impossibleKey(typed: string): string | undefined {
  const { kind, rest } = partsOf(typed);
  if (kind === 'oid:' && guidOf(rest) === undefined)
    return `no objectId: ${nearGuid(rest) ?? 'it is not a GUID'}. ${OBJECT_ID_ADVICE}`;
  if (kind === 'email:' && !isAddress(rest)) return NOT_AN_ADDRESS;
  return undefined;
}

const OBJECT_ID_ADVICE =
  'Copy it from the user in the portal, such as oid:0f8fad5b-d9cb-469f-a165-70867728950e. ' +
  'For an address write email:<address>';
const NOT_AN_ADDRESS =
  'not an e-mail address: it needs one @ with a name before it and a domain after it. Write email:anna@example.com';

/** How a text misses a GUID by one or two characters; undefined when it is a GUID, or nothing like one. */
export function nearGuid(typed: string): string | undefined {
  const bare = bareGuid(typed);
  const wrong = bare.replace(/[0-9a-f]/g, '');
  if (Math.abs(bare.length - GUID_DIGITS) > 2 || wrong.length > 2 || !/^[0-9a-z]+$/.test(bare)) return undefined;
  if (wrong === '') return nearMissOf('GUID', 'hexadecimal digits', bare.length, GUID_DIGITS);
  return `a GUID has the digits 0 to 9 and the letters a to f only, and it has ${[...new Set(wrong)].join(' and ')}`;
}

/** How many of its characters a text misses or has too many; undefined when the number is right, or far from it. */
export function nearMissOf(what: string, characters: string, has: number, needs: number): string | undefined {
  const missing = needs - has;
  if (missing === 0 || Math.abs(missing) > 2) return undefined;
  const count = Math.abs(missing) === 1 ? 'one character is' : 'two characters are';
  return `it has ${has} ${characters}, and a ${what} has ${needs}: ${count} ${missing > 0 ? 'missing' : 'too many'}`;
}
