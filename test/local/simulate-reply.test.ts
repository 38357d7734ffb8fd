/** How `npm run simulate` judges a reply: what Gatehouse may send passes at its step, everything else is told. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReply } from '../../local/simulate/reply.ts';
import type { ScriptedCall } from '../../local/simulate/script.ts';
import { replyTo } from '../../src/gate/user-flow/reply.ts';
import { STEPS, type UserFlowStep } from '../../src/sign-in/steps.ts';

const at = (step: UserFlowStep | undefined, credential: ScriptedCall['credential'] = 'own'): ScriptedCall => ({
  pauseMs: 0,
  step,
  path: '',
  body: '{}',
  credential,
  twice: false,
});
const json = (status: number, body: unknown) => ({
  status,
  contentType: 'application/json',
  text: typeof body === 'string' ? body : JSON.stringify(body),
});
const problem = (step: UserFlowStep | undefined, answer: Parameters<typeof readReply>[1], credential?: 'wrong') => {
  const reply = readReply(at(step, credential), answer);
  return reply.kind === 'not allowed' ? reply.problem : `${reply.kind} is allowed`;
};

describe('what B2C takes', () => {
  it('is every reply that Gatehouse can write, at the step it was written for', () => {
    const text = fc.string({ minLength: 1 });
    const claims = fc.dictionary(
      fc.string().filter((name) => !['email', '__proto__'].includes(name)),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()),
    );
    const decisions = fc.oneof(
      fc.record({ kind: fc.constant('continue' as const), claims }),
      fc.record({
        kind: fc.constantFrom('block', 'invalid'),
        rule: text,
        messageKey: text,
        message: text,
        language: text,
        claims,
      }),
    );
    fc.assert(
      fc.property(decisions, fc.constantFrom(...STEPS, undefined), (decision, step) => {
        const { status, body, action } = replyTo(decision, step);
        expect(readReply(at(step), json(status, body))).toMatchObject({ problem: '', action });
      }),
    );
  });

  it('is every reply of the documents at a step it can belong to', () => {
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
});

describe('what B2C ignores or shows an error page for', () => {
  const fine = { version: '1.0.0', action: 'Continue' };
  const block = { version: '1.0.0', action: 'ShowBlockPage', userMessage: 'No.' };
  const invalid = { version: '1.0.0', action: 'ValidationError', status: 400, userMessage: 'No.' };

  it('is named, one by one', () => {
    expect(problem('PreTokenIssuance', json(200, block))).toContain('ignores');
    expect(problem('PreTokenIssuance', json(400, invalid))).toContain('does not take');
    expect(problem('PostFederationSignup', json(400, invalid))).toContain('does not take');
    expect(problem('PreTokenIssuance', json(200, { ...fine, email: 'a@example.com' }))).toContain('email');
    expect(problem('PostAttributeCollection', json(200, invalid))).toContain('status 200');
    expect(problem('PostAttributeCollection', json(400, { ...invalid, status: 409 }))).toContain('status 400');
    expect(problem('PostAttributeCollection', json(400, block))).toContain('status 400');
    expect(problem('PostAttributeCollection', json(200, { ...block, userMessage: '' }))).toContain('userMessage');
    expect(problem('PostAttributeCollection', json(500, fine))).toContain('status 500');
    expect(problem('PostAttributeCollection', json(200, { action: 'Continue' }))).toContain('version');
    expect(problem('PostAttributeCollection', json(200, { ...fine, version: '' }))).toContain('version');
    expect(problem('PostAttributeCollection', json(200, { ...fine, action: 'Allow' }))).toContain('action');
    expect(problem('PostAttributeCollection', json(200, { ...fine, city: null }))).toContain('claim');
    expect(problem('PostAttributeCollection', json(200, { ...fine, city: ['a'] }))).toContain('claim');
    expect(problem(undefined, json(200, [fine]))).not.toContain('allowed');
    expect(problem(undefined, json(200, '{'))).toContain('not JSON');
    expect(problem(undefined, { status: 503, contentType: 'text/html', text: '<h1>' })).toContain('text/html');
    expect(problem(undefined, { status: 200, contentType: '', text: '{}' })).toContain('content type');
    expect(problem(undefined, { status: 401, contentType: '', text: '' })).toContain('401');
    expect(problem('PreTokenIssuance', json(200, fine), 'wrong')).toContain('let in');
    expect(problem('PreTokenIssuance', json(401, {}), 'wrong')).toContain('body');
  });

  it('is nothing that throws, whatever comes', () => {
    const answer = fc.record({
      status: fc.integer({ min: 100, max: 599 }),
      contentType: fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/html', ''),
      text: fc.oneof(fc.string(), fc.json()),
    });
    fc.assert(
      fc.property(answer, fc.constantFrom(...STEPS, undefined), (raw, step) => {
        expect(readReply(at(step), raw).kind).toBeTypeOf('string');
      }),
    );
  });
});
