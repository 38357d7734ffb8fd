/** The parsed tree of an expression, by what it is made of: calls, members, literals, macros. */
import type { parse } from '@bufbuild/cel';

type Parsed = ReturnType<typeof parse>;
export type Node = NonNullable<Parsed['expr']>;
export type Tree = Parsed & { readonly expr: Node };
type Call = Extract<Node['exprKind'], { case: 'callExpr' }>['value'];
export type Constant = Extract<Node['exprKind'], { case: 'constExpr' }>['value']['constantKind'];

/** What stands for an operator in the tree, and where its operands go. */
const OPERATORS: ReadonlyMap<string, string> = new Map([
  ['_+_', '+'],
  ['_-_', '-'],
  ['_*_', '*'],
  ['_/_', '/'],
  ['_%_', '%'],
  ['_==_', '=='],
  ['_!=_', '!='],
  ['_<_', '<'],
  ['_<=_', '<='],
  ['_>_', '>'],
  ['_>=_', '>='],
  ['_&&_', '&&'],
  ['_||_', '||'],
  ['@in', 'in'],
  ['!_', '!'],
  ['-_', '-'],
]);

export const AND = '_&&_';
export const OR = '_||_';
export const NOT = '!_';
export const CONDITIONAL = '_?_:_';
export const INDEX = '_[_]';
export const IN = '@in';

/** The sign of an operator, or the function's name. */
export const signOf = (name: string): string => OPERATORS.get(name) ?? name;
export const isOperator = (name: string): boolean => OPERATORS.has(name);

/** The call that a node is, with what a method is called on. */
export const callOf = ({ exprKind }: Node): Call | undefined =>
  exprKind.case === 'callExpr' ? exprKind.value : undefined;

/** The arguments of a call of that function (no method), undefined when it is another. */
export function argumentsOf(node: Node, name: string): readonly Node[] | undefined {
  const call = callOf(node);
  return call?.function === name && call.target === undefined ? call.args : undefined;
}

export const constantOf = ({ exprKind }: Node): Constant | undefined =>
  exprKind.case === 'constExpr' ? exprKind.value.constantKind : undefined;

export function textOf(node: Node): string | undefined {
  const constant = constantOf(node);
  return constant?.case === 'stringValue' ? constant.value : undefined;
}

export function wholeNumberOf(node: Node): bigint | undefined {
  const constant = constantOf(node);
  return constant?.case === 'int64Value' ? constant.value : undefined;
}

/** A variable with members by name, as in `person.attributes['x']`; undefined for anything else. A leading dot means the same. */
export function pathOf(node: Node): readonly string[] | undefined {
  const { exprKind } = node;
  if (exprKind.case === 'identExpr') return [exprKind.value.name.replace(/^\./, '')];
  if (exprKind.case === 'selectExpr' && !exprKind.value.testOnly && exprKind.value.operand) {
    const path = pathOf(exprKind.value.operand);
    return path && [...path, exprKind.value.field];
  }
  const [operand, index] = argumentsOf(node, INDEX) ?? [];
  const member = index && textOf(index);
  const path = operand && member !== undefined ? pathOf(operand) : undefined;
  return path && member !== undefined ? [...path, member] : undefined;
}

/** The path within `has(…)`. */
export function testedPath({ exprKind }: Node): readonly string[] | undefined {
  if (exprKind.case !== 'selectExpr' || !exprKind.value.testOnly || !exprKind.value.operand) return undefined;
  const path = pathOf(exprKind.value.operand);
  return path && [...path, exprKind.value.field];
}

/** `list.exists(x, …)` and its like. */
export interface Macro {
  readonly name: string;
  readonly variable: string;
  readonly range: Node;
  /** The condition of `exists`, `all`, `exists_one`, `filter`, and of `map` with three arguments. */
  readonly test: Node | undefined;
  /** What `map` makes of an entry. */
  readonly made: Node | undefined;
}

