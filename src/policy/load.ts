/** From the text that KV holds to the policy that decides. Brings the CEL engine along: import it lazily, so that a Worker without a stored policy never starts it. */
import { checkText } from './check.ts';
import { type ClaimNames, compilePolicy } from './compile.ts';
import type { Policy } from './policy.ts';

/** The policy of a stored document; undefined when it would be refused on saving today, so that somebody must have written it by hand. */
export function loadPolicy(text: string, version: number, names: ClaimNames): Policy | undefined {
  const checked = checkText(text, names.rolesClaim);
  return checked.ok ? compilePolicy(checked.policy, version, names) : undefined;
}
