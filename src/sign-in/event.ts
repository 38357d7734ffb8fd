/** A normalised call from Microsoft, the same for every channel, and the keys that identify a person. */
import { sha256Hex } from '../platform/digest.ts';

/** The channel's name for the step (`steps.ts`). */
export type Step = string;

export type ClaimValue = string | number | boolean;
/**
 * Claims by canonical name, custom attributes in the case in which they arrived (`claimNamed` finds them in any case).
 * The object has no prototype: a claim may have any name.
 */
export type Claims = { readonly [name: string]: ClaimValue };

/** Built-in attributes and protocol members (contract 1.4). A value other than text counts as absent. */
export const TEXT_CLAIMS: readonly string[] = [
  'email',
  'displayName',
  'objectId',
  'givenName',
  'surname',
  'jobTitle',
  'streetAddress',
  'city',
  'postalCode',
  'state',
  'country',
  'step',
  'client_id',
  'ui_locales',
];

/** Microsoft Graph's objectIdentity. */
export interface Identity {
  readonly signInType: string;
  readonly issuer: string;
  readonly issuerAssignedId: string;
}

export interface SignInEvent {
  readonly channel: 'user-flow';
  /** Absent when neither the body nor the URL names a known step. */
  readonly step: Step | undefined;
  /** The body's `step` when it is unknown; otherwise `''`. */
  readonly unknownStep: string;
  /** The URL's step, when the body names a different known step. */
  readonly urlStep: Step | undefined;
  readonly claims: Claims;
  /** Canonical names of the claims whose value has an expected type. */
  readonly claimNames: readonly string[];
  /** Names of members that count as absent: their value has an unexpected type, or they repeat another one's name. */
  readonly unexpectedClaims: readonly string[];
  /** Lower case: the roles of an application are looked up case-insensitively. */
  readonly clientId: string;
  /** First language tag of `ui_locales`, `''` when there is none. */
  readonly locale: string;
  /** The language tags of `ui_locales` in order of preference. At most {@link MAX_LANGUAGES}. */
  readonly languages: readonly string[];
  /** Lower case, `''` when there is none. */
  readonly objectId: string;
  readonly email: string;
  /** At most {@link MAX_IDENTITIES}. */
  readonly identities: readonly Identity[];
  /** `identities`, and those whose id is unreadable (`''`): for rules only, since they identify no one. */
  readonly claimedIdentities: readonly Identity[];
  /** `none`: the call has none. `partial`: some are unreadable or over the limit. */
  readonly identitiesAre: 'none' | 'complete' | 'partial';
  readonly personKeys: PersonKeys;
}

/** Every key that the call contains. */
export interface PersonKeys {
  readonly oid: string | undefined;
  readonly idp: readonly string[];
  readonly email: string | undefined;
}

/** The most reliable key of a person; `''` when there is none. */
export const bestKey = ({ oid, idp, email }: PersonKeys): string => oid ?? idp[0] ?? email ?? '';

/** More identities do not identify one person, and their keys do not fit one bulk read. */
export const MAX_IDENTITIES = 10;

/** More than people set in a browser. */
export const MAX_LANGUAGES = 10;

/** KV accepts keys of up to 512 bytes; this leaves room for a prefix. */
const MAX_KEY_BYTES = 400;

const IS_ASCII = /^[ -~]*$/;
/** Control characters, line separators and direction marks. Postgres rejects NUL; the others are invisible in a key. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const encoder = new TextEncoder();

/** `oid:` + lower-case objectId. */
export const oidKey = (objectId: string) => bounded(`oid:${objectId.trim().toLowerCase()}`);

/** `idp:` + issuer and id, each percent-encoded, joined by `:`. */
export const idpKey = (issuer: string, issuerAssignedId: string) =>
  bounded(`idp:${encodeURIComponent(issuer.toWellFormed())}:${encodeURIComponent(issuerAssignedId.toWellFormed())}`);

/** `email:` + trimmed, NFC, lower case. */
export const emailKey = (email: string) => bounded(`email:${normalEmail(email)}`);

/** Normalising combining marks takes quadratic time. A valid address has at most 254 bytes (RFC 5321). */
const MAX_NORMALIZED_CHARS = 1_000;

function normalEmail(email: string): string {
  const text = email.trim();
  return (text.length > MAX_NORMALIZED_CHARS ? text : text.normalize('NFC')).toLowerCase();
}

/** Whether a non-ASCII address normalises to ASCII (the Kelvin sign to k), and so to another person's address. */
export const isDisguised = (email: string): boolean =>
  !IS_ASCII.test(email.trim()) && IS_ASCII.test(normalEmail(email));

/**
 * Normalises a typed person key to its stored form; undefined when it is not a person key. Both parts of an `idp:` key
 * must be percent-encoded. A `sha256:` key is lower-cased only.
 */
export function readPersonKey(typed: string): string | Promise<string> | undefined {
  const text = typed.trim();
  if (UNSEEN.test(text)) return undefined;
  const kind = text.slice(0, text.indexOf(':') + 1).toLowerCase();
  const rest = text.slice(kind.length).trim();
  if (rest === '') return undefined;
  if (kind === 'oid:') return oidKey(rest);
  if (kind === 'email:') return emailKey(rest);
  if (kind === 'sha256:') return /^[0-9a-f]{64}$/i.test(rest) ? `sha256:${rest.toLowerCase()}` : undefined;
  if (kind !== 'idp:') return undefined;
  const parts = rest.split(':');
  const [issuer, id] = parts;
  if (parts.length !== 2 || !issuer || !id) return undefined;
  try {
    const [plainIssuer, plainId] = [decodeURIComponent(issuer), decodeURIComponent(id)];
    return UNSEEN.test(plainIssuer + plainId) ? undefined : idpKey(plainIssuer, plainId);
  } catch {
    return undefined;
  }
}

/** Replaces a key over {@link MAX_KEY_BYTES} by its digest. Only such a key costs a promise. */
function bounded(key: string): string | Promise<string> {
  const wellFormed = key.toWellFormed();
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (wellFormed.length * 3 <= MAX_KEY_BYTES) return wellFormed;
  const bytes = encoder.encode(wellFormed);
  return bytes.byteLength <= MAX_KEY_BYTES ? wellFormed : digestKey(bytes);
}

const digestKey = async (bytes: Uint8Array): Promise<string> => `sha256:${await sha256Hex(bytes)}`;
