/** Names of claims in every form in which Microsoft sends them, and the one under which Gatehouse keeps them. */
import { byName } from './by-name.ts';

/** Other names of a claim, in lower case (contract 1.3, 1.4). */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ['clientid', 'client_id'],
  ['lastname', 'surname'],
  ['surname', 'surname'],
  ['signinnames.emailaddress', 'email'],
]);

const CUSTOM_ATTRIBUTE = /^extension_[0-9a-f]{32}_(.+)$/is;

/** `extension_<32 hex>_X` is `extension_X`; aliases are their canonical name. */
export const canonicalName = byName((name) =>
  name.startsWith('extension_') || name.startsWith('Extension_')
    ? name.replace(CUSTOM_ATTRIBUTE, 'extension_$1')
    : (ALIASES.get(name.toLowerCase()) ?? name),
);
