/** From the text that KV holds to the policy that decides. Brings the CEL engine along: import it lazily, so that a Worker without a stored policy never starts it. */
import { checkText } from './check.ts';
import { type ClaimNames, compilePolicy } from './compile.ts';
import type { Policy } from './policy.ts';

export type Loaded =
  | { readonly policy: Policy; readonly problem?: undefined }
  /** Where and why, in the words of the check: for the log, since documents hold nobody's data but in their lists. */
  | { readonly policy: undefined; readonly problem: string };

const MAX_PROBLEM_CHARS = 300;

/**
 * The policy of a stored document; none when it would be refused on saving today. Then somebody wrote it by hand, or an
 * earlier Gatehouse took what this one does not.
 */
export function loadPolicy(text: string, version: number, names: ClaimNames): Loaded {
  const checked = checkText(text, names.rolesClaim);
  if (checked.ok) return { policy: compilePolicy(checked.policy, version, names) };
  const [first] = checked.problems;
  return { policy: undefined, problem: `${first?.path}: ${first?.message}`.slice(0, MAX_PROBLEM_CHARS) };
}
