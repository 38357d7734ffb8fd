/** Messages for syntax errors. */
import type { SourceRange } from './cel.ts';
import {
  type ExpressionFault,
  type ExpressionProblem,
  expressionProblem,
  MACRO_FORMS,
  NOT_SUPPORTED,
} from './problem-sentences.ts';

/** `code` and `range`: from the parser. It reports the last operator before the error, so common slips come first. */
export function syntaxProblem(source: string, code: string, range: SourceRange): ExpressionProblem {
  const rest = source.slice(range.from);
  const token = source.slice(range.from, range.to);
  switch (code) {
    case 'too_deep':
      return expressionProblem(['too-deep'], range);
    case 'limit_exceeded':
      return expressionProblem(['too-large'], { from: 0, to: source.length });
    case 'reserved_identifier':
      return expressionProblem(['reserved-word', token], range);
    case 'invalid_number':
    case 'invalid_integer':
      return expressionProblem(/u$/i.test(token) ? NOT_SUPPORTED.unsigned : ['number-too-large', token], range);
    case 'invalid_macro_argument':
      return expressionProblem(macroFault(source.slice(0, range.from)), range);
  }
  if (/escape|surrogate/.test(code))
    return unreadable(source, range.from, 'This escape does not exist. For a backslash write \\\\.');
  const slip = slipIn(source);
  if (slip !== undefined) return unreadable(source, slip.offset, slip.advice);
  if (rest.trim() === '') return unreadable(source, source.length, 'The expression ends too early.');
  if (rest.startsWith('{') && /\w\s*$/.test(source.slice(0, range.from)))
    return expressionProblem(NOT_SUPPORTED.messages, range);
  if (/^\s*(?:\[\s*)?\?/.test(rest) && /[.[]\s*$/.test(source.slice(0, range.from)))
    return expressionProblem(NOT_SUPPORTED.optionals, range);
  return unreadable(source, range.from, ADVICE.find(([at]) => at.test(rest))?.[1] ?? 'It is not allowed there.');
}

function macroFault(before: string): ExpressionFault {
  const names = [...before.matchAll(/\.(\w+)\s*\(/g)].map(([, name = '']) => name);
  return ['macro-form', names.findLast((name) => Object.hasOwn(MACRO_FORMS, name)) ?? 'exists'];
}

const SHOWN = 20;

function unreadable(source: string, from: number, advice: string): ExpressionProblem {
  const rest = source.slice(from);
  const [token = ''] = new RegExp(TOKEN.source, 'suy').exec(rest) ?? [];
  const found = (rest.length > SHOWN ? `${rest.slice(0, SHOWN).toWellFormed()}…` : rest).replace(/\s+/g, ' ');
  return expressionProblem(['syntax', from + 1, found, advice], { from, to: from + token.length });
}

interface Slip {
  readonly offset: number;
  readonly advice: string;
}

/** A text in quotes is one token. */
const TOKEN =
  /\s+|\/\/[^\n]*|[rRbB]{0,2}(?:""".*?"""|'''.*?'''|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')|[\p{L}_][\p{L}\w]*|\d[\w.]*|==|!=|<=|>=|&&|\|\||./gsu;
/** Tokens that no expression contains, with advice. */
const SLIPS: readonly (readonly [token: RegExp, advice: string])[] = [
  [/^["']$/, 'The text that begins there has no closing quote on its line.'],
  [/^[“”„‘’«»`]$/, "Texts are written in straight quotes, as in 'abc'."],
  [/^=$/, 'To compare, write ==.'],
  [/^&$/, 'For "and" write &&.'],
  [/^\|$/, 'For "or" write ||.'],
  [/^and$/i, 'For "and" write &&.'],
  [/^or$/i, 'For "or" write ||.'],
  [/^not$/i, 'For "not" write !(…).'],
];

const OPENING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** The first slip, or the last bracket that is never closed. */
function slipIn(source: string): Slip | undefined {
  const open: { bracket: string; offset: number }[] = [];
  for (const { 0: token, index: offset } of source.matchAll(TOKEN)) {
    const advice = SLIPS.find(([slip]) => slip.test(token))?.[1];
    if (advice !== undefined) return { offset, advice };
    if ('([{'.includes(token)) open.push({ bracket: token, offset });
    const opening = OPENING[token];
    if (opening !== undefined && open.pop()?.bracket !== opening)
      return { offset, advice: `There is no ${opening} that it closes.` };
  }
  const unclosed = open.at(-1);
  return unclosed && { offset: unclosed.offset, advice: `The ${unclosed.bracket} is never closed.` };
}

/** Advice by the text at the parser's position. The first match counts. */
const ADVICE: readonly (readonly [at: RegExp, advice: string])[] = [
  [/^\?/, 'A choice is written condition ? a : b.'],
  [/^\.\d/, 'A number begins with a digit. Write 0 before the point.'],
  [/^[.[]/, "A dot needs a simple name after it. Write other names in brackets and quotes, as in claims['a b']."],
  [/^(?:==|!=|<|>|&&|\|\||[+*/%-]|in\b)/, 'An operand beside it is missing, or cannot be read.'],
  [/^[,:;]/, 'It is not allowed there.'],
  [/^[\p{L}\d_"']/u, 'An operator, a comma or a dot is missing before it. Write texts in quotes.'],
];
