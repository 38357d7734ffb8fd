/** Sample runs find a failing call for an expression that can fail, and none for one that cannot. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tryExpression } from '../../../src/desk/policies/trial-runs.ts';
import type { Purpose } from '../../../src/expressions/results.ts';
import { compile, compiled, run } from '../../support/compile-expression.ts';

const WORK = 2_000_000;
const trialOf = (source: string, purpose: Purpose = 'condition', work = WORK) =>
  tryExpression(compiled(source, purpose), purpose, { find: 'failure', work });

describe('sample runs: expressions that cannot fail', () => {
  it.each([
    'has(claims.email) && domain(claims.email) in lists.blockedDomains',
    "!has(claims.extension_X) || claims.extension_X == 'a'",
    "has(claims.city) ? claims.city.startsWith('B') : claims.extension_X == 1 && has(claims.extension_X)",
    "'a b' in claims && claims['a b'] == 'x'",
    "has(claims.extension_X) && string(claims.extension_X).matches('^[A-Z]+$')",
    "claims.email == 'a' && has(claims.email)",
    "!(!has(claims.email) || claims.email == '')",
    "(has(claims.email) || has(claims.city)) && has(claims.email) && claims.email != ''",
    "identity.issuer in ['google.com', ''] || identity.issuer + '/' + identity.id in lists.codes",
    "'editor' in person.roles && person.groups.exists(group, group.startsWith('eu-'))",
    "'tier' in person.attributes && person.attributes['tier'] == 5",
    "request.time - duration('720h') < timestamp('2027-01-01T00:00:00Z')",
    "has(claims.givenName) && has(claims.surname) && size(claims.givenName + ' ' + claims.surname) > 100",
    "has(claims.displayName) && claims.displayName.split(' ', 2).all(part, part != '')",
    "has(claims.email) && normalizeEmail(titleCase(claims.email)).indexOf('@') > 0",
    "has(claims.country) && claims.country in {'DE': true, 'AT': true}",
    "age('2001-01-01') > 16",
    'double(1) / 0.0 > 1.0 || 7 / 2 == 3',
  ])('the condition %s never fails', (source) => {
    expect(trialOf(source)).toMatchObject({ fails: 'never', witness: undefined });
  });

  it.each([
    "person.roles.join(' ')",
    "has(claims.email) ? domain(claims.email) : ''",
    "['a', 'b']",
    '1 + 2',
    '1.0 / 3.0',
  ])('the value %s never fails', (source) => {
    expect(trialOf(source, 'value').fails).toBe('never');
  });
});

describe('sample runs: the failing call', () => {
  it.each([
    ["claims.email == 'a'", 'claims.email is absent', 'has(claims.email)'],
    ["claims['a b'] == 'x'", "claims['a b'] is absent", "'a b' in claims"],
    ['person.attributes.tier == 5', 'person.attributes.tier is absent', 'has(person.attributes.tier)'],
    ["!has(claims.city) && claims.city == 'b'", 'claims.city is absent', 'has(claims.city)'],
    ["has(claims.email) && claims.city == 'b'", 'claims.city is absent', 'has(claims.city)'],
    ['claims.email == claims.city', 'claims.email is absent', 'has(claims.email)'],
    ["has(claims.extension_X) && claims.extension_X.startsWith('a')", 'claims.extension_X is 5'],
    ['has(claims.extension_X) && claims.extension_X > 18', "claims.extension_X is 'a'"],
    ['has(claims.extension_X) && claims.extension_X', "claims.extension_X is 'a'"],
    ['has(claims.city) && int(claims.city) > 1', "claims.city is 'a'"],
    ["has(claims.city) && claims.city == 'Vienna' && size(claims.city.substring(7)) > 0", "claims.city is 'Vienna'"],
    ["has(claims.city) && claims.city.substring(1) == ''", "claims.city is ''"],
    ["has(claims.city) && size(claims.city.split(',')) > 1", 'claims.city has 200 characters'],
    [
      'has(claims.city) && size(claims.city + claims.city + claims.city + claims.city) > 0',
      'claims.city has 20002 characters',
    ],
    ['has(claims.city) && size(normalizeEmail(claims.city) + claims.city) > 0', 'claims.city has 10000 characters'],
    ["person.roles[0] == 'a'", 'person.roles is empty'],
    ["'boss' in person.roles && person.groups[0] == 'a'", "person.roles is ['boss'] and person.groups is empty"],
    [
      "(has(claims.city) ? request.time : timestamp('9999-12-31T23:59:59Z')) + duration('1h') > request.time",
      'claims.city is absent',
      'has(claims.city)',
    ],
  ])('%s fails when %s', (source, when, guard?) => {
    expect(trialOf(source)).toMatchObject({ fails: 'sometimes', witness: { when, guard } });
  });
});

it('sample runs: an expression that fails in every sample always fails', () => {
  for (const source of ['claims.extension_N + 1 > 18.0', "{'a': true}[1]", 'person.roles[0][0] == 1'])
    if (compile(source).ok) expect(trialOf(source).fails).toBe('always');
  expect(trialOf('9007199254740993', 'value')).toMatchObject({ fails: 'always', witness: { when: '' } });
});

it.each([
  "int(claims.extension_Code.split('-')[1]) > 5",
  'int(claims.extension_Code.substring(3, 7)) > 2000',
  "age(claims.b.substring(6) + '-' + claims.b.substring(3, 5) + '-' + claims.b.substring(0, 2)) > 17",
  "timestamp(claims.day + 'T00:00:00Z') < request.time",
  'duration(claims.validity) > duration("1h")',
  "claims.extension_Code.matches('^[A-Z]{3}-[0-9]{4}$') && int(claims.extension_Code.substring(4)) > 5",
])('sample runs: a condition on structured text does not always fail: %s', (source) => {
  expect(tryExpression(compiled(source), 'condition', { find: 'success', work: WORK }).fails).not.toBe('always');
});

describe('sample runs: the work limit', () => {
  const heavy = "has(claims.city) && claims.city.matches('^[a-z]{1,300}$') && claims.state.matches('^[a-z]{1,300}$')";

  it('any expression spends at most 10 % more than the limit', () => {
    for (const work of [0, 100, 10_000, 500_000]) {
      for (const source of [
        heavy,
        'true',
        'person.roles.all(x, titleCase(x) == x)',
        'claims.extension_A == claims.extension_B',
      ])
        expect(trialOf(source, 'condition', work).spent).toBeLessThanOrEqual(1.1 * work + 100);
    }
  });

  it('an absent claim is found with little work', () => {
    expect(trialOf(heavy, 'condition', 40_000)).toMatchObject({
      fails: 'sometimes',
      witness: { when: 'claims.state is absent' },
    });
  });
});

/** Conditions that fail only where a claim is absent, or custom claims have another type than text. */
const { logic } = fc.letrec((tie) => ({
  logic: fc.oneof(
    { depthSize: 'medium', maxDepth: 5 },
    fc.constantFrom('has(claims.city)', "'email' in claims", 'has(claims.extension_A)', "claims.city == 'a'"),
    fc.constantFrom("claims.email == 'a'", "claims.extension_A.contains('a')", 'claims.extension_A', 'true', 'false'),
    fc.tuple(tie('logic'), tie('logic')).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(tie('logic'), tie('logic')).map(([a, b]) => `(${a} || ${b})`),
    tie('logic').map((a) => `!(${a})`),
    fc.tuple(tie('logic'), tie('logic'), tie('logic')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    tie('logic').map((a) => `['x'].exists(x, ${a})`),
  ),
})) as { logic: fc.Arbitrary<string> };

const TEXTS = [undefined, 'a', 'b'];
const EVERY_CALL = TEXTS.flatMap((city) =>
  TEXTS.flatMap((email) => [...TEXTS, true, false, 1].map((extension_A) => ({ claims: { city, email, extension_A } }))),
).map(({ claims }) => ({ claims: JSON.parse(JSON.stringify(claims)) as Record<string, string | number | boolean> }));

it('sample runs: find no false failure and miss under 1 % of failures, for any nesting of &&, ||, !, ?: and has()', () => {
  const found = { never: 0, sometimes: 0, always: 0 };
  let missed = 0;
  fc.assert(
    fc.property(logic, (source) => {
      const outcome = compile(source);
      if (!outcome.ok) return;
      const failing = EVERY_CALL.filter((call) => !run(outcome.expression, call).ok).length;
      const { fails } = trialOf(source);
      found[fails]++;
      if (fails === 'never' && failing > 0) missed++;
      else expect(fails).toBe(failing === 0 ? 'never' : failing === EVERY_CALL.length ? 'always' : 'sometimes');
    }),
    { numRuns: 700 },
  );
  // Enough of both verdicts, so that the next expectation means something.
  expect(Math.min(found.never, found.sometimes)).toBeGreaterThan(50);
  expect(missed / found.sometimes).toBeLessThan(0.01);
});

it.each([
  ["has(claims.city) && 'email' in claims && claims.state == 'x'", { claims: ['city', 'email', 'state'] }],
  [
    "'x' in lists.codes || claims['a b'] in lists['blockedDomains']",
    { claims: ['a b'], lists: ['blockedDomains', 'codes'] },
  ],
  [
    'person.groups.exists(x, x == claims.city && age(claims.state) > 5)',
    { claims: ['city', 'state'], person: true, time: true },
  ],
  ['has(person.attributes.tier)', { attributes: ['tier'], person: true }],
  ['size(person.groups) > 1', { person: true }],
  ["age('2001-01-01') > 1", { time: true }],
  ['request.time.getHours() > 1', { time: true }],
  ["request.step == identity.issuer && 'x' == 'y'", {}],
])('reads: the compiler lists all that an expression reads: %s', (source, reads) => {
  expect(compiled(source).reads).toEqual({
    claims: [],
    attributes: [],
    lists: [],
    person: false,
    time: false,
    ...reads,
  });
});

it('reads: values that are not listed never change the result', () => {
  const call = { claims: { city: 'a', email: 'b', extension_A: 'a' }, roles: ['x'], attributes: { tier: 'y' } };
  const parts = [
    "'x' in person.roles",
    "'y' == string(person.attributes.tier)",
    'request.time > timestamp(5)',
    'age(claims.city) > 1',
  ];
  const sources = fc.tuple(logic, fc.subarray(parts)).map(([a, others]) => [a, ...others].join(' || '));
  fc.assert(
    fc.property(sources, (source) => {
      const outcome = compile(source);
      if (!outcome.ok) return;
      const { claims, person, time } = outcome.expression.reads;
      const read = Object.fromEntries(Object.entries(call.claims).filter(([name]) => claims.includes(name)));
      const less = {
        ...call,
        claims: read,
        ...(person ? {} : { roles: [], attributes: {} }),
        ...(time ? {} : { now: 0 }),
      };
      expect(run(outcome.expression, less)).toEqual(run(outcome.expression, call));
    }),
    { numRuns: 500 },
  );
});
