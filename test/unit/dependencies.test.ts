/**
 * Behaviour of dependencies that Gatehouse relies on and that their documentation does not promise. After an upgrade, a
 * failure here names the library; the file that relies on it is in the title.
 */
import { Hono } from 'hono/tiny';
import { expect, it } from 'vitest';
import * as z from 'zod/mini';
import { checkTypes, parseExpression } from '../../src/desk/policies/cel.ts';

it.each([
  ["1 + 'x'", ['int', 'string']],
  ["true && 'x' < 1", ['string', 'int']],
  ["!'x'", ['string']],
  ["-'x'", ['string']],
])(
  '@marcbachmann/cel-js names the types of an operator in the summary of its error (desk/policies/cel.ts): %s',
  (source, types) => {
    expect(checkTypes(source)).toMatchObject({ ok: false, code: 'no_such_overload', types });
  },
);

it('@marcbachmann/cel-js names maxDepth when an expression is nested too deeply (desk/policies/cel.ts)', () => {
  expect(parseExpression(`claims${'.a'.repeat(300)}`)).toMatchObject({ ok: false, code: 'too_deep' });
});

it('hono/tiny matches every route of a path, and marks middleware with the method ALL (desk/http/problem-details.ts)', () => {
  const app = new Hono();
  app.use('/a/*', (_, next) => next());
  app.get('/a/:id', (c) => c.text(''));
  app.get('/a/b', (c) => c.text(''));
  const matched = app.router.match('GET', '/a/b')[0].map(([[, route]]) => [route.method, route.path]);
  expect(matched).toEqual([
    ['ALL', '/a/*'],
    ['GET', '/a/:id'],
    ['GET', '/a/b'],
  ]);
});

it('zod reports the issues of a record key inside the issue of the record (desk/policies/check.ts, cli/policy/problems.ts)', () => {
  const { error } = z.record(z.string().check(z.maxLength(1)), z.number()).safeParse({ long: 1 });
  expect(error?.issues).toMatchObject([{ code: 'invalid_key', path: ['long'], issues: [{ code: 'too_big' }] }]);
});
