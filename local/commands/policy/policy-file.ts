/** A policy in a file, checked as it would be before saving. */
import { type CheckedPolicy, checkText } from '../../../src/desk/policies/check.ts';
import type { PolicyDocument } from '../../../src/policy/document.ts';
import { Refusal } from '../ending.ts';
import { type JsonFile, readJsonFile, repeatedSentence } from './json-file.ts';
import { type Located, located, refusalOf } from './problems.ts';

/** A policy that may be saved. */
export interface PolicyFile {
  readonly source: JsonFile;
  readonly policy: CheckedPolicy;
  /** With its members in the order in which they were written: what is sent. */
  readonly document: PolicyDocument;
  readonly warnings: readonly Located[];
}

export type FileCheck =
  | { readonly ok: true; readonly policy: PolicyFile }
  | { readonly ok: false; readonly problems: readonly Located[] };

/** Checks a file for a Gatehouse whose roles travel in `rolesClaim`. Throws a Refusal only for what cannot be read at all. */
export async function checkFile(file: string, rolesClaim: string): Promise<FileCheck> {
  const source = await readJsonFile(file);
  const text = compact(source.text) ?? source.text;
  const check = checkText(text, rolesClaim);
  const repeated = source.positions().repeated.map((member) => ({
    rule: '',
    path: member.path,
    message: repeatedSentence(member),
    line: member.lines.at(-1) ?? 1,
  }));
  if (!check.ok) return { ok: false, problems: [...repeated, ...located(check.problems, source)] };
  if (repeated.length > 0) return { ok: false, problems: repeated };
  const document = JSON.parse(text) as PolicyDocument;
  const warnings = located(check.policy.warnings, source);
  return { ok: true, policy: { source, policy: check.policy, document, warnings } };
}

/** What is checked, and counted, is what would be sent: without the spaces that make a file readable. */
function compact(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The policy of a file; refuses, with every problem, when it may not be saved. */
export async function readPolicy(file: string, rolesClaim: string): Promise<PolicyFile> {
  const check = await checkFile(file, rolesClaim);
  if (!check.ok) throw new Refusal(refusalOf(file, check.problems));
  return check.policy;
}
