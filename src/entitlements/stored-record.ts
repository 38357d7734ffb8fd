/** The record of a person in Workers KV, validated on read, and its meaning for one application. */
import { MAX_PERSON_ROLES } from '../expressions/limits.ts';

/** Excludes spaces: the claim is a list separated by spaces. */
export const ROLE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;
/** Expressions are limited by it too. */
export const MAX_ROLES = MAX_PERSON_ROLES;
/** Tokens and their cookies become too large long before a limit of B2C applies (contract 2.6). */
export const MAX_CLAIM_CHARS = 2_000;
export const MAX_ATTRIBUTES = 50;
export const MAX_APPLICATIONS = 50;
/** The most names that are read, including invalid ones: an operator may edit the value by hand. */
const MAX_NAMES_READ = 1_000;

export const MAX_ATTRIBUTE_CHARS = 2_000;
export const MAX_ATTRIBUTE_NAME_CHARS = 100;
export const MAX_CLIENT_ID_CHARS = 128;

/** The JSON in KV. */
export interface Entitlements {
  readonly v: 1;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly attributes: { readonly [name: string]: string | number | boolean };
  /** Roles and groups by client id, in lower case. */
  readonly applications: {
    readonly [clientId: string]: {
      readonly roles?: readonly string[] | undefined;
      readonly groups?: readonly string[] | undefined;
    };
  };
  /** ISO 8601, UTC. */
  readonly updatedAt: string;
  readonly updatedBy: string;
}

/** A removal outlives every read that does not show it yet, and every move of the record. */
export const REMOVAL_TTL_SECONDS = 7 * 86_400;

/**
 * Replaces a record while copies of it exist under more than one KV key. A copy that KV deletes could be written again
 * from a read that is a minute old; the newer removal counts.
 */
export interface Removal {
  readonly v: 1;
  readonly removed: true;
  /** ISO 8601, UTC. */
  readonly updatedAt: string;
}

/**
 * Parses a KV value: a record, a removal, or undefined when it is neither. Invalid names do not invalidate a record,
 * since an operator may edit it by hand; {@link entitledTo} drops them.
 */
export function readStored(value: string): Entitlements | Removal | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    return isRemoval(parsed) ? { v: 1, removed: true, updatedAt: parsed.updatedAt } : recordOf(parsed);
  } catch {
    return undefined;
  }
}

const isRemoval = (value: unknown): value is Removal =>
  isObject(value) && value.v === 1 && value.removed === true && isTime(value.updatedAt);

/** One value of a record that may be under several KV keys. */
export interface Copy {
  readonly place: string;
  readonly text: string;
  readonly stored: Entitlements | Removal | undefined;
}

/**
 * The copy that counts, of the values at `places` in their order: the one that was changed last. When the first one is
 * unreadable, no other replaces it.
 */
export function newestCopy(
  places: readonly string[],
  values: { get(place: string): string | null | undefined },
): Copy | undefined {
  let newest: Copy | undefined;
  for (const place of places) {
    const text = values.get(place);
    if (text === null || text === undefined) continue;
    const copy: Copy = { place, text, stored: readStored(text) };
    if (newest === undefined || isNewer(copy.stored, newest.stored)) newest = copy;
  }
  return newest;
}

const isNewer = (one: Copy['stored'], other: Copy['stored']): boolean =>
  one !== undefined && other !== undefined && Date.parse(one.updatedAt) > Date.parse(other.updatedAt);

function recordOf(value: unknown): Entitlements | undefined {
  if (!isObject(value)) return undefined;
  const { v, roles, groups, attributes, updatedAt, updatedBy } = value;
  const applications = applicationsOf(value.applications);
  if (v !== 1 || !areNames(roles) || !areNames(groups) || !areAttributes(attributes)) return undefined;
  if (applications === undefined || !isTime(updatedAt) || typeof updatedBy !== 'string') return undefined;
  return { v, roles, groups, attributes, applications, updatedAt, updatedBy };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const areNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= MAX_NAMES_READ && value.every((name) => typeof name === 'string');

function areAttributes(value: unknown): value is Entitlements['attributes'] {
  if (!isObject(value)) return false;
  const names = Object.keys(value);
  return names.length <= MAX_ATTRIBUTES && names.every((name) => isAttribute(name, value[name]));
}

function isAttribute(name: string, value: unknown): boolean {
  if (name === '' || name.length > MAX_ATTRIBUTE_NAME_CHARS) return false;
  if (typeof value === 'string') return value.length <= MAX_ATTRIBUTE_CHARS;
  return typeof value === 'number' || typeof value === 'boolean';
}

function applicationsOf(value: unknown): Entitlements['applications'] | undefined {
  if (!isObject(value)) return undefined;
  const all = Object.entries(value);
  if (all.length === 0) return NO_APPLICATIONS;
  if (all.length > MAX_APPLICATIONS || !all.every(([id, own]) => isClientId(id.trim()) && isApplication(own)))
    return undefined;
  return Object.fromEntries(all.map(([id, own]) => [id.trim().toLowerCase(), own])) as Entitlements['applications'];
}

const NO_APPLICATIONS = {};

const isClientId = (id: string) => id !== '' && id.length <= MAX_CLIENT_ID_CHARS;

const isApplication = (value: unknown) =>
  isObject(value) &&
  Object.keys(value).every((member) => (member === 'roles' || member === 'groups') && areNames(value[member]));

/** An attempt stores this time, and Postgres has no year 0. */
const isTime = (value: unknown): value is string =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z$/.test(value) &&
  value >= '1970' &&
  !Number.isNaN(Date.parse(value));

/** The part of a record that contains entitlements. */
type Held = Pick<Entitlements, 'roles' | 'groups' | 'attributes' | 'applications'>;

/** The entitlements for one application. */
export interface Entitled {
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly attributes: Held['attributes'];
  /** Number of names that were dropped because they are invalid or over a limit. */
  readonly dropped: number;
}

/** Merges the general roles and groups with the application's, without duplicates and within the limits of a claim. */
export function entitledTo(record: Held, clientId: string): Entitled {
  const own = record.applications[clientId.toLowerCase()];
  const roles = allowed([...record.roles, ...(own?.roles ?? [])]);
  const groups = allowed([...record.groups, ...(own?.groups ?? [])]);
  return {
    roles: roles.names,
    groups: groups.names,
    attributes: record.attributes,
    dropped: roles.dropped + groups.dropped,
  };
}

function allowed(listed: readonly string[]) {
  const all = [...new Set(listed)];
  const names: string[] = [];
  let chars = -1;
  for (const name of all) {
    if (!ROLE_NAME.test(name) || names.length === MAX_ROLES || chars + 1 + name.length > MAX_CLAIM_CHARS) continue;
    names.push(name);
    chars += 1 + name.length;
  }
  return { names, dropped: all.length - names.length };
}

/** A claim cannot be a collection, so roles are one string separated by spaces (contract 1.6). */
export const claimOf = (roles: readonly string[]): string => roles.join(' ');
