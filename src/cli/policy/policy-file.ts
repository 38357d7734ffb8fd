/** Reads a policy file and checks it as Gatehouse does before it saves. */
import { type CheckedPolicy, checkText } from '../../desk/policies/check.ts';
import type { PolicyDocument } from '../../desk/policies/policy-document.ts';
import { type JsonFile, readJson } from './json-file.ts';
import { type Located, located } from './problems.ts';

/** A valid policy. */
export interface PolicyFile {
  readonly source: JsonFile;
  readonly policy: CheckedPolicy;
  /** The document to send, with its members in their original order. */
  readonly document: PolicyDocument;
  readonly warnings: readonly Located[];
}

/** Throws a refusal that lists every problem when the policy is invalid. `rolesClaim` is the claim for roles. */
export async function readPolicy(file: string, rolesClaim: string): Promise<PolicyFile> {
  const { value, source } = await readJson(file, (parsed) => {
    // The size limit applies to the text that is sent, without the whitespace of the file.
    const check = checkText(JSON.stringify(parsed), rolesClaim);
    return check.ok ? { ok: true, value: { policy: check.policy, document: parsed as PolicyDocument } } : check;
  });
  return { source, ...value, warnings: located(value.policy.warnings, source) };
}
