/**
 * What one policy says otherwise than another, small enough for a log. Names and numbers only: entries of lists may be e-mail
 * addresses. Pure.
 */
import { bound, MAX_CHARS } from '../attempts/bounds.ts';
import { DEFAULT_LANGUAGE, type PolicyDocument } from './document.ts';

/** Of each kind so many names are told; the last then says how many more there are. */
const MAX_NAMES = 50;

export interface NamesChanged {
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly changed?: readonly string[];
}

export interface ListChanged {
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Entries that came and went, each counted once. */
  readonly entriesAdded: number;
  readonly entriesRemoved: number;
}

interface BeforeAndAfter<Value> {
  readonly before: Value;
  readonly after: Value;
}

/** Members that are absent did not change; an empty object is no difference at all. */
export interface Differences {
  /** By id. `moved`: in another order among the rules that both have, told by the fewest that must have moved. */
  readonly rules?: NamesChanged & { readonly moved?: readonly string[] };
  readonly lists?: readonly ListChanged[];
  /** Lists beyond those that are told. */
  readonly moreLists?: number;
  /** By key. */
  readonly messages?: NamesChanged;
  /** By client id. */
  readonly applications?: NamesChanged & { readonly onlyThese?: BeforeAndAfter<boolean> };
  readonly whenUnavailable?: BeforeAndAfter<WhenUnavailable>;
  readonly defaultLanguage?: BeforeAndAfter<string>;
  /** Other members that changed, such as `description`. */
  readonly others?: readonly string[];
}

type WhenUnavailable = { readonly [step in 'PostFederationSignup' | 'PostAttributeCollection']: 'block' | 'continue' };

/** How `after` differs from `before`; undefined is the policy before the first, which is empty. */
export function differences(before: PolicyDocument | undefined, after: PolicyDocument): Differences {
  const was = before ?? { rules: [] };
  const lists = listsChanged(was.lists, after.lists);
  return compact<Differences>({
    rules: compact({
      ...namesChanged(byId(was.rules), byId(after.rules)),
      moved: told(moved(idsOf(was), idsOf(after))),
    }),
    lists: lists.slice(0, MAX_NAMES),
    moreLists: lists.length > MAX_NAMES ? lists.length - MAX_NAMES : undefined,
    messages: namesChanged(was.messages, after.messages),
    applications: compact({
      ...namesChanged(clientIdsOf(was), clientIdsOf(after)),
      onlyThese: unlessSame(was.applications?.onlyThese ?? false, after.applications?.onlyThese ?? false),
    }),
    whenUnavailable: unlessSame(whenUnavailable(was), whenUnavailable(after)),
    defaultLanguage: unlessSame(was.defaultLanguage ?? DEFAULT_LANGUAGE, after.defaultLanguage ?? DEFAULT_LANGUAGE),
    others: OTHERS.filter((member) => !same(was[member], after[member])),
  });
}

const OTHERS = ['description', '$schema'] as const;

/** Whether two JSON values say the same; members in another order do. */
export const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );

type Named = ReadonlyMap<string, unknown> | { readonly [name: string]: unknown } | undefined;

const entriesOf = (named: Named): Map<string, unknown> =>
  new Map(named instanceof Map ? named : Object.entries(named ?? {}));

function namesChanged(before: Named, after: Named): NamesChanged {
  const [was, is] = [entriesOf(before), entriesOf(after)];
  return compact({
    added: told([...is.keys()].filter((name) => !was.has(name))),
    removed: told([...was.keys()].filter((name) => !is.has(name))),
    changed: told(
      [...is].filter(([name, value]) => was.has(name) && !same(was.get(name), value)).map(([name]) => name),
    ),
  });
}

const byId = (rules: PolicyDocument['rules']) => new Map(rules.map((rule) => [rule.id, rule]));
const idsOf = ({ rules }: PolicyDocument) => rules.map(({ id }) => id);

function clientIdsOf({ applications = {} }: PolicyDocument) {
  const { onlyThese: _, ...byClientId } = applications;
  return byClientId;
}

const whenUnavailable = (document: PolicyDocument): WhenUnavailable => ({
  PostFederationSignup: document.whenUnavailable?.PostFederationSignup ?? 'block',
  PostAttributeCollection: document.whenUnavailable?.PostAttributeCollection ?? 'block',
});

function listsChanged(before: PolicyDocument['lists'] = {}, after: PolicyDocument['lists'] = {}): ListChanged[] {
  const [listsBefore, listsAfter] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...listsAfter.keys(), ...listsBefore.keys()])].flatMap((name): ListChanged[] => {
    const [had, has] = [listsBefore.get(name), listsAfter.get(name)];
    const [was, is] = [new Set(had), new Set(has)];
    const entriesAdded = [...is].filter((entry) => !was.has(entry)).length;
    const entriesRemoved = [...was].filter((entry) => !is.has(entry)).length;
    const change = had === undefined ? 'added' : has === undefined ? 'removed' : 'changed';
    if (change === 'changed' && entriesAdded + entriesRemoved === 0) return [];
    return [{ name, change, entriesAdded, entriesRemoved }];
  });
}

/** The ids outside a longest run that kept its order. */
function moved(before: readonly string[], after: readonly string[]): string[] {
  const placeBefore = new Map(before.map((id, place) => [id, place]));
  const shared = after.flatMap((id) => {
    const place = placeBefore.get(id);
    return place === undefined ? [] : [{ id, place }];
  });
  // For each rule, the longest run that ends with it: how long, and which rule stands before it.
  const runs: { length: number; previous: number }[] = [];
  let [best, length] = [-1, 0];
  for (const [index, { place }] of shared.entries()) {
    const run = { length: 1, previous: -1 };
    for (const [earlier, { length: before }] of runs.entries()) {
      if ((shared[earlier]?.place ?? place) < place && before >= run.length) {
        run.length = before + 1;
        run.previous = earlier;
      }
    }
    runs.push(run);
    if (run.length > length) [best, length] = [index, run.length];
  }
  const stayed = new Set<number>();
  for (let index = best; index !== -1; index = runs[index]?.previous ?? -1) stayed.add(index);
  return shared.filter((_, index) => !stayed.has(index)).map(({ id }) => id);
}

/** As a log can keep them: client ids may be any text. */
function told(names: readonly string[]): string[] {
  const first = names.slice(0, MAX_NAMES).map((name) => bound(name, MAX_CHARS.dimension));
  return names.length > MAX_NAMES ? [...first, `… and ${names.length - MAX_NAMES} more`] : first;
}

const unlessSame = <Value>(before: Value, after: Value) => (same(before, after) ? undefined : { before, after });

/** Without the members that say nothing: undefined, empty lists, empty objects. */
function compact<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(
    Object.entries(members).filter(
      ([, value]) => value !== undefined && !(typeof value === 'object' && value !== null && isEmpty(value)),
    ),
  ) as T;
}

const isEmpty = (value: object) => Object.keys(value).length === 0;
