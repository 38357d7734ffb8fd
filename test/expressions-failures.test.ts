/** What is said of expressions that can fail: never too little, whatever a call holds, and not too much either. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScopeInputs } from '../src/policy/expressions/scope.ts';
import type { ClaimValue } from '../src/sign-in/event.ts';
import { aScope, compiling, failuresOf } from './expressions.ts';

describe('an expression that cannot fail', () => {
  it.each([
    'has(claims.email) && domain(claims.email) in lists.blockedDomains',
    "!has(claims.extension_X) || claims.extension_X == 'a'",
    "has(claims.city) ? claims.city.startsWith('B') : claims.extension_X == 1 && has(claims.extension_X)",
    "'email' in claims && claims.email.contains('@')",
    "'a b' in claims && claims['a b'] == 'x'",
    'has(claims.extension_Code) && claims.extension_Code in lists.codes',
    "has(claims.extension_X) && string(claims.extension_X).matches('^[A-Z]+$')",
    "claims.email == 'a' && has(claims.email)",
    "(claims.email == 'a' || claims.city == 'b') && has(claims.email) && has(claims.city)",
    "!(!has(claims.email) || claims.email == '')",
    '!has(claims.email) || !has(claims.city) || claims.email == claims.city',
    '(has(claims.email) ? has(claims.city) : false) && claims.email == claims.city',
    "has(claims.email) && true ? claims.email == 'a' : false",
    "(has(claims.email) || has(claims.city)) && has(claims.email) && claims.email != ''",
    "false && claims.email == 'a'",
    "identity.issuer in ['google.com', ''] || identity.issuer + '/' + identity.id in lists.codes",
    "'editor' in person.roles && person.groups.exists(group, group.startsWith('eu-'))",
    "has(person.attributes.tier) && string(person.attributes.tier) != 'gold'",
    "'tier' in person.attributes && person.attributes['tier'] == 5",
    "request.locale.startsWith('de') && request.time > timestamp('2026-01-01T00:00:00Z')",
    "request.time - duration('720h') < timestamp('2027-01-01T00:00:00Z')",
    "request.time.getHours('Europe/Berlin') + 1 < 22 && request.time.getDayOfWeek() % 6 != 0",
    'has(claims.displayName) && size(claims.displayName.trim()) * 2 > 400',
    "has(claims.givenName) && has(claims.surname) && size(claims.givenName + ' ' + claims.surname) > 100",
    "has(claims.postalCode) && claims.postalCode.replace(' ', '').upperAscii().matches('^[A-Z0-9]+$')",
    'has(claims.displayName) && claims.displayName.charAt(0) == claims.displayName.substring(0)',
    "has(claims.displayName) && claims.displayName.split(' ', 2).all(part, part != '')",
    "(person.roles + person.groups).filter(name, name != 'x').map(name, size(name) > 3) == []",
    "person.roles.exists_one(role, role == 'editor')",
    "has(claims.email) && normalizeEmail(titleCase(claims.email)).indexOf('@') > 0",
    "has(claims.country) && claims.country in {'DE': true, 'AT': true}",
    'double(1) / 0.0 > 1.0 || 7 / 2 == 3',
  ])('%s', (source) => {
    expect(failuresOf(source)).toEqual([]);
  });

  it.each([
    "person.roles.join(' ')",
    "has(claims.email) ? domain(claims.email) : ''",
    'size(request.step)',
    "['a', 'b']",
    '1 + 2',
  ])('%s, as a value', (source) => {
    expect(failuresOf(source, 'value')).toEqual([]);
  });
});

describe('an expression that can fail says why, and how to mend it', () => {
  const absent = (name: string) => `${name} may be absent: guard it with has(${name}).`;

  it.each([
    ["claims.email == 'a'", [absent('claims.email')]],
    ['domain(claims.email) in lists.blockedDomains', [absent('claims.email')]],
    ["claims['a b'] == 'x'", ["claims.a b may be absent: guard it with 'a b' in claims."]],
    ['person.attributes.tier == 5', [absent('person.attributes.tier')]],
    // Both sides fail together when the claim is absent: neither guards the other.
    ["claims.city == 'a' && claims.city == 'b'", [absent('claims.city')]],
    ["claims.city == 'a' || claims.city == 'b'", [absent('claims.city')]],
    ["has(claims.city) || claims.city == 'b'", [absent('claims.city')]],
    ["!has(claims.city) && claims.city == 'b'", [absent('claims.city')]],
    ["(has(claims.email) || has(claims.city)) && claims.city == 'b'", [absent('claims.city')]],
    ["has(claims.city) ? true : claims.city == 'b'", [absent('claims.city')]],
    [
      "(claims.city == 'b' ? has(claims.email) : has(claims.email)) && claims.email == 'a'",
      [absent('claims.city'), absent('claims.email')],
    ],
    ['has(claims.email) && person.roles.exists(role, role == claims.city)', [absent('claims.city')]],
    [
      "has(claims.extension_X) && claims.extension_X.startsWith('a')",
      [
        'claims.extension_X may come as a number or true/false, which startsWith does not take: write string(claims.extension_X).',
      ],
    ],
    [
      'has(claims.extension_X) && claims.extension_X > 18',
      [
        'claims.extension_X may come as text or true/false, which > does not take: double(claims.extension_X) reads texts of numbers too.',
      ],
    ],
    [
      'has(claims.extension_X) && claims.extension_X',
      [
        "claims.extension_X may come as text or a number, which is neither true nor false: bool(…) reads 'true' and 'false' too.",
      ],
    ],
    [
      'has(claims.extension_X) && has(claims.extension_Y) && claims.extension_X < claims.extension_Y',
      ['claims.extension_X and claims.extension_Y may come in kinds that < does not take together.'],
    ],
    ['has(claims.city) && int(claims.city) > 1', ['int(claims.city) fails when that is no whole number.']],
    ['has(claims.city) && age(claims.city) > 1', ['age(claims.city) fails when that is no date.']],
    [
      "has(claims.city) && claims.city.substring(1) == ''",
      ['claims.city.substring(1) fails when the text is shorter than that.'],
    ],
    [
      "has(claims.city) && size(claims.city.split(',')) > 1",
      ["claims.city.split(',') fails when there are over 100 parts."],
    ],
    [
      "person.roles[0] == 'a'",
      ['person.roles[0] fails when the list is shorter: ask with size(person.roles), or use exists.'],
    ],
    [
      '1 / size(person.roles) == 1',
      ['1 / size(person.roles) fails when it divides by 0, or the result is out of range.'],
    ],
    ["'a'.replace(request.step, 'b') == 'b'", ["'a'.replace(request.step, 'b') fails when it is to replace ''."]],
    [
      'has(claims.city) && size(claims.city + claims.city + claims.city + claims.city) > 0',
      ['claims.city + claims.city + claims.city + claims.city fails when the text is longer than 32,000 characters.'],
    ],
    [
      'has(claims.city) && size(normalizeEmail(claims.city) + claims.city) > 0',
      ['normalizeEmail(claims.city) + claims.city fails when the text is longer than 32,000 characters.'],
    ],
    [
      "(has(claims.city) ? request.time : timestamp('9999-12-31T23:59:59Z')) + duration('1h') > request.time",
      ["(has(claims.city) ? request.time : timestamp('9999-12-31T… fails when the result is out of range."],
    ],
    [
      "'%d'.format([request.step]) == 'b'",
      ["'%d'.format([request.step]) fails when the values do not fit the text, or are too long."],
    ],
    [
      "true ? 'a' : false",
      ["true ? 'a' : false may come as text, which is neither true nor false: bool(…) reads 'true' and 'false' too."],
    ],
  ])('%s', (source, sentences) => {
    expect(failuresOf(source)).toEqual(sentences);
  });

  it.each([
    ["has(claims.city) ? claims.city : ''", /fails when it is longer than 10,000 characters\.$/],
    ['has(claims.extension_X) ? double(string(claims.extension_X)) : 1.0', /fails when that is no number\.$/],
    ['1.0 / 3.0', /fails when it is no finite number, or too large\.$/],
    ['[1, 2].map(x, string(x)) + [[]].map(x, "")', undefined],
    ["true ? ['a'] : [1]", /fails when it is a list of more than texts\.$/],
    ["true ? request.time : 'a'", /fails when it is a time\.$/],
    ['9007199254740993', /fails when it is too large for a number of JSON\.$/],
  ])('%s, as a value', (source, sentence) => {
    const sentences = failuresOf(source, 'value');
    if (sentence === undefined) expect(sentences).toEqual([]);
    else expect(sentences).toEqual([expect.stringMatching(sentence)]);
  });
});

/** Expressions of every kind, mostly of kinds that fit, over a few names so that guards meet what they guard. */
const { condition, text, number, list } = fc.letrec((tie) => {
  const claim = fc.constantFrom(
    'claims.email',
    'claims.city',
    'claims.extension_A',
    'claims.extension_B',
    'person.attributes.tier',
  );
  const custom = fc.constantFrom('claims.extension_A', 'claims.extension_B', 'person.attributes.tier');
  const of = (parts: TemplateStringsArray, ...names: (string | fc.Arbitrary<unknown>)[]) =>
    fc
      .tuple(...names.map((name) => (typeof name === 'string' ? tie(name) : name)))
      .map((values) => parts.map((part, index) => part + String(values[index] ?? '')).join(''));
  const depth = { depthIdentifier: 'expression', depthSize: 'small', withCrossShrink: true } as const;
  return {
    text: fc.oneof(
      depth,
      fc.constantFrom(
        "''",
        "'a'",
        "'SPRING'",
        "'2001-01-31'",
        "'5'",
        "'true'",
        "','",
        'x',
        'request.step',
        'identity.issuer',
      ),
      claim,
      of`string(${custom})`,
      of`domain(${'text'})`,
      of`titleCase(${'text'})`,
      of`normalizeEmail(${'text'})`,
      of`${'text'}.upperAscii()`,
      of`${'text'}.trim()`,
      of`(${'text'} + ${'text'})`,
      of`${'text'}.replace(${'text'}, ${'text'})`,
      of`${'text'}.replace('a', ${'text'})`,
      of`${'text'}.substring(${'number'})`,
      of`${'text'}.charAt(0)`,
      of`strings.quote(${'text'})`,
      of`string(${'number'})`,
      of`string(request.time)`,
      of`${'list'}.join(${'text'})`,
      of`${'list'}[${'number'}]`,
      of`'%s'.format([${'text'}])`,
      of`(${'condition'} ? ${'text'} : ${'text'})`,
      of`{'a': ${'text'}, '': ${'number'}}[${'text'}]`,
    ),
    number: fc.oneof(
      depth,
      fc.constantFrom('0', '1', '-3', '2.5', '9223372036854775807', '7u', 'x'),
      custom,
      of`size(${'text'})`,
      of`${'list'}.size()`,
      of`${'text'}.indexOf(${'text'})`,
      of`int(${'text'})`,
      of`int(${custom})`,
      of`double(${custom})`,
      of`double(${'number'})`,
      of`age(${'text'})`,
      of`(${'number'} + ${'number'})`,
      of`(${'number'} * ${'number'})`,
      of`(${'number'} / ${'number'})`,
      of`(${'number'} % ${'number'})`,
      of`-(${'number'})`,
      of`request.time.getHours('Europe/Berlin')`,
      of`(${'condition'} ? ${'number'} : ${'number'})`,
    ),
    list: fc.oneof(
      depth,
      fc.constantFrom('person.roles', 'person.groups', "['a', 'b']", '[]', '[1, 2]'),
      of`[${'text'}, ${'text'}]`,
      of`(${'list'} + ${'list'})`,
      of`${'text'}.split(${'text'})`,
      of`${'text'}.split(',', 3)`,
      of`${'list'}.filter(x, ${'condition'})`,
      of`${'list'}.map(x, ${'text'})`,
      of`${'list'}.map(x, ${'condition'}, ${'number'})`,
      of`(${'condition'} ? ${'list'} : ${'list'})`,
    ),
    condition: fc.oneof(
      depth,
      fc.constantFrom('true', 'false', "'email' in claims", "'tier' in person.attributes"),
      of`has(${claim})`,
      of`(has(${claim}) && ${'condition'})`,
      of`(!has(${claim}) || ${'condition'})`,
      of`(${'condition'} && ${'condition'})`,
      of`(${'condition'} || ${'condition'})`,
      of`!(${'condition'})`,
      of`(${'condition'} ? ${'condition'} : ${'condition'})`,
      of`${'text'} == ${'text'}`,
      of`${'number'} < ${'number'}`,
      of`${'text'} <= ${'text'}`,
      of`${'list'} != ${'list'}`,
      of`${'text'} in lists.codes`,
      of`${'text'} in ${'list'}`,
      of`${'text'}.contains(${'text'})`,
      of`${'text'}.matches('^[A-Z]{2,5}$')`,
      of`bool(${custom})`,
      custom,
      of`${'list'}.exists(x, ${'condition'})`,
      of`${'list'}.all(x, ${'condition'})`,
      of`${'list'}.exists_one(x, ${'condition'})`,
      of`timestamp(${'text'}) < request.time`,
      of`request.time + duration(${'text'}) > request.time`,
    ),
  };
}) as { [kind: string]: fc.Arbitrary<string> } as Record<
  'condition' | 'text' | 'number' | 'list',
  fc.Arbitrary<string>
