/** People as Gatehouse's administrators see them: how an answer is read, shown, and changed in part. */
import * as z from 'zod/mini';
import { type EntitlementsInput, shownRecord } from '../../desk/admin/record-input.ts';
import { type Answer, type ApiCall, accepted, followPages, isRefusedAs } from '../administrator.ts';
import { CommandRefusal } from '../refusal.ts';
import { pairs, quoted, table } from '../table.ts';

const person = z.extend(shownRecord, { key: z.string() });
export type RolesOfPerson = z.infer<typeof person>;

const unreadable = z.object({ key: z.string(), unreadable: z.string(), problem: z.string() });
const page = z.object({ people: z.array(z.union([person, unreadable])), next: z.optional(z.string()) });
const saved = z.extend(person, { changed: z.boolean(), inForce: z.string(), warning: z.optional(z.string()) });
const removed = z.object({ inForce: z.string() });

const NOBODY: EntitlementsInput = { roles: [], groups: [], attributes: {}, applications: {} };

/**
 * What is held under a key, undefined when that is nothing; refuses, and shows it, when it cannot be read. The key travels in
 * the body, never in the address.
 */
export async function find(call: ApiCall, key: string): Promise<RolesOfPerson | undefined> {
  const answer = await call('POST', '/admin/people/search', { key });
  if (isRefusedAs(answer, 'no-such-person')) return undefined;
  const held = accepted(answer, z.union([person, unreadable]));
  if (!('unreadable' in held)) return held;
  throw new CommandRefusal(
    `${pairs(Object.entries({ key, unreadable: held.unreadable }))}\n${held.problem}\nWith commands: npm run roles -- remove ${quoted(held.key)}, then set it anew.`,
  );
}

export const put = (call: ApiCall, key: string, input: EntitlementsInput): Promise<Answer> =>
  call('PUT', '/admin/people', { key, ...input });

export const readSaved = (answer: Answer): z.infer<typeof saved> => accepted(answer, saved);

/** Undefined when there was nothing to remove. */
export async function removePersonRecord(call: ApiCall, key: string): Promise<{ inForce: string } | undefined> {
  const answer = await call('POST', '/admin/people/remove', { key });
  return isRefusedAs(answer, 'no-such-person') ? undefined : accepted(answer, removed);
}

/** Everybody, and the keys of records that cannot be read. */
export async function everybody(call: ApiCall): Promise<{ all: RolesOfPerson[]; unreadable: string[] }> {
  const found = (await followPages(call, '/admin/people?limit=100', page)).flatMap(({ people }) => people);
  return {
    all: found.flatMap((one) => ('unreadable' in one ? [] : [one])),
    unreadable: found.flatMap((one) => ('unreadable' in one ? [one.key] : [])),
  };
}

/** Names that are said replace those that are held; names left out stay. */
export interface RoleNames {
  readonly roles?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
}

/** What can be sent again of what is held. */
export function inputOf(held: EntitlementsInput | undefined): EntitlementsInput {
  if (held === undefined) return NOBODY;
  const { roles, groups, attributes, applications } = held;
  return { roles, groups, attributes, applications };
}

/**
 * A record with names replaced: the general ones, or with a `clientId` those in that application. An application that loses
 * its last name goes. Lists that stay empty stay as they were written, so that the same names again are no change.
 */
export function withNames(held: EntitlementsInput, clientId: string, names: RoleNames): EntitlementsInput {
  if (clientId === '') {
    return {
      ...held,
      roles: replaced(held.roles, names.roles) ?? [],
      groups: replaced(held.groups, names.groups) ?? [],
    };
  }
  const { [clientId]: before, ...others } = held.applications;
  const roles = replaced(before?.roles, names.roles);
  const groups = replaced(before?.groups, names.groups);
  if (isEmpty(roles) && isEmpty(groups)) {
    return isEmpty(before?.roles) && isEmpty(before?.groups) ? held : { ...held, applications: others };
  }
  const after = { ...(roles === undefined ? {} : { roles }), ...(groups === undefined ? {} : { groups }) };
  return { ...held, applications: { ...held.applications, [clientId]: after } };
}

function replaced(before: string[] | undefined, names: readonly string[] | undefined): string[] | undefined {
  if (names === undefined || (names.length === 0 && isEmpty(before))) return before;
  return [...new Set(names)];
}

const isEmpty = (names: readonly string[] | undefined) => names === undefined || names.length === 0;

/** Roles or groups as somebody types them: separated by spaces, commas or semicolons. */
export const readNames = (text: string): string[] => text.split(/[\s,;]+/).filter((name) => name !== '');

export const showPerson = (held: RolesOfPerson): string =>
  pairs([
    ['key', held.key],
    ['roles', listed(held.roles)],
    ['groups', listed(held.groups)],
    ...Object.entries(held.attributes).map(([name, value]) => [`attribute ${name}`, String(value)] as const),
    ...Object.entries(held.applications).map(([id, names]) => [`in application ${id}`, inApplication(names)] as const),
    ['changed', `${held.updatedAt} by ${held.updatedBy}`],
  ]);

export const showPeople = (people: readonly RolesOfPerson[]): string =>
  table(
    ['KEY', 'ROLES', 'GROUPS', 'IN APPLICATIONS', 'CHANGED', 'BY'],
    people.map((held) => [
      held.key,
      listed(held.roles),
      listed(held.groups),
      Object.entries(held.applications)
        .map(([id, names]) => `${id}: ${inApplication(names)}`)
        .join('; ') || NONE,
      held.updatedAt,
      held.updatedBy,
    ]),
  );

const NONE = '-';
const listed = (names: readonly string[] | undefined) => names?.join(' ') || NONE;

function inApplication(names: { roles?: string[] | undefined; groups?: string[] | undefined }): string {
  const groups = names.groups === undefined || names.groups.length === 0 ? '' : ` (groups ${listed(names.groups)})`;
  return `${listed(names.roles)}${groups}`;
}

export const nobodyUnder = (key: string) =>
  new CommandRefusal(`There is no record under ${key}. One made in the last minute may not show yet.`);
