/** The only file that uses cel-js: for parsing and type checks, never for evaluation. Its messages are never shown. */
import { type ASTNode, Environment, ParseError, TypeError as TypeMismatch } from '@marcbachmann/cel-js';
import { FUNCTIONS } from '../../expressions/functions.ts';

export type AstNode = ASTNode;
/** In UTF-16 units of the source; `to` is exclusive. */
export interface SourceRange {
  readonly from: number;
  readonly to: number;
}

/** Nested brackets and prefix operators. The parser recurses once for each. */
const MAX_NESTING = 60;
/** High enough for what people write in 4,000 characters. */
const LIMITS = {
  maxAstNodes: 1_000,
  maxDepth: MAX_NESTING,
  maxListElements: 1_000,
  maxMapEntries: 500,
  maxCallArguments: 5,
};

/** The type checker sees these instead of parts of the source. None is longer than the part that it replaces. */
const STAND_INS = {
  any: '_',
  text: '__text',
  texts: '__texts',
  time: '__time',
  number: '__num',
  list: '__list',
  identities: '__ids',
  custom: '__any',
  truth: 'true',
  // cel-js infers no entry type for `[]` and `{}` and rejects some of their valid uses.
  emptyList: '_0',
  emptyMap: '_1',
};
export type StandIn = keyof typeof STAND_INS;
/** True for names that a macro variable must not have. */
export const isReserved = (name: string): boolean => /^_[_\d]/.test(name);
const TYPES = {
  any: 'dyn',
  text: 'string',
  texts: 'list<string>',
  time: 'google.protobuf.Timestamp',
  number: 'double',
  list: 'PolicyList',
  identities: 'list<map<string, string>>',
  custom: 'dyn',
  emptyList: 'list',
  emptyMap: 'map',
};

/** CEL compares int with double. cel-js supports that only for the other operators. */
const NUMBER_COMPARISONS = ['int == double', 'int in list<double>', 'double in list<int>', 'list<int> == list<double>'];

/** One environment serves all documents: variables are replaced by values of their types before the type check. */
const ENVIRONMENT = (() => {
  const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS });
  environment.registerType('PolicyList', { fields: {} });
  environment.registerOperator('string in PolicyList: bool', () => true);
  environment.registerFunction('domainIn(string, PolicyList): bool', () => true);
  for (const comparison of NUMBER_COMPARISONS) environment.registerOperator(`${comparison}: bool`, () => true);
  for (const [name, type] of Object.entries(TYPES)) environment.registerVariable(STAND_INS[name as StandIn], type);
  const own = new Set(environment.getDefinitions().functions.map(({ signature }) => signature));
  for (const signature of FUNCTIONS.flatMap(({ overloads }) => Object.keys(overloads)).map(celSignature)) {
    if (!own.has(signature)) environment.registerFunction(signature, () => true);
  }
  return environment;
})();

