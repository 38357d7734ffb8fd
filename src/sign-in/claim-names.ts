/**
 * Maps every form of a claim name that Microsoft sends to the canonical name that Gatehouse stores. A directory has no
 * two attributes that differ only in case, so names compare case-insensitively everywhere.
 */
import { byName } from './by-name.ts';
import { type Claims, type ClaimValue, TEXT_CLAIMS } from './event.ts';

/** Other names of a claim, in lower case (contract 1.3, 1.4). */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ['clientid', 'client_id'],
  ['lastname', 'surname'],
  ['surname', 'surname'],
  ['signinnames.emailaddress', 'email'],
]);

/** Members of a call that are lists (contract 1.5). */
export const LIST_NAMES = ['identities', 'emails', 'otherMails'] as const;

/** Built-in attributes, lists and aliases, by name in lower case. */
const CANONICAL: ReadonlyMap<string, string> = new Map([
  ...TEXT_CLAIMS.map((name) => [name.toLowerCase(), name] as const),
  ...ALIASES,
  ...LIST_NAMES.map((name) => [name.toLowerCase(), name] as const),
]);

/**
 * Microsoft Graph's name for a custom attribute: the application id is 32 hexadecimal digits (contract 1.4). People
 * copy the id with its hyphens.
 */
const LONG_NAME = /^extension_(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_(.+)$/is;

export const isLongName = (name: string): boolean => LONG_NAME.test(name);

/** `extension_<application id>_X` as `extension_X`; every other name unchanged. */
export const shortName = (name: string): string => name.replace(LONG_NAME, 'extension_$1');

/** Shortens long names, and resolves aliases and the case of built-in attributes. */
export const canonicalName = byName((name) =>
  /^extension_/i.test(name) ? shortName(name) : (CANONICAL.get(name.toLowerCase()) ?? name),
);

/** The form in which two names of a claim are equal. */
export const comparableName = byName((name) => canonicalName(name).toLowerCase());

const spellings = new WeakMap<Claims, ReadonlyMap<string, string>>();

/** The value of a claim, by a name in any case; undefined when it is absent. */
export function claimNamed(claims: Claims, name: string): ClaimValue | undefined {
  if (Object.hasOwn(claims, name)) return claims[name];
  let byComparable = spellings.get(claims);
  if (byComparable === undefined) {
    byComparable = new Map(Object.keys(claims).map((spelled) => [comparableName(spelled), spelled]));
    spellings.set(claims, byComparable);
  }
  const spelled = byComparable.get(comparableName(name));
  return spelled === undefined ? undefined : claims[spelled];
}
