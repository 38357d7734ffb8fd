/** The variables of expressions: their members and types, and suggestions for common mistakes. */

import { closest } from '../../platform/closest-name.ts';
import { ALIASES, shortName } from '../../sign-in/claim-names.ts';
import { TEXT_CLAIMS } from '../../sign-in/event.ts';
import type { StandIn } from './cel.ts';
import type { ExpressionFault } from './problem-sentences.ts';
import { IN_USER_FLOW, type InputClaim, inputNamed, type RulePlace } from './rule-place.ts';

type Type = Extract<StandIn, 'text' | 'texts' | 'time' | 'list' | 'custom' | 'identities' | 'number' | 'truth'>;
const MEMBERS: ReadonlyMap<string, ReadonlyMap<string, Type>> = new Map([
  ['identity', new Map<string, Type>(['issuer', 'id', 'signInType'].map((name) => [name, 'text']))],
  [
    'person',
    new Map<string, Type>([
      ['id', 'text'],
      ['roles', 'texts'],
      ['groups', 'texts'],
      ['attributes', 'custom'],
    ]),
  ],
  [
    'request',
    new Map<string, Type>([
      ...['step', 'clientId', 'application', 'locale', 'channel'].map((name) => [name, 'text'] as const),
      ['time', 'time'],
    ]),
  ],
]);

const VARIABLES = ['claims', 'identity', 'identities', 'person', 'request', 'lists'];
export const isVariable = (name: string): boolean => VARIABLES.includes(name);

/** How to read all identities. */
export const ALL_IDENTITIES = "identities.exists(i, i.issuer == '…')";

export type Read =
  /** `claim`: its name, for a claim. */
  | { readonly ok: true; readonly type: Type; readonly claim?: string }
  | { readonly ok: false; readonly fault: ExpressionFault };

const is = (type: Type): Read => ({ ok: true, type });
const not = (...fault: ExpressionFault): Read => ({ ok: false, fault });

/** Resolves a path such as `claims.email`. `path` begins with a variable. */
export function readPath(path: readonly string[], listNames: ReadonlySet<string>, place = IN_USER_FLOW): Read {
  const [variable = '', member, ...deeper] = path;
  if (variable === 'identities')
    return member === undefined ? is('identities') : not('no-members', variable, ALL_IDENTITIES, path.join('.'));
  if (member === undefined) return not('not-a-value', variable, exampleOf(variable, listNames));
  if (variable === 'claims')
    return place.isUserFlow ? readClaim(member, deeper, place) : readInput(member, deeper, place);
  if (variable === 'lists') return readList(member, deeper, listNames);
  if (variable === 'person' && member === 'attributes') {
    const [name, ...beyond] = deeper;
    if (name === undefined) return not('not-a-value', 'person.attributes', 'person.attributes.loyaltyId');
    return beyond.length === 0 ? is('custom') : noMembers(`person.attributes.${name}`, 'custom', path);
  }
  const members = MEMBERS.get(variable);
  const type = members?.get(member);
  if (type === undefined) return not('unknown-member', variable, member, adviceOn(variable, member, members));
  return deeper.length === 0 ? is(type) : noMembers(`${variable}.${member}`, type, path);
}

/** A claim where every step is an exchange: one of their inputs. */
function readInput(name: string, deeper: readonly string[], place: RulePlace): Read {
  const input = inputNamed(place, name);
  if (input !== undefined)
    return deeper.length === 0 ? claim(input) : noMembers(`claims.${name}`, 'text', ['claims', name, ...deeper]);
  const read = readClaim(name, deeper, place);
  if (!read.ok) return read;
  const suggestion = closest(
    name,
    [...place.inputs.values()].map((known) => known.claim),
  );
  const names = place.exchanges.map((exchange) => exchange.name).join(' or ');
  return not(
    'unknown-input',
    name,
    suggestion === undefined ? `Add it to the inputs of ${names}.` : `Did you mean claims.${suggestion}?`,
  );
}

const claim = ({ claim, type }: InputClaim): Read => ({ ok: true, type, claim });

function readClaim(name: string, deeper: readonly string[], place: RulePlace): Read {
  const written = [name, ...deeper].join('.');
  const alias = aliasOf(written) ?? aliasOf(name);
  if (alias !== undefined && alias !== name) return not('claim-name', written, `claims.${alias}`);
  if (name === 'identities') return not('claim-name', name, `identity.issuer, or ${ALL_IDENTITIES}`);
  const canonical =
    TEXT_CLAIMS.find((known) => known.toLowerCase() === name.toLowerCase()) ??
    shortName(name).replace(/^extension_/i, 'extension_');
  if (canonical !== name) return not('claim-name', name, `claims.${canonical}`);
  if (deeper.length > 0) return noMembers(`claims.${name}`, 'text', ['claims', written]);
  const input = inputNamed(place, name);
  return input === undefined ? is(TEXT_CLAIMS.includes(name) ? 'text' : 'custom') : claim(input);
}

/** `signInNames.emailAddress` arrives as a path of two names. */
const aliasOf = (name: string): string | undefined =>
  name.toLowerCase() === 'signinnames' ? 'email' : ALIASES.get(name.toLowerCase());

function readList(name: string, [entry]: readonly string[], listNames: ReadonlySet<string>): Read {
  if (listNames.has(name)) return entry === undefined ? is('list') : not('list-use', name, `'${entry}'`);
  const suggestion = closest(name, listNames);
  if (suggestion !== undefined) return not('unknown-list', name, `Did you mean lists.${suggestion}?`);
  const known = [...listNames].slice(0, 5).join(', ');
  const rest = listNames.size > 5 ? ', …' : '';
  return not('unknown-list', name, known === '' ? 'The policy has no lists.' : `The policy has ${known}${rest}.`);
}

const noMembers = (owner: string, type: Type, path: readonly string[]): Read =>
  not('no-members', owner, type === 'texts' ? `${owner}[0], or '…' in ${owner},` : owner, path.join('.'));

function exampleOf(variable: string, [list = 'blocked']: Iterable<string>): string {
  const examples: Readonly<Record<string, string>> = {
    claims: "claims.email, or 'email' in claims",
    lists: `claims.country in lists.${list}`,
    person: 'person.roles',
    request: 'request.step',
    identity: 'identity.issuer',
  };
  return examples[variable] ?? variable;
}

function adviceOn(variable: string, member: string, members: ReadonlyMap<string, Type> | undefined): string {
  const known = [...(members?.keys() ?? [])];
  const suggestion = closest(member, known);
  return suggestion === undefined ? `It has ${known.join(', ')}.` : `Did you mean ${variable}.${suggestion}?`;
}

/** The fault of an unknown variable. `usage`: the form of the function with this name, if there is one. */
export function unknownVariable(name: string, usage: string | undefined): ExpressionFault {
  if (TEXT_CLAIMS.includes(name) || name.startsWith('extension_'))
    return ['unknown-variable', name, `Write claims.${name}.`];
  if (usage !== undefined) return ['unknown-variable', name, `The function is written ${usage}.`];
  if (/^(?:true|false)$/i.test(name)) return ['unknown-variable', name, `Write ${name.toLowerCase()}.`];
  const suggestion = closest(name, VARIABLES);
  if (suggestion !== undefined) return ['unknown-variable', name, `Did you mean ${suggestion}?`];
  return [
    'unknown-variable',
    name,
    `The variables are ${VARIABLES.join(', ')}. Write a text in quotes, as in '${name}'.`,
  ];
}
