/** A policy in a file, checked as it would be before saving. */
import { type CheckedPolicy, checkText } from '../../desk/policies/check.ts';
import type { PolicyDocument } from '../../desk/policies/policy-document.ts';
import { type JsonFile, readJson } from './json-file.ts';
import { type Located, located } from './problems.ts';

/** A policy that may be saved. */
export interface PolicyFile {
  readonly source: JsonFile;
  readonly policy: CheckedPolicy;
  /** With its members in the order in which they were written: what is sent. */
  readonly document: PolicyDocument;
  readonly warnings: readonly Located[];
}

/** The policy of a file; refuses, with every problem, when it may not be saved where roles travel in `rolesClaim`. */
export async function readPolicy(file: string, rolesClaim: string): Promise<PolicyFile> {
  const { value, source } = await readJson(file, (parsed) => {
    // What is checked, and counted, is what would be sent: without the spaces that make a file readable.
    const check = checkText(JSON.stringify(parsed), rolesClaim);
    return check.ok ? { ok: true, value: { policy: check.policy, document: parsed as PolicyDocument } } : check;
  });
  return { source, ...value, warnings: located(value.policy.warnings, source) };
}
