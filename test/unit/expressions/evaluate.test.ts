/** Properties of every expression in every call. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runOf, Shared } from '../../../src/expressions/evaluate.ts';
import { MAX_DEPTH, MAX_WORK } from '../../../src/expressions/limits.ts';
import { resultOf } from '../../../src/expressions/results.ts';
import { openScope, type ScopeInputs } from '../../../src/expressions/scope.ts';
import { isTree, type Tree } from '../../../src/expressions/tree.ts';
import { Fail, UNKNOWN, Unknown, type Value } from '../../../src/expressions/values.ts';
import { worstCaseWork } from '../../../src/expressions/work.ts';
import { anyCall, anyTree, CALL, CLAIMS, evaluate, namesOf, shown, treeOf } from '../../support/evaluate-expression.ts';

const shared = new Shared();
const runs = { numRuns: 1_000 };

describe('evaluation of every valid tree in every call', () => {
  it('the result is a value or a failure, never an exception, and is repeatable', () => {
    fc.assert(
      fc.property(anyTree, anyCall, (tree, call) => {
        expect(isTree(JSON.parse(JSON.stringify(tree)), namesOf(shared))).toBe(true);
        const run = runOf(tree, shared);
        const value = run(openScope(call));
        expect(shown(run(openScope(call)))).toBe(shown(value));
        for (const purpose of ['condition', 'value'] as const) {
          const result = resultOf(value, purpose);
          // JSON has no -0.
          if (result.ok)
            expect(JSON.parse(JSON.stringify(result.value))).toEqual(result.value === 0 ? 0 : result.value);
        }
      }),
      runs,
    );
  });

  it('the value is the same when other rules contain equal sub-expressions', () => {
    fc.assert(
      fc.property(anyTree, anyCall, (tree, call) => {
        const plan = new Shared();
        const [first, second] = [runOf(tree, plan), runOf(tree, plan)];
        const scope = openScope(call);
        const alone = shown(runOf(tree, new Shared())(openScope(call)));
        expect([shown(first(scope)), shown(second(scope))]).toEqual([alone, alone]);
      }),
      runs,
    );
  });

  it('the work never exceeds the budget, and evaluation fails when it would', () => {
    fc.assert(
      fc.property(anyTree, anyCall, fc.integer({ min: 0, max: 2_000 }), (tree, call, work) => {
        // Compiled once: a second compilation shares the values of sub-expressions that the first one compiled.
        const run = runOf(tree, shared);
        const enough = openScope(call);
        const value = run(enough);
        const spent = MAX_WORK - enough.work;
        const scope = openScope(call, work);
        const limited = run(scope);
        expect(scope.work).toBeGreaterThanOrEqual(-1);
        if (enough.work >= 0 && spent <= work) expect(shown(limited)).toBe(shown(value));
        else expect(scope.work).toBe(-1);
      }),
      runs,
    );
  });

  it('the work is at most the computed worst case for the length of the texts', () => {
    fc.assert(
      fc.property(anyTree, anyCall, (tree, call) => {
        const scope = openScope(call);
        runOf(tree, new Shared())(scope);
        if (scope.work >= 0)
          expect(MAX_WORK - scope.work).toBeLessThanOrEqual(worstCaseWork(tree, longest(call), shared));
      }),
      runs,
    );
  });

  it('the value is unknown unless every value of an unknown claim gives the same', () => {
    fc.assert(
      fc.property(
        anyTree,
        anyCall,
        fc.constantFrom(...CLAIMS),
        fc.array(anyCall, { minLength: 5, maxLength: 5 }),
        (tree, call, name, others) => {
          const run = runOf(tree, shared);
          const value = run(openScope({ ...call, claims: { ...call.claims, [name]: UNKNOWN } }));
          if (value instanceof Unknown) return;
          for (const other of others) {
            const claims = { ...call.claims, [name]: other.claims[name] };
            expect(shown(run(openScope({ ...call, claims: claims as ScopeInputs['claims'] })))).toBe(shown(value));
          }
        },
      ),
      runs,
    );
  });
});

const AT_MOST = 300;
const claims = { email: '\u{1d160}'.repeat(AT_MOST / 2), city: 'a'.repeat(AT_MOST), state: 'b'.repeat(AT_MOST) };
const roles = Array.from({ length: 100 }, (_, at) => `${at}`.padEnd(64, 'x'));

it.each([
  'normalizeEmail(claims.email).trim()',
  "claims.city.replace('a', 'bcd').trim()",
  'claims.city.replace(claims.city, claims.state).trim()',
  'domain(claims.city).trim()',
  'string(request.time).trim()',
  "person.roles.join('--').trim()",
  "(person.roles + person.roles).join(', ').trim()",
  'titleCase(claims.city + claims.state).trim()',
  "claims.city.split('').all(x, (x + claims.state).trim() != '')",
  "person.roles.all(r, r.trim() != '') && claims.city.split('', 50).all(r, r.trim() != '')",
  "person.roles.map(r, r + claims.city).all(r, r.trim() != '')",
  "person.roles.filter(r, r != 'x')[99].trim()",
  "{'a': claims.city, 'b': claims.state}['b'].trim()",
  "(has(claims.city) ? claims.city + claims.state : 'a').trim()",
  "person.roles.all(r, claims.city.lowerAscii() != r) && claims.city.lowerAscii() == 'x'",
  "['a'].all(x, titleCase(x) != '') && [claims.city, claims.state].all(x, titleCase(x) != '')",
])('the work of %s is at most its computed worst case', (source) => {
  const tree = treeOf(source) as Tree;
  const scope = openScope({ ...CALL, claims, roles });
  runOf(tree, new Shared())(scope);
  expect(scope.work).toBeGreaterThanOrEqual(0);
  expect(MAX_WORK - scope.work).toBeLessThanOrEqual(worstCaseWork(tree, AT_MOST, shared));
});

it('rules with similar sub-expressions have separate values', () => {
  const plan = new Shared();
  const scope = openScope({ ...CALL, claims: { city: 'ROME', state: 'OHIO' }, roles: ['A', 'B'] });
  const sources = ['titleCase(claims.city)', 'titleCase(claims.state)', 'person.roles.map(r, titleCase(r + r))'];
  const rules = [...sources, ...sources].map((source) => runOf(treeOf(source) as Tree, plan));
  const values = ['"Rome"', '"Ohio"', '["Aa", "Bb"]'];
  expect(rules.map((rule) => shown(rule(scope)))).toEqual([...values, ...values]);
});

function longest({ claims, attributes, identity, ...others }: ScopeInputs): number {
  const values = [claims, attributes, identity ?? {}, others].flatMap((from): unknown[] => Object.values(from));
  const lengths = values.map((value) => (typeof value === 'string' ? value.length : 0));
  return Math.min(10_001, Math.max(...lengths));
}

describe('unknown values', () => {
  const known = (source: string) => {
    const value = evaluate(source, { claims: { email: UNKNOWN, city: 'Rome' }, roles: UNKNOWN });
    return value instanceof Unknown ? 'unknown' : shown(value);
  };

  it.each([
    ['claims.email', 'unknown'],
    ['has(claims.email)', 'unknown'],
    ["has(claims.email) || claims.city == 'Rome'", 'true'],
    ["claims.city != 'Rome' && claims.email == 'x'", 'false'],
    ["claims.email == 'x' && claims.state == 'y'", 'unknown'],
    ["claims.state == 'y' || claims.email == 'x'", 'unknown'],
    ["'a' in person.roles", 'unknown'],
    ['has(person.roles) && has(claims.city)', 'true'],
    ["['a', 'b'].exists(x, x == 'b' || x == claims.email)", 'true'],
    ["['a', 'b'].all(x, x == 'b' && claims.email == 'x')", 'false'],
    ["[claims.state, claims.email] == ['a', 'b']", 'fails'],
    ["claims.city == 'Rome' ? 'here' : claims.email", '"here"'],
  ])('%s gives %s', (source, value) => {
    expect(known(source)).toBe(value);
  });

  it('an unknown value gives a result marked unknown', () => {
    expect(resultOf(UNKNOWN, 'condition')).toMatchObject({ ok: false, unknown: true });
    expect(resultOf(new Fail('x'), 'condition')).toEqual({ ok: false, why: 'x' });
  });
});

describe('isTree', () => {
  const deep = (levels: number): Tree => (levels === 0 ? true : ['!', deep(levels - 1)]);

  it.each<[string, unknown]>([
    ['an operator of another format', ['xor', true, false]],
    ['a function of another format', ['.reverse', 'abc']],
    ['a function with another number of arguments', ['.split', 'abc']],
    ['a method called as a function', ['split', 'abc', ',']],
    ['too many parts', ['!', true, false]],
    ['too few parts', ['?', true, false]],
    ['a part of another type', ['!', null]],
    ['an object', ['list', {}]],
    ['an empty array', []],
    ['a name of another type', ['claims', 5]],
    ['a missing name', ['claims']],
    ['a member that does not exist', ['identity', 'email']],
    ['has() of something else', ['has', 'request', 'step']],
    ['an invalid int', ['#', '1.5']],
    ['an int of more than 64 bits', ['#', '9223372036854775808']],
    ['a list that the policy does not have', ['listed', 'a', 'other']],
    ['a pattern that RE2 refuses', ['matches', 'a', '(']],
    ['an entry outside a macro', ['!', ['it']]],
    ['a macro within a macro', ['all', ['roles'], ['all', ['roles'], true]]],
    ['the entry in the list of its own macro', ['all', ['list', ['it']], true]],
    ['a map entry without a value', ['map', ['a']]],
    ['a map entry with a key of another type', ['map', [1, true]]],
    ['the name of a member of Object', ['constructor', 'a']],
    ['too many levels', deep(MAX_DEPTH + 1)],
  ])('%s is refused', (_, tree) => {
    expect(isTree(tree, namesOf(shared))).toBe(false);
  });

  it('a tree with the maximum number of levels is accepted', () => {
    expect(isTree(deep(MAX_DEPTH), namesOf(shared))).toBe(true);
    expect(shown(runOf(deep(MAX_DEPTH), shared)(openScope(CALL)))).toBe('true');
  });
});

describe('the work budget', () => {
  it('all expressions of a call share the budget, and an expression beyond it fails', () => {
    const tree: Tree = ['matches', ['claims', 'city'], '.*a.{340}[cd]'];
    const scope = openScope({ ...CALL, claims: { city: 'a'.repeat(6_000) } }, MAX_WORK + 200_000);
    const [first, second] = [runOf(tree, new Shared())(scope), runOf(tree, new Shared())(scope)];
    expect([first, second].map((value: Value) => resultOf(value, 'condition'))).toEqual([
      { ok: true, value: false },
      { ok: false, why: 'all rules together take too long' },
    ]);
  });

  it.each([
    ['a list that repeatedly contains another one twice', `[['a']]${'.map(x, [x, x])'.repeat(40)} == []`],
    ['a search for a long part', `claims.city.indexOf(claims.state) + claims.city.lastIndexOf(claims.state, 9000) > 0`],
    ['combining marks in normal form C', "normalizeEmail(claims.email + claims.email) == 'x'"],
    ['the parts of a list', "claims.email.split('', 100).all(x, titleCase(claims.city + x) != '')"],
  ])('%s spends work', (_, source) => {
    const claims = { city: 'a'.repeat(10_000), state: 'a'.repeat(9_000), email: `a${'\u0301\u0327'.repeat(4_999)}` };
    expect(evaluate(source, { claims })).toEqual(new Fail('all rules together take too long'));
  });
});
