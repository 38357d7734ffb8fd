/** The messages about expressions. Only this file pins their text. */
import { expect, it } from 'vitest';
import { compileExpression } from '../../../src/desk/policies/compile-expression.ts';
import { exchangesOf } from '../../../src/desk/policies/exchanges.ts';
import { type ProblemCode, SENTENCES } from '../../../src/desk/policies/problem-sentences.ts';
import { formsOf, placeOf } from '../../../src/desk/policies/rule-place.ts';
import { compile } from '../../support/compile-expression.ts';

const NUMBERS = 'Whole numbers go to 9223372036854775807, others to 1.7e308. Write a smaller one, or a text.';
const CASES: readonly (readonly [source: string, code: ProblemCode, sentence: string])[] = [
  ['', 'empty', 'It is empty. Write a condition, as in has(claims.email).'],
  [
    `${' '.repeat(3_999)}xy`,
    'too-long',
    'It has 4001 characters, and the limit is 4000. Write several rules, or a list.',
  ],
  [
    '!'.repeat(90),
    'too-deep',
    'It is nested too deeply. Write several rules, or use && and || instead of ? and brackets.',
  ],
  ['1+'.repeat(700), 'too-large', 'It has too many parts. Write several rules, or a list.'],
  ["claims.email = 'x'", 'syntax', "Syntax error at character 14 (= 'x'). To compare, write ==."],
  ['if', 'reserved-word', "CEL reserves the word if. Write it in brackets and quotes, as in claims['if']."],
  ['email', 'unknown-variable', 'There is no variable email. Write claims.email.'],
  ['idenity', 'unknown-variable', 'There is no variable idenity. Did you mean identity?'],
  ['identity.isuer', 'unknown-member', 'identity has no isuer. Did you mean identity.issuer?'],
  ["'x' in lists.code", 'unknown-list', 'There is no list code. Did you mean lists.codes?'],
  ["'x' in lists.people", 'unknown-list', 'There is no list people. The policy has codes, blockedDomains.'],
  ['claims.lastName', 'claim-name', 'Expressions do not use the name claims.lastName. Write claims.surname.'],
  ['person', 'not-a-value', 'person cannot be used as a whole. Name a member, as in person.roles.'],
  ['claims.city.x', 'no-members', 'claims.city has no members. Write claims.city instead of claims.city.x.'],
  ['lists.codes', 'list-use', "lists.codes works only directly after in. Write 'x' in lists.codes."],
  [
    "domainIn(claims.city, ['a'])",
    'list-expected',
    "['a'] is no list of the policy. Write domainIn(claims.email, lists.name).",
  ],
  ['domian(1)', 'unknown-function', 'There is no function domian. Did you mean domain(text)?'],
  ['domain()', 'call-form', 'domain() has the wrong form. Write domain(text).'],
  ['5u', 'not-supported', 'Expressions do not support unsigned numbers. Write the number without u.'],
  [
    "'%s'.format([1])",
    'not-supported',
    'Expressions do not support format(). Join texts with +, and convert with string().',
  ],
  ['1e999', 'number-too-large', `1e999 is too large. ${NUMBERS}`],
  ['{1: 2}', 'map-key', "The keys of a map must be text literals. Write them as in {'DE': 'Germany'}."],
  ["{'a': 1, 'a': 2}", 'key-twice', "A map has the key 'a' twice. Delete one."],
  ['has(1)', 'has', 'has() takes one member. Write it as in has(claims.email).'],
  [
    '[1].all(x)',
    'macro-form',
    'all has the wrong form. Write list.all(x, condition), where x is a name that you choose.',
  ],
  ['[1].all(claims, true)', 'macro-variable', 'claims is already a variable. Choose another name, such as x.'],
  [
    '[1].all(x, [1].all(y, true))',
    'macro-nested',
    'all() cannot be part of another macro. Use in, as in x in person.groups.',
  ],
  [
    'lists.codes.all(x, true)',
    'macro-range',
    'all() needs a list literal or a list of the call, and lists.codes is neither. For a map or a list of the policy, use in.',
  ],
  [
    "claims.city.matches('a' + 'b')",
    'pattern-not-literal',
    "The pattern of matches() must be a text literal. Write it as in claims.postalCode.matches('^[0-9]{5}$').",
  ],
  [
    "claims.city.matches('(?=a)')",
    'pattern-refused',
    "The pattern '(?=a)' is refused by RE2: invalid or unsupported Perl syntax: `(?=`. RE2 has no lookahead or lookbehind. Write a second condition with && instead.",
  ],
  [
    `claims.city.matches('${'a'.repeat(501)}')`,
    'pattern-refused',
    `The pattern '${'a'.repeat(60)}…' is too large: it has 501 characters, and the limit is 500. Write * or + instead of large counts, and size() to limit the length.`,
  ],
  [
    "claims.city.matches('\\b')",
    'pattern-refused',
    "The pattern '\uFFFD' contains a control character, as \\b is in a text. For a word boundary write \\\\b.",
  ],
  [
    'request.time.getHours(request.locale)',
    'zone-not-literal',
    "A time zone must be a text literal. Write it as in request.time.getHours('Europe/Berlin').",
  ],
  [
    "request.time.getHours('Berlin')",
    'unknown-zone',
    'There is no time zone Berlin. Write a name such as Europe/Berlin, or an offset such as +02:00.',
  ],
  [
    'claims.city > 5',
    'operand-types',
    '> does not accept these types: claims.city is text and 5 is a whole number. Write string(…) around the number, or double(…) around the text.',
  ],
  [
    'claims.city == 5',
    'never-equal',
    "claims.city is text and 5 is a whole number: they are never equal. Write claims.city == '5'.",
  ],
  [
    'claims.city in [5]',
    'never-equal',
    'claims.city is text and [5] is a list of whole numbers: the list never contains it. Use one type. Write texts in quotes.',
  ],
  [
    '1 == 2 in [false]',
    'brackets',
    '2 in [false] is ambiguous. Write brackets around it, or around the part before it.',
  ],
  ['domain(5)', 'argument-types', 'domain(5) has the wrong argument types: a whole number. Write domain(text).'],
  ['!claims.city', 'not-boolean', 'claims.city is text, not true or false. Compare it with a value.'],
  [
    "person.roles[1.5] == ''",
    'index-type',
    'person.roles[1.5] cannot be read. The index of a list is a whole number from 0, as in person.roles[0].',
  ],
  [
    "true ? 'a' : 1",
    'branch-types',
    'The branches of ? : have different types, text and a whole number. Convert one, as with string(…).',
  ],
  ['claims.city', 'not-a-condition', 'A condition is true or false, and claims.city is text. Compare it with a value.'],
  ["int('a') == 1", 'always-fails', "int('a') always fails: not a whole number. Correct it."],
];

