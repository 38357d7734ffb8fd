/**
 * What changed between two policies, with the text before and after, and a line for each change as `npm run policy --
 * diff` writes it. Of lists only counts: entries are for administrators. Pure.
 */
import { differences, names, rulesById, same } from '../../policies/differences.ts';
import type { PolicyDocument } from '../../policies/policy-document.ts';
import type { PartChanged, PartsChanged } from './reported-policy-answers.ts';

const OF_A_LIST = { added: ', new list', removed: ', list removed', changed: '' } as const;

/** Undefined `before`: there was no policy. */
export function policyDifferences(before: PolicyDocument | undefined, after: PolicyDocument) {
  const was = before ?? { rules: [] };
  const { lists = [], rules } = differences(before, after);
  const parts = {
    rules: partsOf(rulesById(was.rules), rulesById(after.rules)),
    messages: partsOf(was.messages, after.messages),
    exchanges: partsOf(was.exchanges, after.exchanges),
    applications: partsOf(was.applications, after.applications),
    settings: partsOf(settingsOf(was), settingsOf(after)),
  };
  const reordered = rules?.reordered === true;
  const summary = [
    ...linesOf('rule ', parts.rules),
    ...(reordered ? ['order of the rules: changed'] : []),
    ...lists.map(
      ({ name, change, entriesAdded, entriesRemoved }) =>
        `list ${name}: +${entriesAdded} -${entriesRemoved}${OF_A_LIST[change]}`,
    ),
    ...linesOf('message ', parts.messages),
    ...linesOf('exchange ', parts.exchanges),
    ...linesOf('application ', parts.applications),
    ...linesOf('', parts.settings),
  ];
  return { summary, ...parts, reordered, lists };
}

/** Everything but the parts that have names, and the lists. */
const settingsOf = ({ rules, lists, messages, exchanges, applications, ...settings }: PolicyDocument) => settings;

interface Parts {
  readonly [name: string]: unknown;
}

function partsOf(before: Parts = {}, after: Parts = {}): PartsChanged {
  const { added = [], removed = [], changed = [] } = names(before, after);
  return {
    added: added.map((name) => ({ name, value: after[name] })),
    removed: removed.map((name) => ({ name, value: before[name] })),
    changed: changed.map((name) => partChanged(name, before[name], after[name])),
  };
}

function partChanged(name: string, before: unknown, after: unknown): PartChanged {
  if (!isObject(before) || !isObject(after)) return { name, members: [], before, after };
  const all = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const members = all.filter((member) => !same(before[member], after[member]));
  const of = (value: Parts) =>
    Object.fromEntries(members.flatMap((member) => (Object.hasOwn(value, member) ? [[member, value[member]]] : [])));
  return { name, members, before: of(before), after: of(after) };
}

const isObject = (value: unknown): value is Parts =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const linesOf = (kind: string, { added, removed, changed }: PartsChanged): string[] => [
  ...changed.map(
    ({ name, members }) => `${kind}${name}: changed${members.length > 0 ? ` (${members.join(', ')})` : ''}`,
  ),
  ...added.map(({ name }) => `${kind}${name}: added`),
  ...removed.map(({ name }) => `${kind}${name}: removed`),
];
