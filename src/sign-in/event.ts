/** One call of Microsoft's after normalisation, whatever front door it came in by; and the keys by which a person is known. */
import { sha256Hex } from '../platform/digest.ts';

/** A step is text: the name that its channel gives it (`steps.ts`). */
export type Step = string;

export type ClaimValue = string | number | boolean;
/** Claims under their canonical names. Without a prototype: a claim may be called anything. */
export type Claims = { readonly [name: string]: ClaimValue };

/** Built-in attributes and protocol members (contract 1.4): text, or as if absent. */
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
  /** Absent when neither body nor URL named a step that we know. */
  readonly step: Step | undefined;
  /** What the body's `step` said when we do not know it; `''` otherwise. */
  readonly unknownStep: string;
  /** The step that the URL named, when the body named another one that we know. */
  readonly urlStep: Step | undefined;
  readonly claims: Claims;
  /** Canonical names of all claims that had a value of an expected type. */
  readonly claimNames: readonly string[];
  /** Names of members whose value had a type that no claim of that name can have: as if absent. */
  readonly unexpectedClaims: readonly string[];
  /** Lower case, as roles of an application are looked up without regard to case. */
  readonly clientId: string;
  /** First language tag of `ui_locales`, `''` when there is none. */
  readonly locale: string;
  /** Lower case, `''` when there is none. */
  readonly objectId: string;
  readonly email: string;
  /** At most {@link MAX_IDENTITIES}. */
  readonly identities: readonly Identity[];
  /** How far `identities` can be trusted to be all there is: `none` sent, `complete`, or `partial` (too many, or unreadable ones). */
  readonly identitiesAre: 'none' | 'complete' | 'partial';
  readonly personKeys: PersonKeys;
}

/** Every key the call revealed. */
export interface PersonKeys {
  readonly oid: string | undefined;
  readonly idp: readonly string[];
  readonly email: string | undefined;
}

/** The key by which a person is best known, `''` when the call revealed none. */
export const bestKey = ({ oid, idp, email }: PersonKeys): string => oid ?? idp[0] ?? email ?? '';

/** A call with more identities than this is not a person we can tell apart; more keys would also not fit one bulk read. */
export const MAX_IDENTITIES = 10;

/** KV takes keys of 512 bytes; ours stand behind a prefix. */
const MAX_KEY_BYTES = 400;

const IS_ASCII = /^[ -~]*$/;
/** Control characters, line separators and marks of direction: Postgres has no NUL, and nobody sees that a key holds the others. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const encoder = new TextEncoder();

/** `oid:` + lower-case objectId. */
export const oidKey = (objectId: string) => bounded(`oid:${objectId.trim().toLowerCase()}`);

/** `idp:` + issuer and id, each percent-encoded, joined by `:`. */
export const idpKey = (issuer: string, issuerAssignedId: string) =>
  bounded(`idp:${encodeURIComponent(issuer.toWellFormed())}:${encodeURIComponent(issuerAssignedId.toWellFormed())}`);

/** `email:` + trimmed, NFC, lower case. */
export const emailKey = (email: string) => bounded(`email:${normalEmail(email)}`);

/** Normalising takes quadratic time on text that is all combining marks; no address is so long (RFC 5321: 254 bytes). */
const MAX_NORMALIZED_CHARS = 1_000;

function normalEmail(email: string): string {
  const text = email.trim();
  return (text.length > MAX_NORMALIZED_CHARS ? text : text.normalize('NFC')).toLowerCase();
}

/** Whether an address of other letters becomes plain ASCII by its normal form, as the Kelvin sign becomes a k: somebody else's address. */
export const isDisguised = (email: string): boolean =>
  !IS_ASCII.test(email.trim()) && IS_ASCII.test(normalEmail(email));

/**
 * A person key that somebody typed, in the form under which it is stored; undefined when it is none. An `idp:` key comes
 * with both parts percent-encoded already; a `sha256:` key is taken as it is.
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

/** Keys over {@link MAX_KEY_BYTES} are replaced by their digest; only those cost a promise. */
function bounded(key: string): string | Promise<string> {
  const wellFormed = key.toWellFormed();
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (wellFormed.length * 3 <= MAX_KEY_BYTES) return wellFormed;
  const bytes = encoder.encode(wellFormed);
  return bytes.byteLength <= MAX_KEY_BYTES ? wellFormed : digestKey(bytes);
}

const digestKey = async (bytes: Uint8Array): Promise<string> => `sha256:${await sha256Hex(bytes)}`;
