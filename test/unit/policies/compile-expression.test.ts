/** Expressions that the compiler refuses, with the code and the range of each problem. */
import { describe, expect, it } from 'vitest';
import { compiled, problemsOf, run } from '../../support/compile-expression.ts';

const LONG = '0123456789abcdef0123456789ABCDEF';

/** An expression, the code of its only problem, and the part with the problem (default: the whole expression). */
type Row = readonly [source: string, code: string, part?: string];
const refuses = (rows: readonly Row[], purpose?: 'value') =>
  it.each(rows.map(([source, code, part = source]) => ({ source, code, part })))(
    'refuses $source as $code',
    ({ source, code, part }) => {
      expect(problemsOf(source, purpose)).toEqual([[code, part]]);
    },
  );

describe('compile: unknown names', () => {
  refuses([
    ["idenity.issuer == 'x'", 'unknown-variable', 'idenity'],
    ["email == 'x'", 'unknown-variable', 'email'],
    ['request.step == PreTokenIssuance', 'unknown-variable', 'PreTokenIssuance'],
    ['True', 'unknown-variable'],
    ['string == 5', 'unknown-variable', 'string'],
    ["'é💥日' == nothing", 'unknown-variable', 'nothing'],
    ['[nothing] == []', 'unknown-variable', 'nothing'],
    ["{'a': nothing} == {}", 'unknown-variable', 'nothing'],
    ['(true ? nothing : true)', 'unknown-variable', 'nothing'],
    ['person.roles.exists(x, x == nothing)', 'unknown-variable', 'nothing'],
    ['nothing.all(x, true)', 'unknown-variable', 'nothing'],
    ['has(nothing.x)', 'unknown-variable', 'nothing'],
    ["person.roles[nothing] == 'a'", 'unknown-variable', 'nothing'],
    ['size(nothing) > 1', 'unknown-variable', 'nothing'],
    ['string(nothing).matches("a")', 'unknown-variable', 'nothing'],
    ["'x' in (nothing)", 'unknown-variable', 'nothing'],
    ["identity.isuer == 'x'", 'unknown-member', 'identity.isuer'],
    ["person.name == 'x'", 'unknown-member', 'person.name'],
    ["'x' in lists.code", 'unknown-list', 'lists.code'],
    ["'x' in lists['blockeddomains']", 'unknown-list', "lists['blockeddomains']"],
    ["claims.lastName == 'x'", 'claim-name', 'claims.lastName'],
    ['has(claims.surName)', 'claim-name', 'claims.surName'],
    ["claims['clientId'] == 'x'", 'claim-name', "claims['clientId']"],
    ["claims.signInNames.emailAddress == 'x'", 'claim-name', 'claims.signInNames.emailAddress'],
    ["claims['signInNames.emailAddress'] == 'x'", 'claim-name', "claims['signInNames.emailAddress']"],
    [`has(claims.extension_${LONG}_LoyaltyId)`, 'claim-name', `claims.extension_${LONG}_LoyaltyId`],
    ["'Extension_X' in claims", 'claim-name'],
    ["claims.Email == 'x'", 'claim-name', 'claims.Email'],
    ['has(claims.identities)', 'claim-name', 'claims.identities'],
    ['claims.email.domain == "x"', 'no-members', 'claims.email.domain'],
    ['person.roles.editor', 'no-members'],
    ["person.attributes.tier.x == 'y'", 'no-members', 'person.attributes.tier.x'],
    ['lists.codes.SPRING', 'list-use'],
    ['lists.codes == []', 'list-use', 'lists.codes'],
    ['size(lists.codes) > 1', 'list-use', 'lists.codes'],
    ['size(claims) > 5', 'not-a-value', 'claims'],
    ["claims[request.step] == 'x'", 'not-a-value', 'claims'],
    ['request.step in claims', 'not-a-value', 'claims'],
    ["'x' in lists[request.step]", 'not-a-value', 'lists'],
    ['request.step in person.attributes', 'not-a-value', 'person.attributes'],
    ["domian(request.step) == 'x'", 'unknown-function', 'domian(request.step)'],
    ["request.step.toLowerCase() == 'x'", 'unknown-function', 'request.step.toLowerCase()'],
    ['now() > request.time', 'unknown-function', 'now()'],
    ['__not_strictly_false__(true)', 'unknown-function'],
  ]);

  it('refuses members of JavaScript prototypes as names', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      for (const source of [name, `identity.${name} == 'x'`, `'x' in lists.${name}`, `request.step.${name}()`])
        expect(problemsOf(source)).not.toEqual([]);
      expect(run(compiled(`has(claims.${name})`), {})).toEqual({ ok: true, value: false });
      expect(run(compiled(`has(person.attributes.${name})`), {})).toEqual({ ok: true, value: false });
    }
  });
});

