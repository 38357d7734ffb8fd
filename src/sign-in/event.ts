/** A normalised call from Microsoft, the same for every channel, and the keys that identify a person. */
import { sha256Hex } from '../platform/digest.ts';
import { composed } from './normal-form.ts';

/** The channel's name for the step (`steps.ts`). */
export type Step = string;

export type ClaimValue = string | number | boolean;

/** JSON.parse rounds whole numbers beyond 2^53, so their value is unknown. */
export const isExact = (value: number): boolean =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));

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

/** The door at which a call arrives. */
export const CHANNELS = ['user-flow', 'custom-policy'] as const;
export type Channel = (typeof CHANNELS)[number];

/** Microsoft Graph's objectIdentity. */
export interface Identity {
  readonly signInType: string;
  readonly issuer: string;
  readonly issuerAssignedId: string;
}

export interface SignInEvent {
  readonly channel: Channel;
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
  /**
   * Names to search for, no claims: addresses in `emails` and `otherMails`, at most {@link MAX_OTHER_EMAILS}, or the
   * user name or telephone number that a person typed.
   */
  readonly otherNames: readonly string[];
  /** At most {@link MAX_IDENTITIES}. */
  readonly identities: readonly Identity[];
  /** `identities`, and those whose id is unreadable (`''`): for rules only, since they identify no one. */
  readonly claimedIdentities: readonly Identity[];
  /** `none`: the call has none. `partial`: some are unreadable or over the limit. */
  readonly identitiesAre: 'none' | 'complete' | 'partial';
  /** Whether the exchange declares the e-mail as trusted. Undefined in a user flow: the settings decide. */
  readonly emailIsTrusted?: boolean | undefined;
  readonly personKeys: PersonKeys;
}

/** The keys under which a call's records are looked up: the values as they are in the call, not in normal form. */
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

/** Graph allows 250 in `otherMails`. More do not fit the message of an attempt. */
export const MAX_OTHER_EMAILS = 10;

/** KV accepts keys of up to 512 bytes; this leaves room for a prefix. */
const MAX_KEY_BYTES = 400;

const encoder = new TextEncoder();

/** `oid:` + lower-case objectId. */
export const oidKey = (objectId: string) => boundedKey(`oid:${objectId.trim().toLowerCase()}`);

/** `idp:` + issuer and id, each percent-encoded, joined by `:`. */
export const idpKey = (issuer: string, issuerAssignedId: string) =>
  boundedKey(`idp:${encodeURIComponent(issuer.toWellFormed())}:${encodeURIComponent(issuerAssignedId.toWellFormed())}`);

/** `email:` + trimmed, lower case, NFC. */
export const emailKey = (email: string) => boundedKey(`email:${composed(email.trim().toLowerCase())}`);

const IS_ASCII = /^[\t-\r -~]*$/;
/**
 * Whether {@link emailKey} changes more of an address than its case, its combining marks and ASCII spaces: a sign that
 * is canonically another one (the Kelvin sign is k), or an outer space that is not seen. It may then be the key of
 * another person.
 */
export function isDisguised(email: string): boolean {
  if (IS_ASCII.test(email)) return false;
  const text = email.trim();
  const start = email.indexOf(text);
  if (!IS_ASCII.test(email.slice(0, start) + email.slice(start + text.length))) return true;
  return [...text].some((sign) => {
    const canonical = sign.normalize('NFC');
    return canonical !== sign && [...canonical].length === 1;
  });
}

/** Replaces a key over {@link MAX_KEY_BYTES} by its digest. Only such a key costs a promise. */
export function boundedKey(key: string): string | Promise<string> {
  const wellFormed = key.toWellFormed();
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (wellFormed.length * 3 <= MAX_KEY_BYTES) return wellFormed;
  const bytes = encoder.encode(wellFormed);
  return bytes.byteLength <= MAX_KEY_BYTES ? wellFormed : digestKey(bytes);
}

const digestKey = async (bytes: Uint8Array): Promise<string> => `sha256:${await sha256Hex(bytes)}`;
