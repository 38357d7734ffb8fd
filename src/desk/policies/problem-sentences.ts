/** The problems of expressions: a stable code each, with its message. */
import { MAX_SOURCE } from '../../expressions/limits.ts';
import type { PatternRefusal } from '../../expressions/patterns.ts';

export const SENTENCES = {
  empty: (purpose: 'condition' | 'value') =>
    purpose === 'condition'
      ? 'It is empty. Write a condition, as in has(claims.email).'
      : "It is empty. Write a value, as in claims.displayName, or '' for an empty one.",
  'too-long': (length: number) =>
    `It has ${length} characters, and the limit is ${MAX_SOURCE}. Write several rules, or a list.`,
  'too-deep': () => 'It is nested too deeply. Write several rules, or use && and || instead of ? and brackets.',
  'too-large': () => 'It has too many parts. Write several rules, or a list.',
  syntax: (character: number, found: string, advice: string) =>
    `Syntax error at character ${character}${found === '' ? '' : ` (${found})`}. ${advice}`,
  'reserved-word': (word: string) =>
    `CEL reserves the word ${word}. Write it in brackets and quotes, as in claims['${word}'].`,

  'unknown-variable': (name: string, advice: string) => `There is no variable ${name}. ${advice}`,
  'unknown-member': (variable: string, member: string, advice: string) => `${variable} has no ${member}. ${advice}`,
  'unknown-list': (name: string, advice: string) => `There is no list ${name}. ${advice}`,
  'claim-name': (name: string, instead: string) => `Expressions do not use the name claims.${name}. Write ${instead}.`,
  'unknown-input': (name: string, advice: string) => `No exchange of the rule has the input ${name}. ${advice}`,
  'not-a-value': (variable: string, example: string) =>
    `${variable} cannot be used as a whole. Name a member, as in ${example}.`,
  'no-members': (owner: string, instead: string, path: string) =>
    `${owner} has no members. Write ${instead} instead of ${path}.`,
  'list-use': (name: string, entry: string) =>
    `lists.${name} works only directly after in. Write ${entry} in lists.${name}.`,

  'list-expected': (written: string) =>
    `${written} is no list of the policy. Write domainIn(claims.email, lists.name).`,
  'can-never-equal': (entry: string, form: string, advice: string) =>
    `${quoted(entry)} can never equal ${form}. ${advice}`,
  'can-never-contain': (form: string, part: string, advice: string) =>
    `${form} can never contain ${quoted(part)}. ${advice}`,
  'unusual-entry': (entry: string, right: string) =>
    `${quoted(entry)} has spaces at its ends, or characters that are not visible. Write ${right}, unless claims have them too.`,
  'first-identity': (instead: string) =>
    `It reads only the first identity, and a person may have several. To read all, write ${instead}.`,

  'unknown-function': (name: string, advice: string) => `There is no function ${name}.${advice}`,
  'call-form': (written: string, signatures: string) => `${written} has the wrong form. Write ${signatures}.`,
  'not-supported': (what: string, instead: string) => `Expressions do not support ${what}. ${instead}`,
  'number-too-large': (number: string) =>
    `${number} is too large. Whole numbers go to 9223372036854775807, others to 1.7e308. Write a smaller one, or a text.`,
  'map-key': () => "The keys of a map must be text literals. Write them as in {'DE': 'Germany'}.",
  'key-twice': (key: string) => `A map has the key '${key}' twice. Delete one.`,
  has: () => 'has() takes one member. Write it as in has(claims.email).',
  'macro-form': (name: string) =>
    `${name} has the wrong form. Write ${MACRO_FORMS[name] ?? name}, where x is a name that you choose.`,
  'macro-variable': (name: string) => `${name} is already a variable. Choose another name, such as x.`,
  'macro-nested': (name: string) => `${name}() cannot be part of another macro. Use in, as in x in person.groups.`,
  'macro-range': (name: string, written: string) =>
    `${name} needs a list literal or a list of the call, and ${written} is neither. For a map or a list of the policy, use in.`,

  'pattern-not-literal': () =>
    "The pattern of matches() must be a text literal. Write it as in claims.postalCode.matches('^[0-9]{5}$').",
  'pattern-refused': (pattern: string, refusal: PatternRefusal) =>
    `The pattern ${quoted(pattern)} ${patternFault(pattern, refusal)}`,
  'zone-not-literal': () =>
    "A time zone must be a text literal. Write it as in request.time.getHours('Europe/Berlin').",
  'unknown-zone': (zone: string) =>
    `There is no time zone ${zone}. Write a name such as Europe/Berlin, or an offset such as +02:00.`,

  brackets: (written: string) => `${written} is ambiguous. Write brackets around it, or around the part before it.`,
  'operand-types': (sign: string, typed: string, advice: string) =>
    `${sign} does not accept these types: ${typed}.${advice}`,
  'never-equal': (typed: string, consequence: string, advice: string) => `${typed}: ${consequence}.${advice}`,
  'argument-types': (written: string, types: string, signatures: string) =>
    `${written} has the wrong argument types: ${types}. Write ${signatures}.`,
  'not-boolean': (written: string, type: string) =>
    `${written} is ${type}, not true or false. Compare it with a value.`,
  'index-type': (written: string, advice: string) => `${written} cannot be read. ${advice}`,
  'branch-types': (then: string, otherwise: string) =>
    `The branches of ? : have different types, ${then} and ${otherwise}. Convert one, as with string(…).`,
  'type-unclear': () => 'Its types cannot be checked. Write it in another way.',
  'not-a-condition': (written: string, type: string) =>
    `A condition is true or false, and ${written} is ${type}. Compare it with a value.`,
  'not-a-claim': (written: string, type: string) =>
    `A claim is text, a number, true or false, or a list of texts, and ${written} is ${type}. Convert it, as with string(…).`,

  'not-one-value': (output: string, written: string, type: string) =>
    `The output ${output} is one value, and ${written} is ${type}. Write ${written}.join(' '), or declare a list.`,
  'not-a-list': (output: string, written: string, type: string) =>
    `The output ${output} is a list, and ${written} is ${type}. Write a list of texts, as in person.roles or ['a', 'b'].`,
  'not-a-number': (output: string, written: string, type: string) =>
    `The output ${output} is a number, and ${written} is ${type}. Write a number, or declare another type.`,
  'not-a-truth': (output: string, written: string, type: string) =>
    `The output ${output} is true or false, and ${written} is ${type}. Compare it with a value.`,

  'always-fails': (written: string, why: string) => `${written} always fails: ${why}. Correct it.`,
  'fails-in-samples': (why: string) =>
    `It fails in every sample of a call: ${why}. Correct it, or guard it, as with has(claims.email).`,
  'can-fail': (when: string, why: string, guard: string | undefined) =>
    `This condition fails${when && ` when ${when}`}${why && `: ${why}`}. Guard it${guard === undefined ? '' : ` with ${guard}`}, ` +
    'or say what happens then: "onError": "apply" turns the person away, "onError": "skip" lets the person through.',
  'too-much-work': (step: string, rules: string) =>
    `A call at ${step} could take too long. Write smaller patterns, or fewer of them: most work is in ${rules}.`,
  'patterns-too-large': (rules: string) =>
    `All patterns together take too long to load. Write ranges of ASCII letters, or leave out (?i): most work is in ${rules}.`,
} satisfies { readonly [code: string]: (...facts: never[]) => string };