describe('compile: invalid calls, operators and literals', () => {
  refuses([
    ['size(request.step, 5) > 5', 'call-form', 'size(request.step, 5)'],
    ["matches(request.step, 'x')", 'call-form'],
    ['request.step.matches()', 'call-form'],
    ["age('2001-01-01', request.time) > 5", 'call-form', "age('2001-01-01', request.time)"],
    ['size(5) > 1', 'argument-types', 'size(5)'],
    ["person.roles.contains('x')", 'argument-types'],
    ['claims.postalCode > 5', 'operand-types'],
    ['true && 1 + 1.5 > 2.0', 'operand-types', '1 + 1.5'],
    ["(('x') in (request.step)) || true", 'operand-types', "('x') in (request.step)"],
    ['size(request.step) in lists.codes', 'operand-types'],
    ['-(request.step) == 1', 'operand-types', '-(request.step)'],
    ['claims.postalCode == 12345', 'never-equal'],
    ["true || person.roles == 'editor'", 'never-equal', "person.roles == 'editor'"],
    ['claims.postalCode in [12345, 54321]', 'never-equal'],
    ['1 == 2 in [false]', 'brackets'],
    ['true != (1) < 2', 'brackets'],
    ['!request.step', 'not-boolean', 'request.step'],
    ['true && request.step', 'not-boolean', 'request.step'],
    ['request.step ? true : false', 'not-boolean', 'request.step'],
    ['person.roles.exists(x, x)', 'not-boolean', 'x'],
    ["person.roles[1.0] == 'x'", 'index-type', 'person.roles[1.0]'],
    ["request.step[0] == 'x'", 'index-type', 'request.step[0]'],
    ["true ? 'a' : false", 'branch-types'],
    ["timestamp('2026-13-01T00:00:00Z') < request.time", 'always-fails', "timestamp('2026-13-01T00:00:00Z')"],
    ["request.time < request.time + duration('1 day')", 'always-fails', "duration('1 day')"],
    ["int('five') > 1", 'always-fails', "int('five')"],
    ["request.time.getHours('Berlin') > 1", 'unknown-zone', "'Berlin'"],
    ['request.time.getHours(request.locale) > 1', 'zone-not-literal', 'request.locale'],
    ['has(claims)', 'has'],
    ["has(claims['email'])", 'has'],
    ['has(claims.email, claims.city)', 'has'],
    ["'a' in {request.step: true}", 'map-key', 'request.step'],
    ["'a' in {'a': true, 'a': false}", 'key-twice', "'a'"],
    ['99999999999999999999 > 1', 'number-too-large', '99999999999999999999'],
    ['1e999 > 1.0', 'number-too-large', '1e999'],
  ]);
});

describe('compile: unsupported features of CEL', () => {
  refuses([
    ['google.protobuf.Timestamp{seconds: 5} < request.time', 'not-supported', '{'],
    ['claims.?email', 'not-supported', '?'],
    ["claims[?'email']", 'not-supported', '?'],
    ['5u > 1', 'not-supported', '5u'],
    ["uint('5') == 5", 'not-supported', "uint('5')"],
    ["b'a' == 'a'", 'not-supported', "b'a'"],
    ["size(bytes('a')) == 1", 'not-supported', "bytes('a')"],
    ['dyn(request.step) == 5', 'not-supported', 'dyn(request.step)'],
    ['type(1) == 1', 'not-supported', 'type(1)'],
    ['claims.email == null', 'not-supported', 'null'],
    ["'%d'.format([1]) == '1'", 'not-supported', "'%d'.format([1])"],
    ["strings.quote('a') == 'a'", 'not-supported', "strings.quote('a')"],
    ["'a\ud800' == ''", 'not-supported', "'a\ud800'"],
  ]);
});

describe('compile: macros', () => {
  refuses([
    ["lists.codes.exists(x, x == 'a')", 'macro-range', 'lists.codes'],
    ["{'a': 1}.all(x, x == 'a')", 'macro-range', "{'a': 1}"],
    ['request.step.all(x, true)', 'macro-range', 'request.step'],
    ['claims.extension_X.exists(x, true)', 'macro-range', 'claims.extension_X'],
    ['claims.exists(x, true)', 'not-a-value', 'claims'],
    ['person.roles.exists(r, person.groups.exists(g, g == r))', 'macro-nested', 'person.groups.exists(g, g == r)'],
    ['person.roles.exists(claims, true)', 'macro-variable', 'claims'],
    ['person.roles.exists(__text, true)', 'macro-variable', '__text'],
    ['person.roles.exists(x.y, true)', 'macro-form', 'x.y'],
    ['person.roles.existsOne(x, true)', 'macro-form'],
    ['person.roles.filter(x)', 'macro-form'],
  ]);

  it('accepts a chain of macros', () => {
    expect(problemsOf("person.roles.filter(x, x != 'a').map(x, x + '!').exists(x, x == 'b!')")).toEqual([]);
  });
});

