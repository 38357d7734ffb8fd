/** The difference between two policies for people: the parts that the audit log names, each with its changed lines. */
import { diffLines } from 'diff';
import { differences, names, notIn, rulesById, sorted } from '../../desk/policies/differences.ts';
import type { PolicyDocument } from '../../desk/policies/policy-document.ts';
import { printable } from '../table.ts';

/** How many added or removed entries of a list are shown. */
const EXAMPLES = 3;
const EXAMPLE_CHARS = 80;
const OF_A_LIST = { added: ', new list', removed: ', list removed', changed: '' } as const;

/** Returns lines that show how `after` differs from `before`, `[]` when equal. The order of members does not matter. */
export function difference(before: PolicyDocument, after: PolicyDocument): string[] {
  const [was, is] = [partsOf(before, after), partsOf(after, before)];
  const counts = new Map<string, string>();
  for (const { name, change, entriesAdded, entriesRemoved } of differences(before, after).lists ?? [])
    counts.set(`list ${name}`, `+${entriesAdded} -${entriesRemoved}${OF_A_LIST[change]}`);
  const { added = [], removed = [], changed = [] } = names(was, is);
  return Object.entries({ changed, added, removed }).flatMap(([change, parts]) =>
    parts.flatMap((part) => [
      printable(`${part}: ${counts.get(part) ?? change}`),
      ...linesOf(was[part] ?? '', is[part] ?? ''),
    ]),
  );
}

/** The named parts of a policy as texts to compare by line. A list contributes a few entries that `other` lacks. */
function partsOf(
  { rules, lists = {}, messages = {}, applications = {}, exchanges = {}, ...others }: PolicyDocument,
  other: PolicyDocument,
): { [part: string]: string } {
  const ids = rules.map(({ id }) => id).filter((id) => other.rules.some((rule) => rule.id === id));
  const otherLists = new Map(Object.entries(other.lists ?? {}));
  const text = (value: unknown) => `${JSON.stringify(value, sorted, 2).replace(/,$/gm, '')}\n`;
  const parts = (kind: string, named: object) =>
    Object.entries(named).map(([name, value]) => [kind + name, text(value)]);
  return Object.fromEntries([
    ...parts('', others),
    ...parts('application ', applications),
    ...parts('exchange ', exchanges),
    ...Object.entries(lists).map(([name, list]) => [`list ${name}`, examplesOf(list, otherLists.get(name) ?? [])]),
    ...parts('message ', messages),
    ...parts('rule ', rulesById(rules)),
    ['order of the rules', ids.map((id) => `${id}\n`).join('')],
  ]);
}

/** A different order or a repeated entry is a difference too. */
function examplesOf(list: readonly string[], other: readonly string[]): string {
  const foreign = notIn(new Set(other), new Set(list));
  const shown = foreign.length > 0 ? foreign : list.filter((entry, place) => entry !== other[place]);
  const examples = shown.slice(0, EXAMPLES).map((entry) => JSON.stringify(entry).slice(0, EXAMPLE_CHARS));
  return [...examples, ...(shown.length > EXAMPLES ? [`… and ${shown.length - EXAMPLES} more`] : [])]
    .map((line) => `${line}\n`)
    .join('');
}

const linesOf = (before: string, after: string): string[] =>
  diffLines(before, after).flatMap(({ value, added, removed }) =>
    value
      .trimEnd()
      .split('\n')
      .map((line) => `  ${added ? '+' : removed ? '-' : ' '} ${printable(line)}`),
  );
