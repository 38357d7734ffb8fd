/** One list of a policy with entries added and removed. Pure. */
import { truncate } from '../../attempts/text-limits.ts';
import { lowerAscii, trim } from '../../expressions/text.ts';
import { closest } from '../../platform/closest-name.ts';
import { firstItems } from '../../platform/name-list.ts';
import { withoutUnseen } from '../../sign-in/normal-form.ts';
import type { PolicyDocument } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';

export interface ListOrder {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export interface ListChange {
  /** The document with the list changed: the same members in the same order. */
  readonly document: PolicyDocument;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly alreadyThere: readonly string[];
  readonly notThere: readonly string[];
  /** Length of the list before the first added entry. */
  readonly kept: number;
}

/** The entries of a list; undefined when the policy has no list of this name. */
export const listNamed = ({ lists = {} }: PolicyDocument, name: string): readonly string[] | undefined =>
  Object.hasOwn(lists, name) ? lists[name] : undefined;

/**
 * Adds at the end. Removes every copy of an entry. An entry that is there already, or is not there, changes nothing.
 */
export function withListChanged(
  document: PolicyDocument,
  name: string,
  entries: readonly string[],
  { add, remove }: ListOrder,
): ListChange {
  const had = new Set(entries);
  const [adding, removing] = [[...new Set(add)], [...new Set(remove)]];
  const added = adding.filter((entry) => !had.has(entry));
  const gone = new Set(removing.filter((entry) => had.has(entry)));
  const kept = entries.filter((entry) => !gone.has(entry));
  return {
    document: { ...document, lists: { ...document.lists, [name]: [...kept, ...added] } },
    added,
    removed: [...gone],
    alreadyThere: adding.filter((entry) => had.has(entry)),
    notThere: removing.filter((entry) => !had.has(entry)),
    kept: kept.length,
  };
}

/** Comparing letter by letter takes long in a long list. */
const MAX_COMPARED = 20_000;

/** Letters in another case, spaces and characters that are not seen come first; then a slip of the fingers. */
function nearIn(entries: readonly string[]): (entry: string) => string | undefined {
  const byPlain = new Map(entries.map((entry) => [plain(entry), entry]));
  return (entry) => byPlain.get(plain(entry)) ?? (entries.length <= MAX_COMPARED ? closest(entry, entries) : undefined);
}

const plain = (entry: string) => lowerAscii(trim(withoutUnseen(entry))).replace(/^(?:\*\.|@|\.)/, '');

const QUOTED_CHARS = 100;
const quoted = (entry: string) => JSON.stringify(truncate(entry, QUOTED_CHARS));

/** What did not change, and why: the first 20 sentences, and the number of the others. `[]`: everything changed. */
export function unchangedSentences(
  name: string,
  entries: readonly string[],
  { alreadyThere, notThere }: ListChange,
): readonly string[] {
  const is = firstItems(
    alreadyThere.map((entry) => `${quoted(entry)} is on ${name} already.`),
    (more) => `${more} more are on ${name} already.`,
  );
  const near = notThere.length === 0 ? () => undefined : nearIn(entries);
  const isNot = notThere.slice(0, MAX_LOOKED_UP).map((entry) => {
    const known = near(entry);
    return `${quoted(entry)} is not on ${name}.${known === undefined ? '' : ` ${quoted(known)} is: write it so.`}`;
  });
  const more = notThere.length - isNot.length;
  return [...is, ...isNot, ...(more > 0 ? [`${more} more are not on ${name}.`] : [])];
}
const MAX_LOOKED_UP = 20;

/** The problem with the place in the order, when it is about an added entry. */
export function inOrderOf(name: string, { kept, added }: ListChange, order: ListOrder, problem: Problem): Problem {
  const prefix = `lists.${name}[`;
  if (!problem.path.startsWith(prefix)) return problem;
  const entry = added[Number.parseInt(problem.path.slice(prefix.length), 10) - kept];
  return entry === undefined ? problem : { ...problem, path: `add[${order.add.indexOf(entry)}]` };
}
