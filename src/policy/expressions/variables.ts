/** The variables of expressions and their members: which there are, what they hold, and what people write by mistake. */
import { TEXT_CLAIMS } from '../../sign-in/event.ts';
import { BOOL, DOUBLE, type Kind, kindOf, LIST, MAP, NOTHING, TEXT, TIME, TRUTH } from './kinds.ts';
import { MAX_ROLE_TEXT, MAX_ROLES, MAX_TEXT_READ } from './limits.ts';
import { closest, didYouMean } from './names.ts';

/** Other names of a claim, in lower case, with the one under which it is read. */
const CLAIM_ALIASES: ReadonlyMap<string, string> = new Map([
  ['clientid', 'client_id'],
  ['lastname', 'surname'],
  ['surname', 'surname'],
  ['signinnames.emailaddress', 'email'],
  ['signinnames', 'email'],
]);

const LONG_CLAIM = /^extension_[0-9a-f]{32}_(.+)$/is;

const READ_TEXT = kindOf(TEXT, { length: MAX_TEXT_READ });
/** A custom attribute keeps the type that it came with. */
const CUSTOM = kindOf(TEXT | DOUBLE | BOOL, { length: MAX_TEXT_READ, magnitude: Number.MAX_VALUE });
const ROLES = kindOf(LIST, { entries: MAX_ROLES, of: kindOf(TEXT, { length: MAX_ROLE_TEXT }) });

/** In seconds: so that a day or a year before now is sure to be a time. */
const THE_YEAR_2190 = 7_000_000_000;

const MEMBERS: ReadonlyMap<string, ReadonlyMap<string, Kind>> = new Map([
  [
    'identity',
    new Map([
      ['issuer', READ_TEXT],
      ['id', READ_TEXT],
      ['signInType', READ_TEXT],
    ]),
  ],
  [
    'person',
    new Map([
      ['roles', ROLES],
      ['groups', ROLES],
      ['attributes', NOTHING],
    ]),
  ],
  [
    'request',
    new Map([
      ['step', READ_TEXT],
      ['clientId', READ_TEXT],
      ['application', READ_TEXT],
      ['locale', READ_TEXT],
      ['channel', READ_TEXT],
      ['time', kindOf(TIME, { magnitude: THE_YEAR_2190 })],
    ]),
  ],
]);

const VARIABLES = ['claims', 'identity', 'person', 'request', 'lists'];
export const isVariable = (name: string): boolean => VARIABLES.includes(name);

/** A list of the policy: a map of its entries. Its values are never read. */
const POLICY_LIST = kindOf(MAP, { of: TRUTH });

export type Read = { readonly ok: true; readonly kind: Kind } | { readonly ok: false; readonly problem: string };

const is = (kind: Kind): Read => ({ ok: true, kind });
const not = (problem: string): Read => ({ ok: false, problem });

/** What a path like `claims.email` reads, when it is there. `path` begins with one of the variables. */
export function readPath(path: readonly string[], listNames: ReadonlySet<string>): Read {
  const [variable = '', member, ...deeper] = path;
  if (member === undefined) return not(bare(variable, listNames));
  if (variable === 'claims') return readClaim(member, deeper);
  if (variable === 'lists') return readList(member, deeper, listNames);
  if (variable === 'person' && member === 'attributes') return readAttribute(deeper);
  const members = MEMBERS.get(variable);
  const kind = members?.get(member);
  if (members === undefined || kind === undefined) return not(noMember(variable, member, [...(members?.keys() ?? [])]));
  return deeper.length === 0 ? is(kind) : not(noDeeper(path, `${variable}.${member}`, kind));
}

