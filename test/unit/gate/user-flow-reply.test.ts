/** A decision as a reply of a user flow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replyTo } from '../../../src/gate/user-flow/reply.ts';
import { STEPS } from '../../../src/sign-in/steps.ts';

describe('replyTo', () => {
  const claims = fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('version', 'action', 'email')),
    fc.oneof(fc.string(), fc.integer(), fc.boolean()),
  );
  const refusal = fc.record({
    kind: fc.constantFrom('block' as const, 'invalid' as const),
    rule: fc.string(),
    messageKey: fc.string(),
    message: fc.string({ minLength: 1 }),
    language: fc.constant('en'),
    claims,
  });
  const decision = fc.oneof(fc.record({ kind: fc.constant('continue' as const), claims }), refusal);

  it('every decision becomes a reply that the contract allows at the step', () => {
    fc.assert(
      fc.property(decision, fc.constantFrom(...STEPS, undefined), (decided, step) => {
        const { status, body } = replyTo(decided, step);
        const json = JSON.parse(body) as Record<string, unknown>;
        expect(json.version).toBe('1.0.0');
        if (step === 'PreTokenIssuance') expect([status, json.action]).toEqual([200, 'Continue']);
        if (step === 'PostFederationSignup') expect(json.action).not.toBe('ValidationError');
        if (json.action === 'ValidationError') expect([status, json.status]).toEqual([400, 400]);
        else expect([status, ['Continue', 'ShowBlockPage'].includes(String(json.action))]).toEqual([200, true]);
      }),
    );
  });
});
