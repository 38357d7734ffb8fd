/** Maps every form of a claim name that Microsoft sends to the canonical name that Gatehouse stores. */
import { byName } from './by-name.ts';

/** Other names of a claim, in lower case (contract 1.3, 1.4). */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ['clientid', 'client_id'],
  ['lastname', 'surname'],
  ['surname', 'surname'],
  ['signinnames.emailaddress', 'email'],
]);

/** Microsoft Graph's name for a custom attribute: the application id is 32 hexadecimal digits (contract 1.4). */
const LONG_NAME = /^extension_[0-9a-f]{32}_(.+)$/is;

export const isLongName = (name: string): boolean => LONG_NAME.test(name);

/** `extension_<32 hex>_X` as `extension_X`; every other name unchanged. */
export const shortName = (name: string): string => name.replace(LONG_NAME, 'extension_$1');

/** Shortens long names and resolves aliases. */
export const canonicalName = byName((name) =>
  name.startsWith('extension_') || name.startsWith('Extension_')
    ? shortName(name)
    : (ALIASES.get(name.toLowerCase()) ?? name),
);
