/** Reads the claims of a call that an exchange declares as inputs, from the members that arrived. Pure. */
import type { ClaimValue } from '../sign-in/event.ts';
import type { Exchange, ExchangeInput } from './exchange.ts';

/** What a call sent. */
export interface Incoming {
  /** Names and values in the order of arrival. A name can repeat (contract line 102). */
  readonly members: readonly (readonly [name: string, value: unknown])[];
  /** Where paths begin: the parsed body; undefined when values are flat texts. */
  readonly root: unknown;
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
  const flat = lastPresent(incoming);
  for (const input of inputs) {
    for (const name of input.from) {
      const value = flat.get(name.toLowerCase()) ?? atPath(incoming.root, name);
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

/** By name in lower case: the last value that is neither empty nor an unresolved resolver, else the last resolver. */
function lastPresent({ members }: Incoming): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, value] of members) {
    if (!isPresent(value)) continue;
    const key = name.toLowerCase();
    if (!isResolver(value) || !values.has(key)) values.set(key, value);
  }
  return values;
}

const isPresent = (value: unknown): boolean =>
  value !== undefined && value !== null && !(typeof value === 'string' && value.trim() === '');

const isResolver = (value: unknown): value is string => typeof value === 'string' && RESOLVER.test(value.trim());

/** The value at a path such as `user.language`, `email.0.emailValue` or `contacts[0].email`, in any case. */
function atPath(root: unknown, path: string): unknown {
  if (typeof root !== 'object' || root === null || !/[.[]/.test(path)) return undefined;
  const parts = path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  if (parts.length > MAX_PATH_PARTS) return undefined;
  return parts.reduce<unknown>((value, part) => memberNamed(value, part), root);
}

function memberNamed(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return /^\d{1,6}$/.test(name) ? value[Number(name)] : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  const wanted = name.toLowerCase();
  return Object.entries(value).findLast(([key, member]) => key.toLowerCase() === wanted && isPresent(member))?.[1];
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
  typeof value === 'boolean' || (typeof value === 'number' && exact(value) !== undefined);

/** JSON.parse rounds whole numbers beyond 2^53, so their value is unknown. */
const exact = (value: number): number | undefined =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : undefined;

const numberIn = (text: string): number | undefined =>
  /^[+-]?\d{1,30}(?:\.\d{1,30})?$/.test(text) ? exact(Number(text)) : undefined;

function booleanIn(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

/** The names that inputs read, in lower case, by the inputs of a loaded policy. */
const namesRead = new WeakMap<readonly ExchangeInput[], ReadonlySet<string>>();

function unreadOf(inputs: readonly ExchangeInput[], { members }: Incoming): string[] {
  let read = namesRead.get(inputs);
  if (read === undefined) {
    read = new Set(inputs.flatMap(({ from }) => from.flatMap((name) => [name, rootOf(name)].map(lower))));
    namesRead.set(inputs, read);
  }
  const known = read;
  return [...new Set(members.map(([name]) => name))].filter((name) => !known.has(lower(name)));
}

const lower = (name: string) => name.toLowerCase();
const rootOf = (path: string) => path.split(/[.[]/, 1)[0] ?? path;
