/** People's records in the management API: how to read, show and change them. */
import * as z from 'zod/mini';
import { type EntitlementsInput, shownRecord } from '../../desk/admin/record-input.ts';
import { type Answer, accepted, followPages, type Gatehouse, isRefusedAs, responseTo } from '../administrator.ts';
import { CommandRefusal } from '../refusal.ts';
import { pairs, quoted, table } from '../table.ts';

const person = z.extend(shownRecord, { key: z.string() });
export type RolesOfPerson = z.infer<typeof person>;

const unreadable = z.object({ key: z.string(), unreadable: z.string(), problem: z.string() });
const page = z.object({ people: z.array(z.union([person, unreadable])), next: z.optional(z.string()) });
const saved = z.extend(person, { changed: z.boolean(), inForce: z.string(), warning: z.optional(z.string()) });
const removed = z.object({ inForce: z.string() });

const EMPTY: EntitlementsInput = { roles: [], groups: [], attributes: {}, applications: {} };

/**
 * Returns the record of a key, undefined when missing. Throws a refusal that shows the record when it cannot be parsed.
 * The key is sent in the body, never in the URL.
 */
export async function find(gatehouse: Gatehouse, key: string): Promise<RolesOfPerson | undefined> {
  const answer = await responseTo(gatehouse.admin.people.search.$post({ json: { key } }));
  if (isRefusedAs(answer, 'no-such-person')) return undefined;
  const held = accepted(answer, z.union([person, unreadable]));
  if (!('unreadable' in held)) return held;
  throw new CommandRefusal(
    `${pairs(Object.entries({ key, unreadable: held.unreadable }))}\n${held.problem}\nRun npm run roles -- remove ${quoted(held.key)}, then set it again.`,
  );
}

type SavedAnswer = Answer<z.input<typeof saved>>;

export const put = (gatehouse: Gatehouse, key: string, input: EntitlementsInput): Promise<SavedAnswer> =>
  responseTo(gatehouse.admin.people.$put({ json: { key, ...input } }));

export const readSaved = (answer: SavedAnswer): z.infer<typeof saved> => accepted(answer, saved);

/** Returns undefined when there is no record. */
export async function removePersonRecord(gatehouse: Gatehouse, key: string): Promise<{ inForce: string } | undefined> {
  const answer = await responseTo(gatehouse.admin.people.remove.$post({ json: { key } }));
  return isRefusedAs(answer, 'no-such-person') ? undefined : accepted(answer, removed);
}

/** Returns all people, and the keys of records that cannot be parsed. */
export async function everybody(gatehouse: Gatehouse): Promise<{ all: RolesOfPerson[]; unreadable: string[] }> {
  const found = (
    await followPages(async (cursor) =>
      accepted(await responseTo(gatehouse.admin.people.$get({ query: { limit: 100, cursor } })), page),
    )
  ).flatMap(({ people }) => people);
  return {
    all: found.flatMap((one) => ('unreadable' in one ? [] : [one])),
    unreadable: found.flatMap((one) => ('unreadable' in one ? [one.key] : [])),
  };
}

/** Names that replace those of a record. Undefined leaves them unchanged. */
export interface RoleNames {
  readonly roles?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
}

/** The members of a record that can be written back. */
export function inputOf(held: EntitlementsInput | undefined): EntitlementsInput {
  if (held === undefined) return EMPTY;
  const { roles, groups, attributes, applications } = held;
  return { roles, groups, attributes, applications };
}

/**
 * Replaces the general names of a record, or with a `clientId` the names in that application. An application without
 * names is removed. An empty list that stays empty is not rewritten, so repeating a command changes nothing.
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

/** Splits roles or groups at commas and semicolons. A space never separates: one name would become several. */
export const readNames = (text: string): string[] =>
  text
    .split(/[,;]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** What is wrong with a name that contains spaces, and both ways to write it; undefined when it contains none. */
export function spacesFault(name: string): string | undefined {
  const words = name.split(/\s+/);
  if (words.length < 2) return undefined;
  return `"${words.join(' ')}" contains spaces: write ${words.join('-')} for one name, or "${words.join(', ')}" for several names`;
}

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
const listed = (names: readonly string[] | undefined) => names?.join(', ') || NONE;

function inApplication(names: { roles?: string[] | undefined; groups?: string[] | undefined }): string {
  const groups = names.groups === undefined || names.groups.length === 0 ? '' : ` (groups ${listed(names.groups)})`;
  return `${listed(names.roles)}${groups}`;
}

export const nobodyUnder = (key: string) =>
  new CommandRefusal(`There is no record of ${key}. A new record may take a minute to appear.`);
