/**
 * The keys under which an attempt is stored and found, in normal form. A `name:` key is what a person signs in with or
 * may call themselves. It is not unique, and no record of roles is stored under it.
 */
import { boundedKey, type Identity, idpKey, type SignInEvent } from './event.ts';
import { guidOf, isAddress, normalText, telephoneOf, withoutUnseen } from './normal-form.ts';

export interface SearchKeys {
  readonly oid: string;
  readonly idp: readonly string[];
  readonly email: string;
  /** `name:` keys. */
  readonly names: readonly string[];
}

export const NAME_PREFIX = 'name:';
export const isNameKey = (key: string): boolean => key.startsWith(NAME_PREFIX);

export const normalOidKey = (objectId: string) => boundedKey(`oid:${guidOf(objectId) ?? normalText(objectId)}`);
export const normalEmailKey = (email: string) => boundedKey(`email:${normalText(email)}`);
/** Case counts in the ids of a provider. */
export const normalIdpKey = (issuer: string, issuerAssignedId: string) =>
  idpKey(withoutUnseen(issuer).trim(), withoutUnseen(issuerAssignedId).trim());
/** A digest keeps the prefix, so that it is not taken for the key of an identity. */
export async function nameKey(name: string): Promise<string> {
  const key = await boundedKey(NAME_PREFIX + normalText(name));
  return isNameKey(key) ? key : NAME_PREFIX + key;
}

/** The keys of a call; `''` where it has none. */
export async function searchKeysOf({ objectId, email, otherNames, identities }: SignInEvent): Promise<SearchKeys> {
  const called = [...identities.flatMap(signInNames), ...otherNames.map(typedName)];
  const mailed = [email, ...called].flatMap((name) => mailForm(normalText(name)) ?? []);
  const names = [...called, ...mailed].filter((name) => normalText(name) !== '').slice(0, MAX_NAMES);
  const [oid, mail, idp, named] = await Promise.all([
    normalText(objectId) === '' ? '' : normalOidKey(objectId),
    normalText(email) === '' ? '' : normalEmailKey(email),
    Promise.all(identities.map(({ issuer, issuerAssignedId }) => normalIdpKey(issuer, issuerAssignedId))),
    Promise.all(names.map(nameKey)),
  ]);
  return { oid, idp, email: mail, names: [...new Set(named)] };
}

/** More than a person has, so that the message of an attempt fits. */
const MAX_NAMES = 30;

const ASCII = /^[!-~]*$/;
/** What ends the host of a URL, or is decoded in it. */
const NOT_IN_A_DOMAIN = /[\s/:?#@%[\]\\<>^|`]/;

/**
 * An address with its domain as mail servers have it (`xn--…` for letters beyond ASCII, no dot at the end); undefined
 * when a text is none, or has that form.
 */
function mailForm(text: string): string | undefined {
  const domain = text.slice(text.lastIndexOf('@') + 1);
  if (domain === text || domain.length > MAX_DOMAIN_CHARS || NOT_IN_A_DOMAIN.test(domain)) return undefined;
  const host = ASCII.test(domain) ? domain : (URL.parse(`http://${domain}/`)?.hostname ?? '');
  const right = host.replace(/\.+$/, '');
  return right === '' || right === domain ? undefined : text.slice(0, -domain.length) + right;
}
/** RFC 1035, 2.3.4. */
const MAX_DOMAIN_CHARS = 255;

/** A telephone number that a person typed has one form, with or without its +. */
const typedName = (text: string): string => telephoneOf(text) ?? text;

/** The names of an identity. The id of a federated one is no name, unless it is an address. */
function signInNames({ signInType, issuer, issuerAssignedId }: Identity): string[] {
  const type = normalText(signInType);
  const name = normalText(issuerAssignedId);
  if (type === 'federated') return isAddress(name) ? [name] : [];
  const telephone = telephoneOf(name);
  if (telephone !== undefined && (type === 'phonenumber' || telephone.startsWith('+')))
    return [telephone.startsWith('+') ? telephone : `+${telephone}`];
  const domain = `@${normalText(issuer)}`;
  // A name in the tenant's own domain is found without the domain, too.
  return name.endsWith(domain) ? [name, name.slice(0, -domain.length)] : [name];
}

/** The keys to search for when a key in normal form is asked for: an address may be a sign-in name as well. */
export function keysToSearch(key: string): string[] {
  if (!key.startsWith('email:') && !isNameKey(key)) return [key];
  const name = key.slice(key.indexOf(':') + 1);
  const other = mailForm(name);
  const mailed = other === undefined ? [] : [`email:${other}`, NAME_PREFIX + other];
  if (key.startsWith('email:')) return [key, NAME_PREFIX + name, ...mailed];
  if (isAddress(name) || other !== undefined) return [key, `email:${name}`, ...mailed];
  const telephone = telephoneOf(name);
  if (telephone === undefined) return [key];
  const digits = telephone.replace('+', '');
  return [...new Set([key, `${NAME_PREFIX}+${digits}`, ...(telephone === digits ? [NAME_PREFIX + digits] : [])])];
}

/** The number of identities that occur with no account: they may be another person, who stopped at sign-up. */
export function identitiesWithoutAccount(
  seen: readonly { readonly oidKey: string; readonly idpKey: string; readonly otherKeys: readonly string[] }[],
): number {
  const known = new Set(seen.flatMap(({ oidKey, idpKey, otherKeys }) => (oidKey === '' ? [] : [idpKey, ...otherKeys])));
  const alone = seen.filter(({ oidKey, idpKey }) => oidKey === '' && idpKey !== '' && !known.has(idpKey));
  return new Set(alone.map(({ idpKey }) => idpKey)).size;
}
