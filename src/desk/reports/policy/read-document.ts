/** Reads the document of a stored version. Pure. */
import { type PolicyDocument, policySchema } from '../../policies/policy-document.ts';

/**
 * Undefined when the text does not have the form of a policy. Entries of lists are counted here and not checked: Zod
 * takes a second for 200,000.
 */
export function documentIn(text: string): PolicyDocument | undefined {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { lists = {}, ...others } = parsed as { lists?: unknown };
  const shaped = policySchema.safeParse(others);
  return shaped.success && areLists(lists) ? { ...shaped.data, lists } : undefined;
}

const areLists = (value: unknown): value is NonNullable<PolicyDocument['lists']> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((list) => Array.isArray(list) && list.every((entry) => typeof entry === 'string'));
