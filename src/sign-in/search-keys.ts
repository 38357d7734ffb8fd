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
export async function searchKeysOf({ objectId, email, otherEmails, identities }: SignInEvent): Promise<SearchKeys> {
  const names = [...identities.flatMap(signInNames), ...otherEmails].filter((name) => normalText(name) !== '');
  const [oid, mail, idp, named] = await Promise.all([
    normalText(objectId) === '' ? '' : normalOidKey(objectId),
    normalText(email) === '' ? '' : normalEmailKey(email),
    Promise.all(identities.map(({ issuer, issuerAssignedId }) => normalIdpKey(issuer, issuerAssignedId))),
    Promise.all(names.map(nameKey)),
  ]);
  return { oid, idp, email: mail, names: [...new Set(named)] };
}

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
  if (key.startsWith('email:')) return [key, NAME_PREFIX + key.slice('email:'.length)];
  if (!isNameKey(key)) return [key];
  const name = key.slice(NAME_PREFIX.length);
  if (isAddress(name)) return [key, `email:${name}`];
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
