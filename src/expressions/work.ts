/**
 * Units of work. The work of an expression depends on its tree and the sizes of its values only, so the same call has
 * the same result in every isolate. Each price is a measured upper bound.
 */
import { type Overload, overloadsOf } from './functions.ts';
import {
  MAX_DOMAIN,
  MAX_ENTRIES,
  MAX_PARTS,
  MAX_PERSON_ROLES,
  MAX_ROLE_TEXT,
  MAX_SCOPE_IDENTITIES,
  MAX_TEXT,
  MIN_PATTERN_COST,
} from './limits.ts';
import type { Pattern, PatternRefusal } from './patterns.ts';
import { CLOCK } from './times.ts';
import { IDENTITY, isMacro, nodesIn, readsEntry, subtrees, type Tree } from './tree.ts';
import { isList, isMap, type Value } from './values.ts';

/** `person.id`. */
const UUID_CHARS = 36;

/** The weight of a list entry, in characters. */
const ENTRY_WEIGHT = 4;

/** Characters in a value and its entries. Counting stops above `most`: a list may contain another one many times. */
export function weightOf(value: Value, most: number): number {
  if (typeof value === 'string') return value.length;
  if (!isList(value) && !isMap(value)) return 0;
  let weight = 0;
  for (const entry of value.values()) {
    weight += ENTRY_WEIGHT + weightOf(entry, most - weight);
    if (weight > most) break;
  }
  return weight;
}

/** The work of an expression before it runs. */
export const treeWork = (tree: Tree): number => Math.ceil(nodesIn(tree) / 2);
/** The work of a macro per entry. */
export const entryWork = (bodies: readonly Tree[]): number =>
  bodies.reduce<number>((sum, body) => sum + nodesIn(body), 1);
export const operatorWork = (weight: number): number => 1 + Math.ceil(weight / 8);
/** RE2 takes up to 80 ns per character and instruction, including new states for a short text. */
export const matchWork = (size: number, length: number): number => (length + 50) * Math.max(size, MIN_PATTERN_COST);
/** The search of a policy list takes 17 steps. */
export const lookUpWork = (length: number): number => 20 + Math.ceil(length / 64);

/** A domain has at most 255 characters, and so at most 128 domains above it. */
export const domainInWork = (length: number): number => 10 + length + 128 * lookUpWork(MAX_DOMAIN);

/** The weight of an argument. Only `join` reads the entries of a list. */
export const argumentWeight = (name: string, value: Value, most: number): number =>
  typeof value === 'string' || name === 'join' ? weightOf(value, most) : 0;

/** The work of a function, by the weights of its arguments. */
export function callWork(name: string, weights: readonly number[]): number {
  const [first = 0, second = 0] = weights;
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return Math.ceil(10 + all + (MORE_WORK.get(name)?.(first, second) ?? 0));
}

/** V8's text search takes up to text × part steps. */
const search = (text: number, part: number) => (text * part) / 64;
const MORE_WORK = new Map<string, (first: number, second: number) => number>([
  ['contains', search],
  ['indexOf', search],
  ['lastIndexOf', search],
  ['split', search],
  ['replace', search],
  ['lowerAscii', (text) => text],
  ['upperAscii', (text) => text],
  ['titleCase', (text) => 4 * text],
  ['normalizeCode', (text) => 200 + 4 * text],
  // A time zone needs an Intl formatter.
  ...Object.keys(CLOCK).map((name) => [name, (_: number, zone: number) => (zone > 0 ? 100 : 0)] as const),
  // Unicode normal form C sorts combining marks.
  ['normalizeEmail', (text) => (text * text) / 200],
]);

/** Upper bounds of a value: the length of a text, and the number and bounds of entries. */
interface Largest {
  readonly text: number;
  readonly entries: number;
  readonly of: Largest | undefined;
}
const NOTHING: Largest = { text: 0, entries: 0, of: undefined };
const aText = (text: number): Largest => ({ ...NOTHING, text });
const aList = (entries: number, of: Largest): Largest => ({ ...NOTHING, entries, of });
const weightAtMost = ({ text, entries, of = NOTHING }: Largest): number =>
  Math.max(text, entries === 0 ? 0 : entries * (ENTRY_WEIGHT + weightAtMost(of)));

function either(a: Largest, b: Largest): Largest {
  const of = a.of && b.of ? either(a.of, b.of) : (a.of ?? b.of);
  return { text: Math.max(a.text, b.text), entries: Math.max(a.entries, b.entries), of };
}

/**
 * The maximum work of a tree in a call whose texts have at most `textLength` characters. Trees of the same call share
 * `counted`, so that equal sub-expressions count once.
 */
