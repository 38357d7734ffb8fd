/** What is different between two policies, for people: rules and messages line by line, lists by their entries. */
import { isDeepStrictEqual } from 'node:util';
import { diffArrays, diffJson } from 'diff';
import type { PolicyDocument } from '../../../src/policy/document.ts';
import { printable } from '../table.ts';

/** How many entries of a list are shown of those that came or went. */
const EXAMPLES = 3;
const EXAMPLE_CHARS = 80;
const MISSING = undefined;

/** Lines that say how `after` differs from `before`, `[]` when it does not. Members in another order are no difference. */
export function difference(before: PolicyDocument, after: PolicyDocument): string[] {
  const { rules: _, lists: __, messages: ___, applications: ____, ...others } = { ...after, ...before };
  return [
    ...Object.keys(others).flatMap((member) => valueLines(member, memberOf(before, member), memberOf(after, member))),
    ...byName(before.applications, after.applications).flatMap(([id, a, b]) => valueLines(`application ${id}`, a, b)),
    ...byName(before.lists, after.lists).flatMap(([name, a, b]) => listLines(name, a, b)),
    ...byName(before.messages, after.messages).flatMap(([key, a, b]) => valueLines(`message ${key}`, a, b)),
    ...ruleLines(before.rules, after.rules),
  ];
}

const memberOf = (document: PolicyDocument, member: string): unknown =>
  Object.hasOwn(document, member) ? Reflect.get(document, member) : MISSING;

/** Every name that either has, in the order of `after`, with both values. */
function byName<T>(before: { [name: string]: T } = {}, after: { [name: string]: T } = {}) {
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  const valueIn = (record: { [name: string]: T }, name: string) =>
    Object.hasOwn(record, name) ? record[name] : MISSING;
  return [...names].map((name) => [name, valueIn(before, name), valueIn(after, name)] as const);
}

/** A heading and the lines of the JSON; `[]` when both are the same. */
function valueLines(name: string, before: unknown, after: unknown): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  const change = before === MISSING ? 'added' : after === MISSING ? 'removed' : 'changed';
  return [`${printable(name)}: ${change}`, ...lineDiff(jsonOf(before), jsonOf(inOrderOf(before, after)))];
}

const jsonOf = (value: unknown) => (value === MISSING ? '' : `${JSON.stringify(value, null, 2)}\n`);

/** `after` with its members in the order of `before`, which is no difference, and new ones behind them. */
function inOrderOf(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return after;
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries(
    [...names].filter((name) => Object.hasOwn(after, name)).map((name) => [name, inOrderOf(before[name], after[name])]),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A comma that came because another member follows is no difference to diffJson. */
const lineDiff = (before: string, after: string): string[] =>
  diffJson(before, after).flatMap(({ value, added, removed }) =>
    value
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `  ${added ? '+' : removed ? '-' : ' '} ${printable(line)}`),
  );

/** Rules by their id, so that a rule which moved is one that moved; then the order, which decides. */
function ruleLines(before: PolicyDocument['rules'], after: PolicyDocument['rules']): string[] {
  const rulesById = (rules: PolicyDocument['rules']) =>
    Object.fromEntries(rules.map((rule) => [`rule ${rule.id}`, rule]));
  const changed = byName(rulesById(before), rulesById(after)).flatMap(([name, a, b]) => valueLines(name, a, b));
  const shared = (rules: PolicyDocument['rules'], others: PolicyDocument['rules']) =>
    rules.map(({ id }) => id).filter((id) => others.some((other) => other.id === id));
  const [orderBefore, orderAfter] = [shared(before, after), shared(after, before)];
  if (isDeepStrictEqual(orderBefore, orderAfter)) return changed;
  const order = diffArrays(orderBefore, orderAfter).flatMap(({ value, added, removed }) =>
    value.map((id) => `  ${added ? '+' : removed ? '-' : ' '} ${id}`),
  );
  return [...changed, 'rules in another order (the first block or invalid ends):', ...order];
}

function listLines(name: string, before: string[] | undefined, after: string[] | undefined): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  const [had, has] = [new Set(before), new Set(after)];
  const [added, removed] = [[...has].filter((entry) => !had.has(entry)), [...had].filter((entry) => !has.has(entry))];
  if (before !== MISSING && after !== MISSING && added.length + removed.length === 0)
    return [`list ${name}: the same entries in another order, or more than once`];
  const change = before === MISSING ? ', a new list' : after === MISSING ? ', the list is gone' : '';
  const heading = `list ${name}: +${added.length} -${removed.length}${change}`;
  return [heading, ...examples('+', added), ...examples('-', removed)];
}

function examples(sign: string, entries: readonly string[]): string[] {
  const more = entries.length - EXAMPLES;
  const shown = entries.slice(0, EXAMPLES).map((entry) => `  ${sign} ${printable(shortened(JSON.stringify(entry)))}`);
  return more > 0 ? [...shown, `  ${sign} … and ${more} more`] : shown;
}

const shortened = (text: string) => (text.length <= EXAMPLE_CHARS ? text : `${text.slice(0, EXAMPLE_CHARS)}…`);