>;

const aText = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'A',
    'SPRING',
    '5',
    '-1',
    'true',
    '2001-01-31',
    'jane@Example.com',
    ',,',
    '24h',
    '2026-01-01T00:00:00Z',
    'İß',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(',', 'aB', '\u212A@').map((unit) => unit.repeat(6_000)),
);
const aValue: fc.Arbitrary<ClaimValue> = fc.oneof(
  aText,
  fc.boolean(),
  fc.constantFrom(0, -0, 1, -1.5, 1e300, 2 ** 53, 5),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const aName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/);
const aCall: fc.Arbitrary<Partial<ScopeInputs>> = fc.record({
  claims: fc.record({ email: aText, city: aText, extension_A: aValue, extension_B: aValue }, { requiredKeys: [] }),
  identity: fc.option(fc.record({ issuer: aText, issuerAssignedId: aText, signInType: aText }), { nil: undefined }),
  roles: fc.array(aName, { maxLength: 100, size: 'max' }),
  groups: fc.array(aName, { maxLength: 3 }),
  attributes: fc.record({ tier: aValue }, { requiredKeys: [] }),
  step: aText,
  locale: aText,
});

/** Conditions that fail only where a claim is absent, or custom claims come in another kind than text. */
const { logic } = fc.letrec((tie) => ({
  logic: fc.oneof(
    { depthSize: 'medium', maxDepth: 5 },
    fc.constantFrom(
      'has(claims.city)',
      "'email' in claims",
      'has(claims.extension_A)',
      "claims.city == 'a'",
      "claims.email == 'a'",
      "claims.extension_A.contains('a')",
      'claims.extension_A',
    ),
    fc.constantFrom('true', 'false', 'has(claims.city)', 'has(claims.extension_A)'),
    fc.tuple(tie('logic'), tie('logic')).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(tie('logic'), tie('logic')).map(([a, b]) => `(${a} || ${b})`),
    tie('logic').map((a) => `!${a}`),
    fc.tuple(tie('logic'), tie('logic'), tie('logic')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    tie('logic').map((a) => `['x'].exists(x, ${a})`),
  ),
})) as { logic: fc.Arbitrary<string> };

const CITIES = [{}, { city: 'a' }, { city: 'b' }];
const EMAILS = [{}, { email: 'a' }, { email: 'b' }];
const CUSTOM = [
  {},
  { extension_A: 'a' },
  { extension_A: 'b' },
  { extension_A: true },
  { extension_A: false },
  { extension_A: 1 },
];
const EVERY_CALL = CITIES.flatMap((city) =>
  EMAILS.flatMap((email) => CUSTOM.map((custom) => aScope({ claims: { ...city, ...email, ...custom } }))),
);

describe('for any nesting of &&, ||, !, ?: and has()', () => {
  it('nothing fails unsaid, whichever claims are there', () => {
    let certain = 0;
    let uncertain = 0;
    let wronglyDoubted = 0;
    fc.assert(
      fc.property(logic, (source) => {
        const outcome = compiling(source);
        if (!outcome.ok) return;
        const failing = EVERY_CALL.filter((scope) => !outcome.expression.run(scope).ok).length;
        if (outcome.expression.mayFail.length > 0) {
          uncertain++;
          if (failing === 0) wronglyDoubted++;
        } else {
          certain++;
          expect(failing).toBe(0);
        }
      }),
      { numRuns: 5_000 },
    );
    // Else this test would say nothing, or what is said would not help.
    expect(certain).toBeGreaterThan(500);
    expect(uncertain).toBeGreaterThan(500);
    expect(wronglyDoubted / uncertain).toBeLessThan(0.25);
  });
});

describe('for any expression that compiles, and any call', () => {
  const aSource = fc.oneof(
    { weight: 3, arbitrary: condition.map((source) => ({ source, expects: 'condition' as const })) },
    fc.oneof(text, number, list, condition).map((source) => ({ source, expects: 'value' as const })),
  );

  it('run ends without throwing, twice with the same, and fails only where that was said', () => {
    let certain = 0;
    let failed = 0;
    fc.assert(
      fc.property(aSource, fc.array(aCall, { minLength: 1, maxLength: 8 }), ({ source, expects }, calls) => {
        const outcome = compiling(source, expects);
        if (!outcome.ok) return;
        const { expression } = outcome;
        for (const call of calls) {
          const result = expression.run(aScope(call));
          expect(expression.run(aScope(call))).toEqual(result);
          if (result.ok && expects === 'condition') expect(result.value).toBeTypeOf('boolean');
          if (result.ok) expect(JSON.parse(JSON.stringify(result.value))).toBe(result.value === 0 ? 0 : result.value);
          if (expression.mayFail.length === 0) {
            certain++;
            expect(result).toMatchObject({ ok: true });
          } else if (!result.ok) failed++;
        }
      }),
      { numRuns: 4_000 },
    );
    // Else this test would say nothing.
    expect(certain).toBeGreaterThan(1_000);
    expect(failed).toBeGreaterThan(1_000);
  });

  it('what it read is what it said that it reads', () => {
    fc.assert(
      fc.property(aSource, aCall, ({ source, expects }, call) => {
        const outcome = compiling(source, expects);
        if (!outcome.ok) return;
        const { run, reads } = outcome.expression;
        const { claims = {}, ...rest } = call;
        const read = Object.fromEntries(Object.entries(claims).filter(([name]) => reads.claims.includes(name)));
        const nobody = reads.person ? {} : { roles: ['x'], groups: [], attributes: { tier: 'y' } };
        const later = reads.time ? {} : { now: 0 };
        expect(run(aScope({ ...rest, claims: read, ...nobody, ...later }))).toEqual(run(aScope(call)));
      }),
      { numRuns: 2_000 },
    );
  });
});
