import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileExpression } from '../../../src/desk/policies/compile-expression.ts';
import { inWords } from '../../../src/desk/reports/policy/expression-words.ts';

const LISTS = new Set(['blocked', 'codes']);

function words(source: string, purpose: 'condition' | 'value' = 'condition'): string | undefined {
  const compiled = compileExpression(source, purpose, LISTS);
  if (!compiled.ok) throw new Error(`${source}: ${JSON.stringify(compiled.problems)}`);
  return inWords(compiled.expression.tree, purpose);
}

it.each([
  ['has(claims.email)', 'the claim email was sent'],
  ['!has(person.attributes.level)', 'the attribute level is not in their record'],
  ['has(person.id)', 'the person id that Gatehouse derives is known'],
  ['!has(person.id)', 'the person id that Gatehouse derives is unknown'],
  ["person.id != 'x'", 'the person id that Gatehouse derives is not "x"'],
  ['claims.country in ["DE", "AT"]', 'the claim country is one of "DE", "AT"'],
  ['!(domain(claims.email) in lists.blocked)', 'the domain of the claim email is not on the list blocked'],
  ['domainIn(claims.email, lists.blocked)', 'the domain of the claim email, or one above it, is on the list blocked'],
  ["'admin' in person.roles", '"admin" is one of their roles'],
  ['!(claims.a == "x" && !has(claims.b))', 'the claim a is not "x", or the claim b was sent'],
  [
    'has(claims.a) && (has(claims.b) || has(claims.c))',
    'the claim a was sent, and (the claim b was sent, or the claim c was sent)',
  ],
  ['claims.level > 1.5 || claims.level == 2', 'the claim level is more than 1.5, or the claim level is 2'],
  ['!(size(claims.email) >= 3)', 'size(the claim email) is less than 3'],
  ["claims.email.endsWith('.org')", 'the claim email ends with ".org"'],
  ["!claims.postalCode.matches('^[0-9]{5}$')", 'the claim postalCode does not match the pattern ^[0-9]{5}$'],
  [
    "request.application != 'Club' && identity.issuer == ''",
    'the application is not "Club", and the provider is an empty text',
  ],
  // Without plain words, the source says it.
  ["identities.exists(i, i.issuer == 'google.com')", undefined],
  ["claims.a + 'x' == 'yx'", undefined],
  ["has(claims.a) ? claims.a == 'x' : true", undefined],
])('a condition is said in words, also when it is negated: %s', (source, expected) => {
  expect(words(source)).toBe(expected);
});

it('a value that is true or false is not said as if it were a condition', () => {
  expect(words('has(claims.a) && claims.a == "x"', 'value')).toBeUndefined();
  expect(words("person.roles.join(' ')", 'value')).toBe('their roles in one text');
});

it('every expression of the fixtures has words or none, and never a part of a tree', () => {
  const text = readFileSync(join(import.meta.dirname, '../../fixtures/expressions.json'), 'utf8');
  const { lists, expressions }: { lists: string[]; expressions: [string, ...unknown[]][] } = JSON.parse(text);
  const compiled = expressions.map(([source]) => compileExpression(source, 'value', new Set(lists)));
  const said = compiled.flatMap((one) => (one.ok ? [inWords(one.expression.tree, 'condition')] : []));
  expect(said.filter((one) => one !== undefined).length).toBeGreaterThan(50);
  expect(said.filter((one) => /undefined|\[object|,#/.test(one ?? ''))).toEqual([]);
});