const quoted = (text: string) =>
  `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`.toWellFormed().replace(/\p{Cc}/gu, '\uFFFD');

function patternFault(pattern: string, refusal: PatternRefusal): string {
  switch (refusal.code) {
    case 'control-character':
      return String.raw`contains a control character, as \b is in a text. For a word boundary write \\b.`;
    case 'half-character':
      return 'contains half a character. Delete it.';
    case 'syntax':
      return `is refused by RE2: ${refusal.reason}.${PATTERN_ADVICE.find(([part]) => part.test(pattern))?.[1] ?? ''}`;
    default:
      return `is too large: it has ${refusal.size} ${PATTERN_SIZES[refusal.code]}, and the limit is ${refusal.most}. Write * or + instead of large counts, and size() to limit the length.`;
  }
}

const PATTERN_SIZES = {
  'too-long': 'characters',
  'too-many-counts': 'repetitions in braces',
  'too-many-classes': 'Unicode classes',
  'too-large': 'RE2 instructions',
};
const PATTERN_ADVICE: readonly (readonly [part: RegExp, advice: string])[] = [
  [/\(\?<?[=!]/, ' RE2 has no lookahead or lookbehind. Write a second condition with && instead.'],
  [/\\[1-9]/, ' RE2 has no back-references. Write a second condition instead.'],
];

export type ProblemCode = keyof typeof SENTENCES;
/** A code with the arguments of its message. */
export type ExpressionFault = {
  [C in ProblemCode]: readonly [code: C, ...facts: Parameters<(typeof SENTENCES)[C]>];
}[ProblemCode];

export const MACRO_FORMS: { readonly [name: string]: string } = {
  exists: 'list.exists(x, condition)',
  all: 'list.all(x, condition)',
  exists_one: 'list.exists_one(x, condition)',
  existsOne: 'list.exists_one(x, condition)',
  filter: 'list.filter(x, condition)',
  map: 'list.map(x, value)',
};

export const NOT_SUPPORTED = {
  null: ['not-supported', 'null', 'A claim that was not sent is absent. Write !has(claims.x).'],
  bytes: ['not-supported', 'bytes', "Write a text, as in 'abc'."],
  unsigned: ['not-supported', 'unsigned numbers', 'Write the number without u.'],
  halves: ['not-supported', 'half a character in a text', 'Delete it.'],
  messages: ['not-supported', 'messages', 'Write a text, a number, true or false.'],
  optionals: ['not-supported', 'optional members', 'Check with has(…) first.'],
} satisfies Readonly<Record<string, ExpressionFault>>;

/** `from` and `to` are UTF-16 units of the expression's text; `to` is exclusive. */
export interface ExpressionProblem {
  readonly code: ProblemCode;
  readonly message: string;
  readonly from: number;
  readonly to: number;
}

export function problemSentence([code, ...facts]: ExpressionFault): string {
  const sentence: (...facts: never[]) => string = SENTENCES[code];
  return sentence(...(facts as never[]));
}

export const expressionProblem = (
  fault: ExpressionFault,
  { from, to }: { readonly from: number; readonly to: number },
): ExpressionProblem => ({
  code: fault[0],
  message: problemSentence(fault),
  from,
  to,
});
