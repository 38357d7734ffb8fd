/** Type errors. The checker stops at the first one, so the faulty part is replaced and the check runs again. */
import {
  type AstNode,
  type CheckedExpression,
  checkTypes,
  excerpt,
  rangeOf,
  replaced,
  type SourceRange,
  type StandIn,
} from './cel.ts';
import { writtenForms } from './function-forms.ts';
import { type ExpressionFault, type ExpressionProblem, expressionProblem } from './problem-sentences.ts';
import type { NamedOutput, ResultForm } from './rule-place.ts';

const MAX_PROBLEMS = 20;

/** `forms` is empty when the type of the whole expression does not matter. */
export function typeProblems(
  source: string,
  standIns: readonly (SourceRange & { readonly type: StandIn })[],
  forms: readonly ResultForm[],
): ExpressionProblem[] {
  const problems: ExpressionProblem[] = [];
  const everything = { from: 0, to: source.length };
  const replacedRanges: SourceRange[] = [...standIns];
  // Inner ranges first: an outer replacement covers the inner ones.
  let text = standIns
    .toSorted((a, b) => a.to - a.from - (b.to - b.from))
    .reduce((before, { type, ...range }) => replaced(before, range, type), source);
  /** The range of a node in the source. A replacement can be shorter than its part. */
  const rangeIn = (node: AstNode): SourceRange =>
    replacedRanges.reduce(
      (range, { from, to }) => (from < range.to && range.to < to ? { from: range.from, to } : range),
      rangeOf(node, text),
    );
  while (problems.length < MAX_PROBLEMS) {
    const checked = checkTypes(text);
    if (checked.ok) {
      if (problems.length > 0) return problems;
      for (const form of forms) {
        const fault = unfit(checked.type, form, excerpt(source, everything));
        if (fault !== undefined) return [expressionProblem(fault, everything)];
      }
      return [];
    }
    const node = culpritOf(checked, text);
    if (node === undefined) return [...problems, expressionProblem(['type-unclear'], everything)];
    const range = rangeIn(node);
    const fault = faultOf(checked, (of) => excerpt(source, rangeIn(of)), node);
    if (fault !== undefined) problems.push(expressionProblem(fault, range));
    replacedRanges.push(range);
    text = replaced(text, range, 'any');
  }
  return problems;
}

type Failed = Extract<CheckedExpression, { ok: false }>;

/** cel-js reports all of `!a` or `a && b` when an operand is not boolean. A second check finds the operand. */
function culpritOf({ code, node }: Failed, text: string): AstNode | undefined {
  if (node?.op === '!_') return node.args;
  if (code !== 'invalid_logical_operand' || (node?.op !== '&&' && node?.op !== '||')) return node;
  const [left, right] = node.args;
  const again = checkTypes(replaced(text, rangeOf(right, text), 'any'));
  return !again.ok && again.code === code && again.node?.start === node.start ? left : right;
}

type Shown = (node: AstNode) => string;

/** Undefined when cel-js rejects a valid expression. */
function faultOf({ code, node, types }: Failed, shown: Shown, culprit: AstNode): ExpressionFault | undefined {
  const [first = '', second = ''] = types;
  switch (code) {
    case 'no_such_overload':
      return node === undefined ? ['type-unclear'] : operandFault(node, types, shown);
    case 'no_matching_overload':
      return node?.op === 'call' || node?.op === 'rcall' ? callFault(node, first, shown) : ['type-unclear'];
    case 'invalid_logical_operand':
    case 'invalid_condition_type':
      return ['not-boolean', shown(culprit), named(first)];
    case 'invalid_comprehension_range':
      return ['macro-range', 'A macro', shown(culprit)];
    case 'invalid_index_type':
      return ['index-type', shown(culprit), 'The index of a list is a whole number from 0, as in person.roles[0].'];
    case 'cannot_index_type':
      return ['index-type', shown(culprit), `${shown(ownerOf(culprit))} is ${named(first)} and has no members.`];
    case 'incompatible_ternary_branches':
      return isNumber(first) && isNumber(second) ? undefined : ['branch-types', named(first), named(second)];
    default:
      return ['type-unclear'];
  }
}

const ownerOf = (node: AstNode): AstNode => (node.op === '[]' || node.op === '.' ? node.args[0] : node);
const isNumber = (type: string) => type === 'int' || type === 'double';
const isList = (type: string) => type.startsWith('list');