/** The macro that the library expanded to that node. */
export function macroOf({ exprKind, id }: Node, { sourceInfo }: Tree): Macro | undefined {
  if (exprKind.case !== 'comprehensionExpr') return undefined;
  const { iterVar: variable, iterRange: range, loopStep: step } = exprKind.value;
  const written = sourceInfo?.macroCalls[id.toString()];
  const call = written && callOf(written);
  const parts = step && callOf(step)?.args;
  if (range === undefined || call === undefined || parts === undefined) return undefined;
  const appended = (node: Node | undefined) => {
    const list = node && argumentsOf(node, '_+_')?.[1];
    return list?.exprKind.case === 'listExpr' ? list.exprKind.value.elements[0] : undefined;
  };
  const macro = { name: call.function, variable, range };
  if (call.function === 'map' && call.args.length === 2) return { ...macro, test: undefined, made: appended(step) };
  if (call.function === 'map') return { ...macro, test: parts[0], made: appended(parts[1]) };
  const first = call.function === 'exists' || call.function === 'all' ? parts[1] : parts[0];
  return { ...macro, test: first, made: undefined };
}

/** A name with dots, as in `strings.quote`: the library looks for a function of that name first. */
export function qualifiedName({ exprKind }: Node): string | undefined {
  if (exprKind.case === 'identExpr') return exprKind.value.name;
  if (exprKind.case !== 'selectExpr' || exprKind.value.testOnly || !exprKind.value.operand) return undefined;
  const before = qualifiedName(exprKind.value.operand);
  return before && `${before}.${exprKind.value.field}`;
}

/** Whether the tree has more levels than so many. Looks no deeper. */
export function isDeeper(node: Node | undefined, levels: number): boolean {
  return node !== undefined && (levels === 0 || childrenOf(node).some((child) => isDeeper(child, levels - 1)));
}

export function childrenOf({ exprKind }: Node): readonly (Node | undefined)[] {
  switch (exprKind.case) {
    case 'callExpr':
      return [exprKind.value.target, ...exprKind.value.args];
    case 'selectExpr':
      return [exprKind.value.operand];
    case 'listExpr':
      return exprKind.value.elements;
    case 'structExpr':
      return exprKind.value.entries.flatMap(({ keyKind, value }) => [
        keyKind.case === 'mapKey' ? keyKind.value : undefined,
        value,
      ]);
    case 'comprehensionExpr':
      return [exprKind.value.iterRange, exprKind.value.loopStep];
    default:
      return [];
  }
}

/** How a piece reads to the person who wrote it; long ones are cut. */
export function shown(node: Node): string {
  const text = written(node);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function written(node: Node): string {
  const { exprKind } = node;
  const constant = constantOf(node);
  if (constant?.case === 'stringValue') return `'${constant.value}'`;
  if (constant?.case === 'doubleValue' && Number.isInteger(constant.value)) return constant.value.toFixed(1);
  if (constant !== undefined) return String(constant.case === 'nullValue' ? null : constant.value);
  const tested = exprKind.case === 'selectExpr' && exprKind.value.testOnly;
  const operand = exprKind.case === 'selectExpr' ? exprKind.value.operand : undefined;
  if (exprKind.case === 'identExpr') return exprKind.value.name;
  if (exprKind.case === 'selectExpr' && operand) {
    const member = `${shown(operand)}.${exprKind.value.field}`;
    return tested ? `has(${member})` : member;
  }
  if (exprKind.case === 'listExpr') return `[${exprKind.value.elements.map(shown).join(', ')}]`;
  if (exprKind.case === 'structExpr') return '{…}';
  const call = callOf(node);
  return call === undefined ? 'this' : writtenCall(call);
}

function writtenCall({ function: name, target, args }: Call): string {
  const parts = isOperator(name) || name === CONDITIONAL ? args.map((arg) => operand(arg, name)) : args.map(shown);
  const [first = '', second = '', third = ''] = parts;
  if (name === INDEX) return `${first}[${second}]`;
  if (name === CONDITIONAL) return `${first} ? ${second} : ${third}`;
  if (isOperator(name)) return args.length === 1 ? `${signOf(name)}${first}` : `${first} ${signOf(name)} ${second}`;
  return `${target === undefined ? '' : `${operand(target, name)}.`}${name}(${parts.join(', ')})`;
}

/** In brackets when it is an operation of another kind. */
function operand(node: Node, within: string): string {
  const inner = callOf(node)?.function ?? within;
  return inner !== within && (isOperator(inner) || inner === CONDITIONAL) ? `(${shown(node)})` : shown(node);
}