it.each(CASES)('messages: %j is refused as %s', (source, code, sentence) => {
  const outcome = compile(source);
  expect(outcome.ok ? [] : outcome.problems.map((problem) => [problem.code, problem.message])).toContainEqual([
    code,
    sentence,
  ]);
});

/** At an exchange with an input and an output of each type. */
const AT_EXCHANGE: readonly (readonly [source: string, output: string, code: ProblemCode, sentence: string])[] = [
  ['claims.flga', 's', 'unknown-input', 'No exchange of the rule has the input flga. Did you mean claims.flag?'],
  [
    'person.roles',
    's',
    'not-one-value',
    "The output s is one value, and person.roles is a list of texts. Write person.roles.join(' '), or declare a list.",
  ],
  [
    "'a'",
    'l',
    'not-a-list',
    "The output l is a list, and 'a' is text. Write a list of texts, as in person.roles or ['a', 'b'].",
  ],
  [
    'claims.flag',
    'n',
    'not-a-number',
    'The output n is a number, and claims.flag is true/false. Write a number, or declare another type.',
  ],
  ['7', 'b', 'not-a-truth', 'The output b is true or false, and 7 is a whole number. Compare it with a value.'],
];

it.each(AT_EXCHANGE)('messages: %j for the output %s is refused as %s', (source, output, code, sentence) => {
  const exchanges = exchangesOf({
    exchanges: {
      Ask: {
        kind: 'validation',
        inputs: { flag: { from: 'flag', type: 'boolean' } },
        outputs: { s: 'string', n: 'number', b: 'boolean', l: 'list' },
      },
    },
  });
  const place = placeOf(['Ask'], new Map(exchanges.map((exchange) => [exchange.name, exchange])));
  const outcome = compileExpression(source, 'value', new Set(), place, formsOf(output, place));
  expect(outcome.ok ? [] : outcome.problems.map((problem) => [problem.code, problem.message])).toEqual([
    [code, sentence],
  ]);
});

it('messages: this file pins every code, except those of documents and type-unclear', () => {
  const others = [
    ...['fails-in-samples', 'can-fail', 'too-much-work', 'not-a-claim', 'type-unclear'],
    ...['can-never-equal', 'can-never-contain', 'unusual-entry', 'first-identity', 'patterns-too-large'],
  ] as const;
  const pinned = [...CASES.map(([, code]) => code), ...AT_EXCHANGE.map(([, , code]) => code)];
  expect([...new Set(pinned), ...others].sort()).toEqual(Object.keys(SENTENCES).sort());
});
