/** Names of claims in every form in which Microsoft sends them, and the one under which Gatehouse keeps them. */

/** Other names of a claim, in lower case (contract 1.3, 1.4). */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['clientid', 'client_id'],
  ['lastname', 'surname'],
  ['surname', 'surname'],
  ['signinnames.emailaddress', 'email'],
]);

const CUSTOM_ATTRIBUTE = /^extension_[0-9a-f]{32}_(.+)$/is;

/** `extension_<32 hex>_X` is `extension_X`; aliases are their canonical name. */
export function canonicalName(name: string): string {
  if (name.startsWith('extension_') || name.startsWith('Extension_'))
    return name.replace(CUSTOM_ATTRIBUTE, 'extension_$1');
  return ALIASES.get(name.toLowerCase()) ?? name;
}