export function worstCaseWork(
  tree: Tree,
  textLength: number,
  plan: { patternOf(source: string): Pattern | PatternRefusal },
  counted = new Set<string>(),
): number {
  let work = treeWork(tree);
  visit(tree, NOTHING, 1);
  return work;

  function visit(node: Tree, it: Largest, times: number): Largest {
    if (typeof node === 'string') return aText(node.length);
    if (typeof node !== 'object') return NOTHING;
    const [operator] = node;
    const parts = subtrees(node);
    const spend = (units: number) => {
      work += units * times;
    };
    if (isMacro(operator)) {
      const [list = false, ...bodies] = parts;
      const all = visit(list, it, times);
      spend(all.entries * entryWork(bodies));
      const made = bodies.map((body) => visit(body, all.of ?? NOTHING, times * all.entries));
      if (operator === 'filter') return all;
      return operator === 'collect' ? aList(all.entries, made.at(-1) ?? NOTHING) : NOTHING;
    }
    const sizes = parts.map((part) => visit(part, it, times));
    const [first = NOTHING, second = NOTHING, third = NOTHING] = sizes;
    switch (operator) {
      case 'it':
        return it;
      case 'person':
        return aText(UUID_CHARS);
      case 'claims':
      case 'attributes':
      case 'identity':
      case 'request':
        return aText(textLength);
      case 'roles':
      case 'groups':
        return aList(MAX_PERSON_ROLES, aText(MAX_ROLE_TEXT));
      case 'list':
      case 'map':
        return aList(parts.length, sizes.reduce(either, NOTHING));
      case '?':
        return either(second, third);
      case 'identities':
        return aList(MAX_SCOPE_IDENTITIES, aList(IDENTITY.length, aText(textLength)));
      case 'domainIn':
        if (!isCounted(node)) spend(domainInWork(first.text));
        return NOTHING;
      case 'listed':
        if (!isCounted(node)) spend(lookUpWork(first.text));
        return NOTHING;
      case 'matches':
        if (!isCounted(node)) spend(matchWork(sizeOf(String(node[2])), first.text));
        return NOTHING;
    }
    const overloads = overloadsOf(`${operator}/${parts.length}`);
    if (overloads.length > 0) {
      const name = overloads[0]?.name ?? '';
      const weights = sizes.map((size) => (name === 'join' ? weightAtMost(size) : size.text));
      if (!isCounted(node)) spend(callWork(name, weights));
      return overloads.map((overload) => resultOf(overload, sizes)).reduce(either, NOTHING);
    }
    spend(operatorWork(weightAtMost(first) + weightAtMost(second)));
    if (operator === '+') return added(first, second);
    return operator === '[]' ? (first.of ?? NOTHING) : NOTHING;
  }

  function sizeOf(source: string): number {
    const pattern = plan.patternOf(source);
    return 'code' in pattern ? 0 : pattern.size;
  }

  function isCounted(node: Tree): boolean {
    if (readsEntry(node)) return false;
    const key = JSON.stringify(node);
    const before = counted.has(key);
    counted.add(key);
    return before;
  }
}

const added = (a: Largest, b: Largest): Largest => ({
  text: Math.min(MAX_TEXT, a.text + b.text),
  entries: Math.min(MAX_ENTRIES, a.entries + b.entries),
  of: either(a, b).of,
});

function resultOf({ name, gives }: Overload, sizes: readonly Largest[]): Largest {
  const longest = Math.max(0, ...sizes.map(({ text }) => text));
  if (gives.startsWith('list')) return aList(MAX_PARTS, aText(longest));
  if (gives !== 'string') return NOTHING;
  return aText(Math.min(MAX_TEXT, LONGEST.get(name)?.(sizes) ?? longest));
}

/** The longest text that a function returns, when it can exceed the longest argument. */
const LONGEST = new Map<string, (sizes: readonly Largest[]) => number>([
  ['domain', () => MAX_DOMAIN],
  // U+FDFA has 18 characters in normal form KC. A capital has up to three.
  ['normalizeCode', ([text = NOTHING]) => Math.max(1_800, 3 * text.text)],
  // U+1D160 grows threefold in normal form C.
  ['normalizeEmail', ([text = NOTHING]) => 3 * text.text],
  ['replace', ([text = NOTHING, , by = NOTHING]) => text.text * Math.max(1, by.text)],
  ['join', ([list = NOTHING, separator = NOTHING]) => list.entries * ((list.of?.text ?? 0) + separator.text)],
  // A time, or a number.
  ['string', ([value = NOTHING]) => Math.max(value.text, 40)],
]);
