/** Expressions, trees and calls for tests. */
import fc from 'fast-check';
import { parseExpression } from '../../src/desk/policies/cel.ts';
import { toTree } from '../../src/desk/policies/to-tree.ts';
import { runOf, Shared } from '../../src/expressions/evaluate.ts';
import { FUNCTIONS, isFunction } from '../../src/expressions/functions.ts';
import { listText } from '../../src/expressions/list.ts';
import { openScope, type ScopeInputs } from '../../src/expressions/scope.ts';
import { BINARY, type PlanTables, REQUEST, type Tree } from '../../src/expressions/tree.ts';
import { Fail, isList, isMap, Span, Time, type Value } from '../../src/expressions/values.ts';

export const LISTS = new Map([['codes', listText(['SPRING', '5', '\u{1f4a5}']) ?? '']]);

/** Parses without the type checker, so that operands can have any types. */
export function treeOf(source: string): Tree | { readonly refused: string } {
  const parsed = parseExpression(source);
  if (!parsed.ok) return { refused: parsed.code };
  const { tree, problems } = toTree(source, parsed.node, new Set(LISTS.keys()));
  const [problem] = problems;
  return problem === undefined ? tree : { refused: problem.code };
}

export const CALL: ScopeInputs = {
  claims: {},
  identity: undefined,
  identities: [],
  roles: [],
  groups: [],
  attributes: {},
  step: 'PostAttributeCollection',
  clientId: 'c0ffee00-0000-4000-8000-000000000001',
  application: 'Shop',
  locale: 'de-AT',
  channel: 'user-flow',
  now: Date.UTC(2026, 10, 21, 12),
  lists: LISTS,
};

export function evaluate(source: string, changed: Partial<ScopeInputs> = {}): Value {
  const tree = treeOf(source);
  if (typeof tree === 'object' && 'refused' in tree) throw new Error(`${source}: ${tree.refused}`);
  return runOf(tree, new Shared())(openScope({ ...CALL, ...changed }));
}

/** A value as text, with its type. All failures are equal. */
export function shown(value: Value): string {
  if (value instanceof Fail) return 'fails';
  if (typeof value === 'bigint') return `int ${value}`;
  if (typeof value === 'number') return `double ${value + 0}`;
  if (value instanceof Time) return `time ${value.ns}`;
  if (value instanceof Span) return `duration ${value.ns}`;
  if (isList(value)) return `[${value.map(shown).join(', ')}]`;
  if (!isMap(value)) return JSON.stringify(value);
  return `{${[...value]
    .map(([key, of]) => `${JSON.stringify(key)}: ${shown(of)}`)
    .sort()
    .join(', ')}}`;
}

export const namesOf = (shared: Shared): PlanTables => ({
  isFunction,
  isList: (name) => LISTS.has(name),
  isPattern: (source) => !('code' in shared.patternOf(source)),
});

const TEXTS = [
  '',
  'a',
  'SPRING',
  '5',
  '-7',
  '1.5',
  'true',
  "jane o'neil",
  'Jane@Example.com',
  '2001-02-28',
  'a,b,c',
  '1h30m',
];
const ODD_TEXTS = [
  '\u{1f4a5}x\u{1f4a5}',
  '\ud800',
  'x\udc00',
  '\u00c4\u00df',
  'e\u0301',
  '\u{1d160}',
  '\u00e9\n',
  '2026-01-31T00:00:00Z',
];
export const anyText = fc.oneof(fc.constantFrom(...TEXTS, ...ODD_TEXTS), fc.string({ unit: 'binary', maxLength: 8 }));
const anyLongText = fc.tuple(fc.constantFrom(...TEXTS, ...ODD_TEXTS), fc.integer({ min: 1, max: 12_000 }));
const anyClaim = fc.oneof(
  { weight: 6, arbitrary: anyText },
  { weight: 1, arbitrary: anyLongText.map(([text, length]) => text.repeat(length).slice(0, length)) },
  {
    weight: 2,
    arbitrary: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, 1, 5, -1, 2 ** 53)),
  },
  { weight: 1, arbitrary: fc.boolean() },
);
export const CLAIMS = ['email', 'city', '__proto__'];