describe('compile: patterns', () => {
  refuses([
    ['claims.email.matches(request.step)', 'pattern-not-literal', 'request.step'],
    ["claims.email.matches('a' + 'b')", 'pattern-not-literal', "'a' + 'b'"],
    ["claims.email.matches('(?=a)')", 'pattern-refused', "'(?=a)'"],
    [String.raw`claims.email.matches('\b[a-z]')`, 'pattern-refused', String.raw`'\b[a-z]'`],
    ["claims.email.matches('^.{1,1000}$')", 'pattern-refused', "'^.{1,1000}$'"],
    [`request.step.matches('${'('.repeat(1_900)}')`, 'pattern-refused', `'${'('.repeat(1_900)}'`],
  ]);

  it('accepts common patterns for addresses and codes', () => {
    for (const pattern of [
      '^[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,255}[.][a-z]{2,10}$',
      '^(?i)[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$',
      String.raw`^\\+?[0-9 ()/-]{5,20}$`,
      String.raw`^[\\p{L}\\p{M} .’-]+$`,
      '^.{1,256}$',
    ])
      expect(problemsOf(`request.step.matches('${pattern}')`)).toEqual([]);
  });
});

describe('compile: syntax errors', () => {
  refuses([
    ['', 'empty'],
    [' \n ', 'empty'],
    ["claims.email = 'x'", 'syntax', '='],
    ["request.step == 'x' and true", 'syntax', 'and'],
    ['true OR false', 'syntax', 'OR'],
    ['true & false', 'syntax', '&'],
    ['true | false', 'syntax', '|'],
    ['not true', 'syntax', 'not'],
    ['request.step == ', 'syntax', ''],
    ["request.step == 'x", 'syntax', "'"],
    ['request.step == “x”', 'syntax', '“'],
    ['true && (size([1) > 0', 'syntax', ')'],
    ["has(claims.email) && domain(claims.email == 'x'", 'syntax', '('],
    ['true)', 'syntax', ')'],
    ['claims.a-b.c.', 'syntax', ''],
    ['claims.in', 'syntax', 'in'],
    ['.5 < 1.0', 'syntax', '.'],
    ['1 2', 'syntax', '2'],
    ['true && 💥', 'syntax', '💥'],
    ["'\\ud800' == ''", 'syntax', '\\'],
    ['if == 5', 'reserved-word', 'if'],
  ]);
});

describe('compile: types', () => {
  refuses([
    ['claims.email', 'not-a-condition'],
    ['1 + 1', 'not-a-condition'],
    ['person.roles', 'not-a-condition'],
  ]);
  refuses(
    [
      ['', 'empty'],
      ['request.time', 'not-a-claim'],
      ["{'a': 'b'}", 'not-a-claim'],
      ['[1, 2]', 'not-a-claim'],
    ],
    'value',
  );

  it.each(["has(claims.city) ? double('1.5') : 0", '[].map(x, x)'])('accepts the value %s', (source) => {
    expect(problemsOf(source, 'value')).toEqual([]);
  });

  it.each([
    "double('18') == 18 && 1 != 1.5 && double('2') in [1, 2] && 1 in [1.0] && [1] == [1.0]",
    "duration('1h') + request.time > request.time",
    "true == ('a' in person.roles) && 1 < 2 == true",
    "[].all(x, x > 1) && person.roles != [] && 'a' in {} && [] == []",
    "(true ? [] : person.roles + []).exists(x, x == 'a')",
  ])('accepts the condition %s', (source) => {
    expect(problemsOf(source)).toEqual([]);
  });
});

it('compile: returns problems of names and of types at once', () => {
  expect(
    problemsOf(
      "claims.lastName == 'x' || domian(emal) == 'x' || claims.city == 5 || !request.step || claims.lastName.matches('[a') || 'x' in lists.nothing || size(1) > 1",
    ),
  ).toEqual([
    ['claim-name', 'claims.lastName'],
    ['unknown-function', 'domian(emal)'],
    ['unknown-variable', 'emal'],
    ['never-equal', 'claims.city == 5'],
    ['not-boolean', 'request.step'],
    ['claim-name', 'claims.lastName'],
    ['pattern-refused', "'[a'"],
    ['unknown-list', 'lists.nothing'],
    ['argument-types', 'size(1)'],
  ]);
});

it('compile: nested problems each have the right range', () => {
  expect(problemsOf("request.time * -'a' == 1")).toEqual([
    ['operand-types', "request.time * -'a'"],
    ['operand-types', "-'a'"],
  ]);
  expect(problemsOf('5 - claims.city == 1 || !(claims.city)')).toEqual([
    ['operand-types', '5 - claims.city'],
    ['not-boolean', 'claims.city'],
  ]);
});

it('compile: a tree with a negative zero survives JSON', () => {
  const { tree, ...rest } = compiled('1.0 / -0.0 < 0.0');
  expect(run({ ...rest, tree: JSON.parse(JSON.stringify(tree)) as typeof tree }, {})).toEqual({
    ok: true,
    value: true,
  });
});
