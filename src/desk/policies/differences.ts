/** The differences between two policies, by name and count. List entries can be e-mail addresses: they are left out. */
import * as z from 'zod/mini';
import { MAX_CHARS, truncate } from '../../attempts/text-limits.ts';
import { DEFAULT_LANGUAGE, type PolicyDocument } from './policy-document.ts';

export interface NamesChanged {
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly changed?: readonly string[];
}

/** Also the schema of answers. The numbers count distinct entries. */
export const listChanged = z.object({
  name: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  entriesAdded: z.int(),
  entriesRemoved: z.int(),
});
export type ListChanged = Readonly<z.infer<typeof listChanged>>;

interface BeforeAndAfter<Value> {
  readonly before: Value;
  readonly after: Value;
}

/** A member is absent when it did not change. */
export interface Differences {
  /** By id. `reordered`: the rules that both policies have are in a different order. */
  readonly rules?: NamesChanged & { readonly reordered?: true };
  readonly lists?: readonly ListChanged[];
  /** Count of lists that {@link forLog} left out of `lists`. */
  readonly moreLists?: number;
  /** By key. */
  readonly messages?: NamesChanged;
  /** By client id. */
  readonly applications?: NamesChanged & { readonly onlyThese?: BeforeAndAfter<boolean> };
  /** By name. */
  readonly exchanges?: NamesChanged;
  readonly whenUnavailable?: BeforeAndAfter<NonNullable<PolicyDocument['whenUnavailable']>>;
  readonly defaultLanguage?: BeforeAndAfter<string>;
  /** Other members that changed, such as `description`. */
  readonly others?: readonly string[];
}

const OTHERS = ['description', '$schema'] as const;
const BLOCKED = { PostFederationSignup: 'block', PostAttributeCollection: 'block' } as const;

/** Compares `after` with `before`. Undefined `before`: there was no policy. */
export function differences(before: PolicyDocument | undefined, after: PolicyDocument): Differences {
  const was = before ?? { rules: [] };
  const { onlyThese: onlyBefore = false, ...applicationsBefore } = was.applications ?? {};
  const { onlyThese: onlyAfter = false, ...applicationsAfter } = after.applications ?? {};
  return compact<Differences>({
    rules: {
      ...names(rulesById(was.rules), rulesById(after.rules)),
      ...(same(sharedIds(was, after), sharedIds(after, was)) ? {} : { reordered: true }),
    },
    lists: lists(was.lists, after.lists),
    messages: names(was.messages, after.messages),
    applications: {
      ...names(applicationsBefore, applicationsAfter),
      ...(onlyBefore === onlyAfter ? {} : { onlyThese: { before: onlyBefore, after: onlyAfter } }),
    },
    exchanges: names(was.exchanges, after.exchanges),
    whenUnavailable: unlessSame({ ...BLOCKED, ...was.whenUnavailable }, { ...BLOCKED, ...after.whenUnavailable }),
    defaultLanguage: unlessSame(was.defaultLanguage ?? DEFAULT_LANGUAGE, after.defaultLanguage ?? DEFAULT_LANGUAGE),
    others: OTHERS.filter((member) => !same(was[member], after[member])),
  });
}

/** Names logged in each list. One more entry gives the count of the others. */
const MAX_NAMES = 50;

/** The differences as the audit log stores them: short, and without characters that Postgres rejects in client ids. */
export function forLog({ lists = [], ...changes }: Differences): Differences {
  const short = JSON.parse(JSON.stringify(changes), (_name, value: unknown) => {
    if (typeof value === 'string') return truncate(value, MAX_CHARS.dimension);
    if (!Array.isArray(value) || value.length <= MAX_NAMES) return value;
    return [...value.slice(0, MAX_NAMES), `… and ${value.length - MAX_NAMES} more`];
  }) as Differences;
  const more = lists.length - MAX_NAMES;
  return compact<Differences>({ ...short, lists: lists.slice(0, MAX_NAMES), moreLists: more > 0 ? more : undefined });
}

/** Whether two JSON values are equal. The order of members does not matter. */
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a, sorted) === JSON.stringify(b, sorted);

/** Replacer for `JSON.stringify` that sorts members by name. */
export const sorted = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

const unlessSame = <Value>(before: Value, after: Value) => (same(before, after) ? undefined : { before, after });

export const rulesById = (rules: PolicyDocument['rules']) => Object.fromEntries(rules.map((rule) => [rule.id, rule]));
const sharedIds = ({ rules }: PolicyDocument, other: PolicyDocument) => {
  const ids = new Set(other.rules.map(({ id }) => id));
  return rules.map(({ id }) => id).filter((id) => ids.has(id));
};

interface Named {
  readonly [name: string]: unknown;
}

export function names(before: Named = {}, after: Named = {}): NamesChanged {
  const [was, is] = [Object.keys(before), Object.keys(after)];
  return {
    added: is.filter((name) => !Object.hasOwn(before, name)),
    removed: was.filter((name) => !Object.hasOwn(after, name)),
    changed: is.filter((name) => Object.hasOwn(before, name) && !same(before[name], after[name])),
  };
}

function lists(before: PolicyDocument['lists'] = {}, after: PolicyDocument['lists'] = {}): ListChanged[] {
  const entriesOf = (all: typeof before, name: string) => (Object.hasOwn(all, name) ? all[name] : undefined);
  return [...new Set([...Object.keys(after), ...Object.keys(before)])].flatMap((name): ListChanged[] => {
    const [had, has] = [entriesOf(before, name), entriesOf(after, name)];
    const change = had === undefined ? 'added' : has === undefined ? 'removed' : 'changed';
    const [was, is] = [new Set(had), new Set(has)];
    const [entriesAdded, entriesRemoved] = [notIn(was, is).length, notIn(is, was).length];
    return change === 'changed' && entriesAdded + entriesRemoved === 0
      ? []
      : [{ name, change, entriesAdded, entriesRemoved }];
  });
}

/** Returns the entries of `list` that `other` does not have. */
export const notIn = (other: ReadonlySet<string>, list: ReadonlySet<string>): string[] =>
  [...list].filter((entry) => !other.has(entry));

/** Removes undefined members and empty lists and objects. */
function compact<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return JSON.parse(JSON.stringify(members), (_name, value) => (isEmpty(value) ? undefined : value)) ?? {};
}
