/** Checks and compiles a policy in Node, and tries one call with it. */

import { checkPolicy } from '../../src/desk/policies/check.ts';
import { compilePolicy } from '../../src/desk/policies/compile-plan.ts';
import { heldBy, type TriedEntitlements, tryCall } from '../../src/gate/trial.ts';

const NAMES = { rolesClaim: 'extension_Roles', extensionsAppId: '' };

/** Rejects when the policy may not be saved. */
export async function triesOf(document: unknown, now = Date.UTC(2026, 10, 21, 12)) {
  const checked = checkPolicy(document, NAMES.rolesClaim);
  if (!checked.ok) throw new Error(checked.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const policy = await compilePolicy(checked.policy, 1, NAMES);
  return (body: Record<string, unknown>, entitlements: TriedEntitlements = {}) =>
    tryCall({
      body: { step: 'PostAttributeCollection', ...body },
      urlStep: undefined,
      policy,
      entitlements: (event) => heldBy(event, entitlements),
      now,
      supportCode: async () => 'ABCDE-23456',
    });
}

/** A rule that refuses at the attribute page. */
export const refusing = (when: string, more: object = {}) => ({
  id: 'refuses',
  steps: ['PostAttributeCollection'],
  when,
  invalid: true,
  ...more,
});
