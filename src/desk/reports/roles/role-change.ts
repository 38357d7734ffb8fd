/** A change of a person's roles as support sees it: names of roles, groups and attributes, and no values. Pure. */
import { type NamesChanged, names } from '../../policies/differences.ts';
import { toSeconds } from '../seconds.ts';

/** A row of the audit log. `subject` is a person key. */
export interface LoggedRow {
  readonly id: string;
  readonly occurredAt: Date;
  readonly changedBy: string;
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** A record by its names. */
interface NamesHeld {
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly applications: { readonly [clientId: string]: Pick<NamesHeld, 'roles' | 'groups'> };
  readonly attributeNames: readonly string[];
}

export type RoleChangeJson = ReturnType<typeof roleChangeJson>;

export function roleChangeJson({ id, occurredAt, changedBy, subject, before, after }: LoggedRow) {
  const [was, is] = [heldIn(before), heldIn(after)];
  const attributes = names(membersOf(before, 'attributes'), membersOf(after, 'attributes'));
  return {
    id,
    occurredAt: occurredAt.toISOString(),
    changedBy,
    key: subject,
    sentence: `${toSeconds(occurredAt)}: ${changedBy} ${doneTo(was, is, attributes)}.`,
    before: was,
    after: is,
    attributes,
  };
}

/** `unreadable`: a value that was no record. Null: no record. */
function heldIn(value: unknown): NamesHeld | 'unreadable' | null {
  if (value === null || value === undefined) return null;
  if (!isObject(value) || 'unreadable' in value) return 'unreadable';
  return {
    ...namesOf(value),
    applications: Object.fromEntries(
      Object.entries(membersOf(value, 'applications')).map(([clientId, own]) => [clientId, namesOf(own)]),
    ),
    attributeNames: Object.keys(membersOf(value, 'attributes')),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const membersOf = (value: unknown, name: string): Record<string, unknown> =>
  isObject(value) && isObject(value[name]) ? value[name] : {};

const namesOf = (value: unknown) => ({ roles: textsIn(value, 'roles'), groups: textsIn(value, 'groups') });

function textsIn(value: unknown, name: string): string[] {
  const list = isObject(value) ? value[name] : undefined;
  return Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];
}

const NO_RECORD: NamesHeld = { roles: [], groups: [], applications: {}, attributeNames: [] };
const orNone = (held: ReturnType<typeof heldIn>) => (held === null || held === 'unreadable' ? NO_RECORD : held);

/** What was done, in the past tense. */
function doneTo(was: ReturnType<typeof heldIn>, is: ReturnType<typeof heldIn>, attributes: NamesChanged): string {
  const [before, after] = [orNone(was), orNone(is)];
  const clientIds = [...new Set([...Object.keys(before.applications), ...Object.keys(after.applications)])];
  const { added = [], removed = [], changed = [] } = attributes;
  const parts = [
    ...(is === null ? ['removed the record'] : was === null ? ['saved the first record'] : []),
    ...(was === 'unreadable' ? ['replaced a value that was no record'] : []),
    ...namesDone(before, after, ''),
    ...clientIds.flatMap((id) =>
      namesDone(before.applications[id] ?? NO_RECORD, after.applications[id] ?? NO_RECORD, ` in application ${id}`),
    ),
    ...done('added', 'attribute', added),
    ...done('removed', 'attribute', removed),
    ...done('changed', 'attribute', changed),
  ];
  return parts.length === 0 ? 'changed the order of names' : parts.join(', ');
}

type Held = Pick<NamesHeld, 'roles' | 'groups'>;

const namesDone = (before: Held, after: Held, where: string): string[] => [
  ...done('granted', 'role', without(before.roles, after.roles), where),
  ...done('took away', 'role', without(after.roles, before.roles), where),
  ...done('added', 'group', without(before.groups, after.groups), where),
  ...done('removed', 'group', without(after.groups, before.groups), where),
];

const without = (had: readonly string[], has: readonly string[]) => has.filter((name) => !had.includes(name));

const done = (verb: string, what: string, some: readonly string[], where = ''): string[] =>
  some.length === 0 ? [] : [`${verb} the ${what}${some.length === 1 ? '' : 's'} ${some.join(', ')}${where}`];
