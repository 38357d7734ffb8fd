/** Advice is for staff: what the gate reads has none of it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkPolicy } from '../../../src/desk/policies/check.ts';
import { compilePlan } from '../../../src/desk/policies/compile-plan.ts';

const effect = fc.constantFrom({ block: true }, { block: 'm' }, { invalid: true });
const advice = fc
  .string({ minLength: 1, maxLength: 40 })
  .map((text) => text.replace(/[{}\p{Cc}]/gu, ''))
  .filter((text) => text.isWellFormed() && text.trim() !== '')
  .map((text) => ({ en: `Advice: ${text}`, de: 'Rat' }));

it('the plan that the gate reads is the same with advice and without it', async () => {
  const planOf = async (rule: object) => {
    const document = {
      messages: { m: { en: 'No. {supportCode}' } },
      rules: [{ id: 'r', steps: ['PostAttributeCollection'], when: 'has(claims.email)', ...rule }],
    };
    const checked = checkPolicy(document, '');
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    // The digest of the document, which is the same for both here.
    return compilePlan(checked.policy, 'document');
  };
  await fc.assert(
    fc.asyncProperty(effect, advice, async (refusal, given) => {
      const plan = await planOf({ ...refusal, advice: given });
      expect(plan).toEqual(await planOf(refusal));
      expect(plan.text).not.toContain(given.en);
    }),
    { numRuns: 30 },
  );
});