function celSignature(signature: string): string {
  return signature
    .replaceAll(/\btimestamp\b(?!\()/g, 'google.protobuf.Timestamp')
    .replaceAll(/\bduration\b(?!\()/g, 'google.protobuf.Duration')
    .replaceAll(/\blist\b(?!<)/g, 'list<dyn>')
    .replaceAll(/\bmap\b(?!<)/g, 'map<dyn, dyn>');
}

export type ParsedExpression =
  | { readonly ok: true; readonly node: AstNode }
  /** `code` is the library's. */
  | { readonly ok: false; readonly code: string; readonly range: SourceRange };

export function parseExpression(source: string): ParsedExpression {
  const everything = { from: 0, to: source.length };
  if (nestingOf(source) > MAX_NESTING) return { ok: false, code: 'too_deep', range: everything };
  try {
    return { ok: true, node: ENVIRONMENT.parse(source).ast };
  } catch (error) {
    if (error instanceof RangeError) return { ok: false, code: 'too_deep', range: everything };
    if (!(error instanceof ParseError)) throw error;
    const isDepth = error.code === 'limit_exceeded' && error.message.includes('maxDepth');
    const { start = 0, end = source.length } = error.node ?? {};
    return { ok: false, code: isDepth ? 'too_deep' : error.code, range: { from: start, to: end } };
  }
}

function nestingOf(source: string): number {
  const outer: number[] = [];
  let [base, depth, most] = [0, 0, 0];
  for (const sign of withoutTexts(source)) {
    if ('([{'.includes(sign)) {
      outer.push(base);
      base = ++depth;
    } else if (')]}'.includes(sign)) base = depth = outer.pop() ?? 0;
    else if (sign === '!' || sign === '-') depth++;
    else if (sign.trim() !== '') depth = base;
    most = Math.max(most, depth);
  }
  return most;
}

/** Replaces strings and comments by blanks. All other characters keep their offsets. */
const withoutTexts = (source: string) =>
  source.replace(/'''[\s\S]*?'''|"""[\s\S]*?"""|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\/\/.*/g, (text) =>
    ' '.repeat(text.length),
  );

/** The range of a node. cel-js leaves out brackets around the first and the last operand. */
export function rangeOf({ start, end }: { readonly start: number; readonly end: number }, source: string): SourceRange {
  let [from, to, open, missing] = [start, end, 0, 0];
  for (const sign of withoutTexts(source.slice(start, end))) {
    if (sign === '(') open++;
    else if (sign === ')' && open > 0) open--;
    else if (sign === ')') missing++;
  }
  const signs = open + missing === 0 ? '' : withoutTexts(source);
  while (open > 0 && to < signs.length) if (signs[to++] === ')') open--;
  while (missing > 0 && from > 0) if (signs[--from] === '(') missing--;
  return { from, to };
}

/** A part of the source as messages show it: on one line, at most 60 characters. */
export function excerpt(source: string, { from, to }: SourceRange): string {
  const text = source.slice(from, to).replace(/\s+/g, ' ');
  return text.length > 60 ? `${text.slice(0, 57).toWellFormed()}…` : text;
}

/** Replaces a range by a value of a type. All other offsets stay the same. */
export function replaced(source: string, { from, to }: SourceRange, by: StandIn): string {
  return source.slice(0, from) + STAND_INS[by].padEnd(to - from) + source.slice(to);
}

/** The value of a string literal. */
export const textOf = (node: AstNode): string | undefined =>
  node.op === 'value' && typeof node.args === 'string' ? node.args : undefined;

/** A path of names, such as `person.attributes['x']`. Undefined for other nodes. */
export function pathOf(node: AstNode): readonly string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [owner, index] = node.args;
  const path = pathOf(owner);
  const name = typeof index === 'string' ? index : textOf(index);
  return path === undefined || name === undefined ? undefined : [...path, name];
}

export const rootNodeOf = (node: AstNode): AstNode =>
  node.op === '.' || node.op === '[]' ? rootNodeOf(node.args[0]) : node;

/** All operands of a chain such as `a && b && c`. */
export function operands(node: AstNode, operator: '&&' | '||'): readonly AstNode[] {
  if (node.op !== operator) return [node];
  return node.args.flatMap((side) => operands(side, operator));
}

export type CheckedExpression =
  | { readonly ok: true; readonly type: string }
  /** `types`: the CEL types in the error of cel-js. `node`: undefined when cel-js gives no position. */
  | {
      readonly ok: false;
      readonly code: string;
      readonly node: AstNode | undefined;
      readonly types: readonly string[];
    };

export function checkTypes(source: string): CheckedExpression {
  const { valid, type, error } = ENVIRONMENT.check(source);
  if (valid) return { ok: true, type: type ?? 'dyn' };
  if (!(error instanceof TypeMismatch)) return { ok: false, code: 'unclear', node: undefined, types: [] };
  return { ok: false, code: error.code, node: error.node, types: typesIn(error) };
}

function typesIn({ code, summary, node }: TypeMismatch): string[] {
  if (code !== 'no_such_overload') return [...summary.matchAll(/'([^']*)'/g)].map(([, quoted = '']) => quoted);
  const written = summary.slice('no such overload: '.length);
  if (node?.op === '!_' || node?.op === '-_') return [written.slice(1)];
  return written.split(` ${node?.op} `);
}
