/** How `npm run simulate` checks a reply: by the contract, a reply passes only if B2C accepts it at its step. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type MadeCall, readReply } from '../../src/cli/received-reply.ts';
import { VISIT_STEPS, type VisitStep } from '../../src/local/simulate/people.ts';

const at = (step: VisitStep | undefined, credential: MadeCall['credential'] = 'own'): MadeCall => ({
  channel: 'user-flow',
  step,
  credential,
});
const json = (status: number, body: unknown) => ({
  status,
  contentType: 'application/json',
  text: typeof body === 'string' ? body : JSON.stringify(body),
});

it('simulate accepts every reply of Microsoft’s documents at its step', () => {
  const folder = join(import.meta.dirname, '../fixtures/replies');
  for (const file of readdirSync(folder)) {
    const { httpStatus, contentType = '', body } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const wrong = httpStatus === 401;
    const answer = { status: httpStatus, contentType, text: wrong ? '' : JSON.stringify(body) };
    expect(readReply(at('PostAttributeCollection', wrong ? 'wrong' : 'own'), answer), file).toMatchObject({
      problem: '',
    });
  }
});

const fine = { version: '1.0.0', action: 'Continue' };
const block = { version: '1.0.0', action: 'ShowBlockPage', userMessage: 'No.' };
const invalid = { version: '1.0.0', action: 'ValidationError', status: 400, userMessage: 'No.' };
const [FEDERATED, FORM, TOKEN] = VISIT_STEPS;

it.each([
  ['a block at the token step', at(TOKEN), json(200, block), 'ignores'],
  ['a validation error at the token step', at(TOKEN), json(400, invalid), 'refuses'],
  ['a validation error at the federation step', at(FEDERATED), json(400, invalid), 'refuses'],
  ['an e-mail address at the token step', at(TOKEN), json(200, { ...fine, email: 'a@example.com' }), 'email'],
  ['a validation error with status 200', at(FORM), json(200, invalid), 'status 200'],
  [
    'a validation error with another status in its body',
    at(FORM),
    json(400, { ...invalid, status: 409 }),
    'status 400',
  ],
  ['a block with status 400', at(FORM), json(400, block), 'status 400'],
  ['a block without a text', at(FORM), json(200, { ...block, userMessage: '' }), 'userMessage'],
  ['a continue with status 500', at(FORM), json(500, fine), 'status 500'],
  ['a reply without a version', at(FORM), json(200, { action: 'Continue' }), 'version'],
  ['a reply with an empty version', at(FORM), json(200, { ...fine, version: '' }), 'version'],
  ['an unknown action', at(FORM), json(200, { ...fine, action: 'Allow' }), 'action'],
  ['an action named like a member of Object.prototype', at(FORM), json(200, { ...fine, action: 'toString' }), 'action'],
  ['a claim that is null', at(FORM), json(200, { ...fine, city: null }), 'claim'],
  ['a claim that is a list', at(FORM), json(200, { ...fine, city: ['a'] }), 'claim'],
  ['a list', at(undefined), json(200, [fine]), 'JSON object'],
  ['an incomplete JSON', at(undefined), json(200, '{'), 'JSON object'],
  ['an HTML page', at(undefined), { status: 503, contentType: 'text/html', text: '<h1>' }, 'text/html'],
  ['a missing content type', at(undefined), { status: 200, contentType: '', text: '{}' }, 'content type'],
  ['a 401 for the right credential', at(undefined), { status: 401, contentType: '', text: '' }, '401'],
  ['a reply to a wrong credential', at(TOKEN, 'wrong'), json(200, fine), 'must get 401'],
  ['a 401 with a body', at(TOKEN, 'wrong'), json(401, {}), 'body'],
])('simulate reports %s as not allowed and names the problem', (_, call, answer, named) => {
  expect(readReply(call, answer)).toEqual({ kind: 'not allowed', problem: expect.stringContaining(named), action: '' });
});

it('simulate classifies every response without throwing', () => {
  const answers = fc.record({
    status: fc.integer({ min: 100, max: 599 }),
    contentType: fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/html', ''),
    text: fc.oneof(fc.string(), fc.json()),
  });
  fc.assert(
    fc.property(answers, fc.constantFrom(...VISIT_STEPS, undefined), (answer, step) => {
      expect(readReply(at(step), answer).kind).toBeTypeOf('string');
    }),
  );
});

const atExchange = { channel: 'custom-policy', step: 'SignInStarted', credential: 'own' } as const;
const refusal = { version: '1.0.0', status: 409, userMessage: 'No.' };

it.each([
  ['200 without a body', { status: 200, contentType: '', text: '' }, 'continue'],
  ['200 with claims', json(200, { loyalty: '1' }), 'continue'],
  ['409 with a message', json(409, refusal), 'block'],
  ['200 that is no JSON', json(200, 'fine'), 'not allowed'],
  ['404', json(404, refusal), 'not allowed'],
  ['500', { status: 500, contentType: '', text: '' }, 'not allowed'],
  ['409 without a message', json(409, { ...refusal, userMessage: '' }), 'not allowed'],
  ['409 with another status in the body', json(409, { ...refusal, status: 400 }), 'not allowed'],
])('simulate takes a reply of %s at an exchange as a custom policy does', (_, answer, kind) => {
  expect(readReply(atExchange, answer).kind).toBe(kind);
});

it('simulate accepts the flat claims of an exchange, lists among them, and no nested object', () => {
  const exchange = { ...atExchange, step: 'promoCode' };
  expect(readReply(exchange, json(200, { promoCode: '24534', groups: ['a', 'b'], count: 3 }))).toMatchObject({
    kind: 'continue',
  });
  for (const nested of [{ a: { b: 1 } }, { a: [{ b: 1 }] }, { a: null }])
    expect(readReply(exchange, json(200, nested))).toMatchObject({
      kind: 'not allowed',
      problem: '200 with a claim that is neither a value nor a list of values',
    });
});