export const anyCall: fc.Arbitrary<ScopeInputs> = fc
  .record({
    claims: fc.dictionary(fc.constantFrom(...CLAIMS), anyClaim, { maxKeys: 3, noNullPrototype: false }),
    attributes: fc.dictionary(fc.constantFrom('tier', 'constructor'), anyClaim),
    identity: fc.option(fc.record({ issuer: anyText, issuerAssignedId: anyText, signInType: anyText }), {
      nil: undefined,
    }),
    identities: fc.array(fc.record({ issuer: anyText, issuerAssignedId: anyText, signInType: anyText }), {
      maxLength: 10,
    }),
    roles: fc.array(anyText, { maxLength: 4 }),
    groups: fc.array(anyText, { maxLength: 110, size: 'max' }),
    now: fc.oneof(fc.integer(), fc.double(), fc.constant(CALL.now)),
  })
  .map((changed) => ({ ...CALL, ...changed }));

const CALLS = FUNCTIONS.flatMap(({ overloads }) => Object.keys(overloads)).map((signature) => {
  const [, target, name, rest = ''] = /^(?:(\w+)\.)?(\w+)\((.*)\):/.exec(signature) ?? [];
  const count = (target === undefined ? 0 : 1) + (rest === '' ? 0 : rest.split(', ').length);
  return [target === undefined ? `${name}` : `.${name}`, count] as const;
});
const PATTERNS = ['^[a-z]+$', '(?i)jane|spring', '.*a.{20}[cd]', '(.?){30}[ab].{9}c', '\\bx\\b'];

/** Inside macros, `leaf` also yields `it`. */
function treesOf(
  leaf: fc.Arbitrary<Tree>,
  macros: (tree: fc.Arbitrary<Tree>) => fc.Arbitrary<Tree>[],
): fc.Arbitrary<Tree> {
  return fc.letrec<{ tree: Tree }>((tie) => {
    const tree = tie('tree');
    const parts = (count: number) => fc.array(tree, { minLength: count, maxLength: count });
    return {
      tree: fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        leaf,
        ...macros(tree),
        fc.constantFrom(...CALLS).chain(([name, count]) => parts(count).map((args): Tree => [name, ...args])),
        fc.constantFrom(...BINARY).chain((sign) => parts(2).map((args): Tree => [sign, ...args])),
        fc
          .tuple(fc.constantFrom('&&', '||', 'list'), fc.array(tree, { minLength: 1, maxLength: 4 }))
          .map(([sign, args]): Tree => [sign, ...args]),
        fc.tuple(fc.constantFrom('!', 'negative'), tree).map((node): Tree => node),
        parts(3).map((args): Tree => ['?', ...args]),
        fc.tuple(tree, fc.constantFrom(...PATTERNS)).map(([text, pattern]): Tree => ['matches', text, pattern]),
        tree.map((value): Tree => ['listed', value, 'codes']),
        tree.map((value): Tree => ['domainIn', value, 'codes']),
        fc
          .array(tree, { maxLength: 2 })
          .map((values): Tree => ['map', ...values.map((value, at): Tree => [`${at}`, value])]),
      ),
    };
  }).tree;
}

const anyLeaf: fc.Arbitrary<Tree> = fc.oneof(
  anyText.map((text) => text.toWellFormed()),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc
    .constantFrom('0', '1', '-1', '3', '9223372036854775807', '-9223372036854775808')
    .map((digits): Tree => ['#', digits]),
  fc.tuple(fc.constantFrom('claims'), fc.constantFrom(...CLAIMS)),
  fc.tuple(fc.constantFrom('has'), fc.constantFrom('claims', 'attributes'), fc.constantFrom(...CLAIMS, 'tier')),
  fc.constantFrom<Tree>(
    ['attributes', 'tier'],
    ['identity', 'id'],
    ['roles'],
    ['groups'],
    ['identities'],
    ['time'],
    ...REQUEST.map((name): Tree => ['request', name]),
  ),
);
const anyBody = treesOf(fc.oneof(anyLeaf, fc.constant<Tree>(['it'])), () => []);
/** Trees that `isTree` accepts. Operands have any types, so most trees fail somewhere. */
export const anyTree = treesOf(anyLeaf, (tree) => [
  fc
    .tuple(fc.constantFrom('exists', 'all', 'exists_one', 'filter', 'collect'), tree, anyBody)
    .map((node): Tree => node),
  fc.tuple(fc.constant('collect'), tree, anyBody, anyBody).map((node): Tree => node),
]);
