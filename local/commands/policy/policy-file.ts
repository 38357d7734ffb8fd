/** A policy in a file, checked as it would be before saving. */
import { type CheckedPolicy, checkText } from '../../../src/policy/check.ts';
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

/** The policy of a file; refuses, with every problem, when it may not be saved where roles travel in `rolesClaim`. */
export async function readPolicy(file: string, rolesClaim: string): Promise<PolicyFile> {
  const source = await readJsonFile(file);
  const text = compact(source.text) ?? source.text;
  const check = checkText(text, rolesClaim);
  const problems = source.positions().repeated.map((member): Located => {
    const message = repeatedSentence(member);
    return { rule: '', path: member.path, message, line: member.lines.at(-1) ?? 1 };
  });
  if (!check.ok) problems.push(...located(check.problems, source));
  if (!check.ok || problems.length > 0) throw new Refusal(refusalOf(file, problems));
  const document = JSON.parse(text) as PolicyDocument;
  return { source, policy: check.policy, document, warnings: located(check.policy.warnings, source) };
}

/** What is checked, and counted, is what would be sent: without the spaces that make a file readable. */
function compact(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
}
