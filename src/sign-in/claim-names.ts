/** Names of claims in every form in which Microsoft sends them, and the one under which Gatehouse keeps them. */

/** Other names of a claim, in lower case (contract 1.3, 1.4). */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ['clientid', 'client_id'],
  ['lastname', 'surname'],
  ['surname', 'surname'],
  ['signinnames.emailaddress', 'email'],
]);

const CUSTOM_ATTRIBUTE = /^extension_[0-9a-f]{32}_(.+)$/is;

/** Names that were canonicalised before, by name: a tenant sends the same few in every call. */
const known = new Map<string, string>();
/** Far more than a tenant has. Longer names are derived each time, so that strangers' names fill no memory. */
const MAX_KNOWN = 1_000;
const MAX_KNOWN_CHARS = 100;

/** `extension_<32 hex>_X` is `extension_X`; aliases are their canonical name. */
export function canonicalName(name: string): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  const canonical = derive(name);
  if (known.size < MAX_KNOWN && name.length <= MAX_KNOWN_CHARS) known.set(name, canonical);
  return canonical;
}

function derive(name: string): string {
  if (name.startsWith('extension_') || name.startsWith('Extension_'))
    return name.replace(CUSTOM_ATTRIBUTE, 'extension_$1');
  return ALIASES.get(name.toLowerCase()) ?? name;
}
