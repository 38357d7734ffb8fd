/** The stored format of compiled expressions. */
import { MAX_DEPTH } from './limits.ts';

/**
 * Part of the key of every stored plan. A new operator or function needs a new number, so that an older gate does not
 * load a plan that it cannot evaluate. test/unit/expressions/format.test.ts fails until it has one.
 */
export const FORMAT = 4;

/**
 * JSON. Texts, bools and doubles are literals. Anything else is `[operator, …parts]`: an operator of {@link SHAPES}, or
 * the name of a function. A method has a point in front of its name, and its target is the first part.
 */
export type Tree = string | number | boolean | TreeNode;
export interface TreeNode extends ReadonlyArray<Tree> {
  readonly 0: string;
}

export const IDENTITY = ['issuer', 'id', 'signInType'] as const;
export type IdentityMember = (typeof IDENTITY)[number];
export const REQUEST = ['step', 'clientId', 'application', 'locale', 'channel'] as const;
export type RequestMember = (typeof REQUEST)[number];
export const MACROS = ['exists', 'all', 'exists_one', 'filter', 'collect'] as const;
export type Macro = (typeof MACROS)[number];
export const BINARY = ['+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', 'in', '[]'] as const;
export type Binary = (typeof BINARY)[number];

/** Whose members may be absent. `person` has one of its own: the id. */
export const OWNERS = ['claims', 'attributes', 'person'] as const;
export type Owner = (typeof OWNERS)[number];

/** Names that the trees of a plan may use. */
export interface PlanTables {
  readonly isFunction: (key: string) => boolean;
  readonly isList: (name: string) => boolean;
  readonly isPattern: (source: string) => boolean;
}

type IsName = (part: string, names: PlanTables) => boolean;
const ANY: IsName = () => true;
const oneOf =
  (all: readonly string[]): IsName =>
  (part) =>
    all.includes(part);
const isInt: IsName = (part) => /^-?\d{1,19}$/.test(part) && BigInt.asIntN(64, BigInt(part)) === BigInt(part);

/** The parts of an operator: texts before and after the trees, and the number of trees. */
interface Shape {
  readonly before: readonly IsName[];
  readonly least: number;
  readonly most: number;
  readonly after: readonly IsName[];
}
const names = (...before: readonly IsName[]): Shape => ({ before, least: 0, most: 0, after: [] });
const trees = (least: number, most = least, ...after: readonly IsName[]): Shape => ({ before: [], least, most, after });
const MANY = Number.POSITIVE_INFINITY;

/** By operator. A change of it needs a new {@link FORMAT}. */
export const SHAPES: ReadonlyMap<string, Shape> = new Map([
  // An int in decimal digits: JSON numbers do not have 64 bits.
  ['#', names(isInt)],
  ['claims', names(ANY)],
  ['attributes', names(ANY)],
  ['person', names(oneOf(['id']))],
  ['identity', names(oneOf(IDENTITY))],
  ['request', names(oneOf(REQUEST))],
  ['has', names(oneOf(OWNERS), ANY)],
  ['roles', names()],
  ['groups', names()],
  ['identities', names()],
  ['time', names()],
  // The current entry of a macro. Macros do not nest.
  ['it', names()],
  ['list', trees(0, MANY)],
  ['listed', trees(1, 1, (name, { isList }) => isList(name))],
  ['domainIn', trees(1, 1, (name, { isList }) => isList(name))],
  ['matches', trees(1, 1, (source, { isPattern }) => isPattern(source))],
  ['&&', trees(1, MANY)],
  ['||', trees(1, MANY)],
  ['!', trees(1)],
  ['negative', trees(1)],
  ['?', trees(3)],
  // The list, then the expression for each entry. `collect` is CEL's map; its condition is optional and comes first.
  ...MACROS.map((macro) => [macro, trees(2, macro === 'collect' ? 3 : 2)] as const),
  ...BINARY.map((operator) => [operator, trees(2)] as const),
]);

/** The parts of a tree that are trees themselves. */
export function subtrees(tree: Tree): readonly Tree[] {
  if (typeof tree !== 'object') return [];
  const [operator, ...parts] = tree;
  if (operator === 'map') return parts.map((entry) => (entry as TreeNode)[1] ?? false);
  const { before = [], after = [] } = SHAPES.get(operator) ?? {};
  return parts.slice(before.length, parts.length - after.length);
}

/** The number of nodes of a tree. */
export const nodesIn = (tree: Tree): number => subtrees(tree).reduce<number>((sum, part) => sum + nodesIn(part), 1);

/** Whether the value depends on the current entry of a macro. */
export const readsEntry = (tree: Tree): boolean =>
  typeof tree === 'object' && (tree[0] === 'it' || subtrees(tree).some(readsEntry));

/** Whether a value from JSON is a valid tree. */
export function isTree(value: unknown, all: PlanTables, inMacro = false, depth = MAX_DEPTH): value is Tree {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return true;
  if (!Array.isArray(value) || depth === 0) return false;
  const [operator, ...parts] = value as readonly unknown[];
  if (typeof operator !== 'string') return false;
  const areTrees = (some: readonly unknown[], inside = inMacro) =>
    some.every((part) => isTree(part, all, inside, depth - 1));
  if (operator === 'map') return parts.every(isEntry) && areTrees(parts.map((entry) => (entry as unknown[])[1]));
  const shape = SHAPES.get(operator);
  if (shape === undefined) return all.isFunction(`${operator}/${parts.length}`) && areTrees(parts);
  const { before, least, most, after } = shape;
  const between = parts.slice(before.length, parts.length - after.length);
  const texts = [...parts.slice(0, before.length), ...parts.slice(parts.length - after.length)];
  if (parts.length !== before.length + between.length + after.length || between.length < least) return false;
  if (between.length > most || (operator === 'it' && !inMacro)) return false;
  if (![...before, ...after].every((isName, at) => isText(texts[at]) && isName(texts[at], all))) return false;
  if (!isMacro(operator)) return areTrees(between);
  const [list, ...bodies] = between;
  return !inMacro && areTrees([list], false) && areTrees(bodies, true);
}

const isText = (part: unknown): part is string => typeof part === 'string';
const isEntry = (entry: unknown) => Array.isArray(entry) && entry.length === 2 && isText(entry[0]);
export const isMacro = (operator: string): operator is Macro => (MACROS as readonly string[]).includes(operator);
