/** Reads the claims of a call that an exchange declares as inputs, from the members that arrived. Pure. */
import { shortName } from '../sign-in/claim-names.ts';
import { type ClaimValue, isExact } from '../sign-in/event.ts';
import type { Exchange, ExchangeInput } from './exchange.ts';

/** What a call sent. */
export interface Incoming {
  /** Names and values in the order of arrival. A name can repeat (contract line 102). */
  readonly members: readonly (readonly [name: string, value: unknown])[];
  /** Where paths begin: the parsed body; undefined when values are flat texts. */
  readonly root: unknown;
  /** Whether members of others than the caller are among them, as in the headers of HTTP. */
  readonly hasStrangers?: boolean;
}

export interface ReadInputs {
  readonly claims: { readonly [claim: string]: ClaimValue };
  /** Names of inputs whose value has another type than declared. */
  readonly unexpected: readonly string[];
  /** Inputs whose value is the text of a claim resolver, which B2C did not resolve (contract line 101). */
  readonly unresolved: readonly string[];
  /** Members that no input reads. */
  readonly unread: readonly string[];
}

/** Such as `{Culture:LCID}` and `{OAUTH-KV:logo}`. */
const RESOLVER = /^\{[A-Za-z][A-Za-z0-9-]{0,30}:[^{}]{0,100}\}$/;
/** A path with more parts is none that a custom policy makes. */
const MAX_PATH_PARTS = 10;

export function readInputs({ inputs }: Pick<Exchange, 'inputs'>, incoming: Incoming): ReadInputs {
  const claims: { [claim: string]: ClaimValue } = Object.create(null);
  const unexpected: string[] = [];
  const unresolved: string[] = [];
  const flat = lastPresent(incoming.members);
  const nested: MembersByObject = new Map();
  for (const input of inputs) {
    for (const name of input.from) {
      const value = flat.get(memberKey(name)) ?? atPath(incoming.root, name, nested);
      if (!isPresent(value)) continue;
      if (isResolver(value)) {
        unresolved.push(name);
        continue;
      }
      const typed = typedAs(input, value);
      if (typed === undefined) unexpected.push(name);
      else {
        claims[input.claim] = typed;
        break;
      }
    }
  }
  return { claims, unexpected, unresolved, unread: unreadOf(inputs, incoming) };
}

/** By {@link memberKey}: the last value that is neither empty nor an unresolved resolver, else the last resolver. */
function lastPresent(members: Incoming['members']): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, value] of members) {
    if (!isPresent(value)) continue;
    const key = memberKey(name);
    if (!isResolver(value) || !values.has(key)) values.set(key, value);
  }
  return values;
}

const isPresent = (value: unknown): boolean =>
  value !== undefined && value !== null && !(typeof value === 'string' && value.trim() === '');

const isResolver = (value: unknown): value is string => typeof value === 'string' && RESOLVER.test(value.trim());

/** Members of the objects on paths. Each is read once: a policy may have a thousand paths, a body 60,000 members. */
type MembersByObject = Map<object, ReadonlyMap<string, unknown>>;

/** The value at a path such as `user.language`, `email.0.emailValue` or `contacts[0].email`, in any case. */
function atPath(root: unknown, path: string, nested: MembersByObject): unknown {
  if (typeof root !== 'object' || root === null || !/[.[]/.test(path)) return undefined;
  const parts = path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  if (parts.length > MAX_PATH_PARTS) return undefined;
  return parts.reduce<unknown>((value, part) => memberNamed(value, part, nested), root);
}

function memberNamed(value: unknown, name: string, nested: MembersByObject): unknown {
  if (Array.isArray(value)) return /^\d{1,6}$/.test(name) ? value[Number(name)] : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  let members = nested.get(value);
  if (members === undefined) {
    members = lastPresent(Object.entries(value));
    nested.set(value, members);
  }
  return members.get(memberKey(name));
}

/** Undefined when the value does not have the declared type. Booleans and numbers may arrive as text. */
function typedAs({ type }: ExchangeInput, value: unknown): ClaimValue | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : isScalar(value) ? String(value) : undefined;
    case 'number':
      return typeof value === 'string' ? numberIn(value.trim()) : typeof value === 'number' ? exact(value) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : typeof value === 'string' ? booleanIn(value.trim()) : undefined;
  }
}

const isScalar = (value: unknown): boolean =>
  typeof value === 'boolean' || (typeof value === 'number' && isExact(value));

const exact = (value: number): number | undefined => (isExact(value) ? value : undefined);

const numberIn = (text: string): number | undefined =>
  /^[+-]?\d{1,30}(?:\.\d{1,30})?$/.test(text) ? exact(Number(text)) : undefined;

function booleanIn(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

/** The names that inputs read, as {@link memberKey}, by the inputs of a loaded policy. */
const namesRead = new WeakMap<readonly ExchangeInput[], ReadonlySet<string>>();

/** Such as `error-codes`, `email.0.emailValue` or `@odata.type`. Other text is no name, but perhaps a value. */
const MEMBER_NAME = /^[\p{L}_@$][\p{L}\p{N}_@$.:[\]-]{0,99}$/u;

function unreadOf(inputs: readonly ExchangeInput[], { members, hasStrangers = false }: Incoming): string[] {
  if (hasStrangers) return [];
  let read = namesRead.get(inputs);
  if (read === undefined) {
    read = new Set(inputs.flatMap(({ from }) => from.flatMap((name) => [name, rootOf(name)].map(memberKey))));
    namesRead.set(inputs, read);
  }
  const known = read;
  const sent = members.filter(([, value]) => isPresent(value)).map(([name]) => name);
  return [...new Set(sent)].filter((name) => !known.has(memberKey(name)) && MEMBER_NAME.test(name));
}

/** The form in which two names of a member are equal: without case, and without the id of the extensions app. */
const memberKey = (name: string) => shortName(name).toLowerCase();
const rootOf = (path: string) => path.split(/[.[]/, 1)[0] ?? path;