function operandFault(node: AstNode, [left = '', right = '']: readonly string[], shown: Shown): ExpressionFault {
  if (node.op === '!_') return ['not-boolean', shown(node.args), named(left)];
  if (node.op === '-_') return ['operand-types', '-', `${shown(node.args)} is ${named(left)}`, ''];
  const [a, b] = node.args as unknown as readonly [AstNode, AstNode];
  const typed = `${shown(a)} is ${named(left)} and ${shown(b)} is ${named(right)}`;
  const advice = adviceOn(node.op, [shown(a), left], [shown(b), right], b);
  if (node.op === 'in' && isList(right)) return ['never-equal', typed, 'the list never contains it', advice];
  if (node.op === '==' || node.op === '!=') return ['never-equal', typed, 'they are never equal', advice];
  return ['operand-types', node.op, typed, advice];
}

function adviceOn(
  sign: string,
  [a, left]: readonly [string, string],
  [b, right]: readonly [string, string],
  second: AstNode,
): string {
  if (sign === 'in' && right === 'string') return ` For texts write ${b}.contains(${a}).`;
  if (sign === 'in' && right === 'PolicyList') return ` Write string(${a}) in ${b}.`;
  if (sign === 'in') return ' Use one type. Write texts in quotes.';
  if (isList(left) && right === 'string') return ` Write ${b} in ${a}.`;
  if ((sign === '==' || sign === '!=') && left === 'string' && second.op === 'value')
    return ` Write ${a} ${sign} '${b}'.`;
  if ([left, right].includes('string') && (isNumber(left) || isNumber(right)))
    return ' Write string(…) around the number, or double(…) around the text.';
  return isNumber(left) && isNumber(right) ? ' Write 1.0 instead of 1, or double(…).' : '';
}

function callFault(node: Extract<AstNode, { op: 'call' | 'rcall' }>, called: string, shown: Shown): ExpressionFault {
  const [name] = node.args;
  const [, form = '', types = ''] = /^(?:(.*)\.)?\w+\((.*)\)$/s.exec(called) ?? [];
  const given = [...(form === '' ? [] : [form]), ...(types === '' ? [] : [types])].join(', ');
  const isOfList = node.op === 'rcall' && isList(form);
  const advice = isOfList ? ` For lists write 'x' in ${shown(node.args[1])}` : '';
  return ['argument-types', shown(node), named(given), `${writtenForms(name)}.${advice}`.replace(/\.$/, '')];
}

/** CEL types as messages name them. */
const NAMES: readonly (readonly [type: RegExp, name: string])[] = [
  [/\bgoogle\.protobuf\.Timestamp\b/g, 'a time'],
  [/\bgoogle\.protobuf\.Duration\b/g, 'a duration'],
  [/\bPolicyList\b/g, 'a list of the policy'],
  [/\bmap(?:<.*>)?/g, 'a map'],
  [/\blist<string>/g, 'a list of texts'],
  [/\blist<int>/g, 'a list of whole numbers'],
  [/\blist<double>/g, 'a list of numbers'],
  [/\blist(?:<.*>)?(?! of)/g, 'a list'],
  [/\bstring\b/g, 'text'],
  [/\bint\b/g, 'a whole number'],
  [/\bdouble\b/g, 'a number'],
  [/\bbool\b/g, 'true/false'],
  [/\bdyn\b/g, 'a value of any type'],
];
const named = (type: string): string => NAMES.reduce((text, [of, name]) => text.replace(of, name), type);

const CLAIM_TYPES = /^(?:string|int|double|bool|dyn|list|list<(?:string|dyn|[A-Z])>)$/;

function unfit(type: string, form: ResultForm, written: string): ExpressionFault | undefined {
  if (form === 'condition')
    return type === 'bool' || type === 'dyn' ? undefined : ['not-a-condition', written, named(type)];
  if (form !== 'value' && form.type === 'list') return unfitList(type, form, written);
  if (!CLAIM_TYPES.test(type)) return ['not-a-claim', written, named(type)];
  return form === 'value' ? undefined : unfitOutput(type, form, written);
}

const unfitList = (type: string, { name }: NamedOutput, written: string): ExpressionFault | undefined =>
  type === 'dyn' || (isList(type) && CLAIM_TYPES.test(type)) ? undefined : ['not-a-list', name, written, named(type)];

/** Texts can have the form of a number or of true and false. */
function unfitOutput(type: string, { name, type: output }: NamedOutput, written: string): ExpressionFault | undefined {
  if (isList(type)) return ['not-one-value', name, written, named(type)];
  if (output === 'number' && type === 'bool') return ['not-a-number', name, written, named(type)];
  if (output === 'boolean' && isNumber(type)) return ['not-a-truth', name, written, named(type)];
  return undefined;
}