function readClaim(name: string, deeper: readonly string[]): Read {
  const canonical =
    CLAIM_ALIASES.get([name, ...deeper].join('.').toLowerCase()) ?? CLAIM_ALIASES.get(name.toLowerCase());
  const long = LONG_CLAIM.exec(name);
  const written = `claims.${name}`;
  if (canonical !== undefined && canonical !== name) {
    return not(`${[written, ...deeper].join('.')} is read as claims.${canonical}: write that.`);
  }
  if (long !== null)
    return not(`${written} is read without the id of the extensions app: write claims.extension_${long[1]}.`);
  if (name === 'identities') return not('claims.identities is no claim: write identity.issuer and identity.id.');
  const builtIn = TEXT_CLAIMS.find((known) => known.toLowerCase() === name.toLowerCase());
  if (builtIn !== undefined && builtIn !== name) return not(`There is no ${written}: write claims.${builtIn}.`);
  if (name !== name.replace(/^extension_/i, 'extension_')) {
    return not(
      `${written} begins with extension_ in small letters: write claims.${name.replace(/^extension_/i, 'extension_')}.`,
    );
  }
  const kind = builtIn === undefined ? CUSTOM : READ_TEXT;
  return deeper.length === 0 ? is(kind) : not(noDeeper(['claims', name, ...deeper], written, kind));
}

function readAttribute([name, ...deeper]: readonly string[]): Read {
  if (name === undefined) {
    return not('person.attributes cannot be used as a whole: name one, as in person.attributes.loyaltyId.');
  }
  const written = `person.attributes.${name}`;
  return deeper.length === 0 ? is(CUSTOM) : not(noDeeper(['person', 'attributes', name, ...deeper], written, CUSTOM));
}

function readList(name: string, deeper: readonly string[], listNames: ReadonlySet<string>): Read {
  if (!listNames.has(name)) {
    const meant = closest(name, listNames);
    const known = [...listNames].slice(0, 5).join(', ');
    const there =
      listNames.size === 0 ? 'The policy has no lists.' : `There are: ${known}${listNames.size > 5 ? ', …' : ''}.`;
    return not(`There is no list called ${name}. ${meant === undefined ? there : `Did you mean lists.${meant}?`}`);
  }
  if (deeper.length === 0) return is(POLICY_LIST);
  return not(`Entries of a list are asked for with in: write '${deeper[0]}' in lists.${name}.`);
}

function bare(variable: string, listNames: ReadonlySet<string>): string {
  const [list = 'blocked'] = listNames;
  const example = {
    claims: "claims.email, or 'email' in claims",
    lists: `claims.country in lists.${list}`,
    person: 'person.roles',
    request: 'request.step',
    identity: 'identity.issuer',
  }[variable];
  return `${variable} cannot be used as a whole: name what you mean by a name written out, as in ${example}.`;
}

function noMember(variable: string, member: string, known: readonly string[]): string {
  const meant = closest(member, known);
  const there = meant === undefined ? `It has ${known.join(', ')}.` : `Did you mean ${variable}.${meant}?`;
  return `${variable} has no ${member}. ${there}`;
}

const noDeeper = (path: readonly string[], owner: string, { bits }: Kind) =>
  bits & LIST
    ? `${owner} is a list: write ${owner}[0], or '…' in ${owner}, instead of ${path.join('.')}.`
    : `${owner} has no members: write ${owner} alone instead of ${path.join('.')}.`;

/** On a name that is no variable; `asFunction`: how the function of that name is called, when there is one. */
export function unknownVariable(name: string, asFunction: string | undefined): string {
  if (TEXT_CLAIMS.includes(name) || name.startsWith('extension_')) {
    return `There is no variable ${name}: write claims.${name}.`;
  }
  if (asFunction !== undefined) return `${name} is a function: write ${asFunction}.`;
  if (/^(?:true|false|null)$/i.test(name)) return `There is no variable ${name}: write true or false in small letters.`;
  const meant = didYouMean(name, VARIABLES);
  const there = meant === '' ? ` The variables are ${VARIABLES.join(', ')}. Texts stand in quotes: '${name}'.` : meant;
  return `There is no variable ${name}.${there}`;
}
