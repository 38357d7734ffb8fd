/** What the parser says of text that is no expression, as one sentence that a human can act on. */

interface ParserError {
  readonly message: string;
  readonly rawMessage?: string;
  readonly location?: { readonly start?: { readonly offset?: number } };
}

/** By what stands where reading ended; the first that fits. */
const ADVICE: readonly (readonly [at: RegExp, advice: string])[] = [
  [/^[“”„‘’«»]/, "Texts stand in straight quotes: 'abc'."],
  [/^`/, "Texts stand in straight quotes, as in 'abc'; other names in brackets, as in claims['a b']."],
  [
    /^['"]/,
    'The text that begins there has no closing quote on its line, or a \\ that means nothing: in patterns write \\\\.',
  ],
  [/^=(?!=)/, 'To compare, write ==.'],
  [/^===/, 'To compare, write ==.'],
  [/^!==/, 'To compare, write !=.'],
  [/^&(?!&)/, 'For "and" write &&.'],
  [/^\|(?!\|)/, 'For "or" write ||.'],
  [/^and\b/i, 'For "and" write &&.'],
  [/^or\b/i, 'For "or" write ||.'],
  [/^not\b/i, 'For "not" write !(…).'],
  [
    /^(?:\?\.|\.\?|\[\?|\?)/,
    'Optional members have no use here: ask with has(…) first. A choice is written condition ? a : b.',
  ],
  [/^(?:\.|\[)/, "What follows a dot is a name; any other name stands in brackets and quotes, as in claims['a b']."],
  [/^(?:==|!=|<|>|&&|\|\||[+*/%-]|in\b)/, 'Something is missing beside it.'],
  [/^[)\]}]/, 'There is no bracket that it closes.'],
  [/^[,:;]/, 'It has no place there.'],
  [/^[\p{L}\d_]/u, 'An operator, a comma or a dot is missing before it. Texts stand in quotes.'],
];

const SHOWN = 20;

export function syntaxProblem(source: string, error: unknown): string {
  if (error instanceof RangeError) return TOO_DEEP;
  const { message, rawMessage, location } = error as ParserError;
  const offset = location?.start?.offset;
  if (offset === undefined) return `It cannot be read: ${message}.`;
  const rest = source.slice(offset);
  const reserved = /^reserved/.exec(rawMessage ?? '') && /^\w+/.exec(rest)?.[0];
  if (reserved)
    return `${reserved} (character ${offset + 1}) is a word that CEL keeps for itself: write it in brackets and quotes, as in claims['${reserved}'].`;
  if (rest === '') return 'Something is missing at its end.';
  const found = rest.length > SHOWN ? `${rest.slice(0, SHOWN)}…` : rest;
  const advice = ADVICE.find(([at]) => at.test(rest))?.[1] ?? 'It has no place there.';
  return `It cannot be read from character ${offset + 1} on (${found}). ${advice}`.replace(/\s+/g, ' ');
}

export const TOO_DEEP = 'It is nested too deeply: write several rules, or use && and || instead of ? and brackets.';
