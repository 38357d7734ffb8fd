/** What is wrong with text that is no expression, as one sentence that a human can act on. */

interface ParserError {
  readonly message: string;
  readonly rawMessage?: string;
  readonly location?: { readonly start?: { readonly offset?: number } };
}

export const TOO_DEEP = 'It is nested too deeply: write several rules, or use && and || instead of ? and brackets.';

/** The parser names the operator before the trouble, however far away that is: slips that people make are looked for first. */
export function syntaxProblem(source: string, error: unknown): string {
  if (error instanceof RangeError) return TOO_DEEP;
  const { message, rawMessage, location } = error as ParserError;
  const offset = location?.start?.offset;
  if (offset === undefined) return `It cannot be read: ${message}.`;
  const rest = source.slice(offset);
  const reserved = rawMessage?.startsWith('reserved') ? /^\w+/.exec(rest)?.[0] : undefined;
  if (reserved !== undefined) {
    return `${reserved} (character ${offset + 1}) is a word that CEL keeps for itself: write it in brackets and quotes, as in claims['${reserved}'].`;
  }
  const found = slipIn(source);
  if (found !== undefined) return said(source, found);
  if (rest === '') return 'Something is missing at its end.';
  return said(source, { offset, advice: ADVICE.find(([at]) => at.test(rest))?.[1] ?? 'It has no place there.' });
}

interface Slip {
  readonly offset: number;
  readonly advice: string;
}

const SHOWN = 20;

function said(source: string, { offset, advice }: Slip): string {
  const rest = source.slice(offset);
  const found = rest.length > SHOWN ? `${rest.slice(0, SHOWN)}…` : rest;
  return `It cannot be read from character ${offset + 1} on (${found}). ${advice}`.replace(/\s+/g, ' ');
}

/** What stands in quotes is one token, so that nothing in it counts. */
const TOKEN =
  /\s+|\/\/[^\n]*|[rRbB]{0,2}(?:""".*?"""|'''.*?'''|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')|[\p{L}_][\p{L}\w]*|\d[\w.]*|==|!=|<=|>=|&&|\|\||./gsu;
/** Tokens that no expression has, and what their author meant. */
const SLIPS: readonly (readonly [token: RegExp, advice: string])[] = [
  [/^["']$/, 'The text that begins there has no closing quote on its line.'],
  [/^[“”„‘’«»`]$/, "Texts stand in straight quotes, as in 'abc'."],
  [/^=$/, 'To compare, write ==.'],
  [/^&$/, 'For "and" write &&.'],
  [/^\|$/, 'For "or" write ||.'],
  [/^and$/i, 'For "and" write &&.'],
  [/^or$/i, 'For "or" write ||.'],
  [/^not$/i, 'For "not" write !(…).'],
];

const CLOSES: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
  ['}', '{'],
]);

/** The first slip, or the bracket that is opened last and never closed. */
function slipIn(source: string): Slip | undefined {
  const open: { bracket: string; offset: number }[] = [];
  for (const { 0: token, index: offset } of source.matchAll(TOKEN)) {
    const advice = SLIPS.find(([slip]) => slip.test(token))?.[1];
    if (advice !== undefined) return { offset, advice };
    if ('([{'.includes(token)) open.push({ bracket: token, offset });
    const opens = CLOSES.get(token);
    if (opens !== undefined && open.pop()?.bracket !== opens) {
      return { offset, advice: `There is no ${opens} that it closes.` };
    }
  }
  const unclosed = open.at(-1);
  return unclosed && { offset: unclosed.offset, advice: `The ${unclosed.bracket} is never closed.` };
}

/** By what stands where the parser gave up; the first that fits. */
const ADVICE: readonly (readonly [at: RegExp, advice: string])[] = [
  [/^(?:\?\.|\.\?|\[\?)/, 'Optional members have no use here: ask with has(…) first.'],
  [/^\?/, 'A choice is written condition ? a : b.'],
  [/^[.[]/, "A name follows a dot; any other name stands in brackets and quotes, as in claims['a b']."],
  [/^(?:==|!=|<|>|&&|\|\||[+*/%-]|in\b)/, 'What stands beside it is missing, or cannot be read.'],
  [/^[,:;]/, 'It has no place there.'],
  [/^[\p{L}\d_"']/u, 'An operator, a comma or a dot is missing before it. Texts stand in quotes.'],
];
