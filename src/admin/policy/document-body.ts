/** The body of a saving: the document itself. */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { configOf } from '../../config.ts';
import { MAX_DOCUMENT_BYTES, type PolicyDocument } from '../../policy/document.ts';
import { membersTwice } from '../../policy/members-twice.ts';
import type { Problem } from '../../policy/problem.ts';
import { problem } from '../../problem.ts';
import type { PolicyContext } from './refusals.ts';

export type Checked =
  | { readonly ok: true; readonly document: PolicyDocument; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** 413 for a body that no policy may be as large as. Without a Content-Length nobody knows how much more would have come. */
export const limitedDocument: MiddlewareHandler = bodyLimit({
  maxSize: MAX_DOCUMENT_BYTES,
  onError: async (c) => {
    const { tooLarge } = await import('../../desk/policies/check.ts');
    const bytes = Math.max(Number(c.req.header('Content-Length')) || 0, MAX_DOCUMENT_BYTES + 1);
    return problem(c, 413, `${tooLarge(bytes)} Nothing was saved.`);
  },
});

/** Reads and checks the body. */
export async function readDocument(c: PolicyContext): Promise<Checked> {
  const text = decoded(await c.req.arrayBuffer());
  if (text !== undefined) return checkDocument(c, text);
  return {
    ok: false,
    problems: [{ rule: '', path: '', message: 'Not UTF-8, which JSON is written in: save the file as UTF-8.' }],
  };
}

/** Checks by the rules of today. The document keeps the order in which its author wrote the members. */
export async function checkDocument(c: PolicyContext, text: string): Promise<Checked> {
  // Brings the CEL engine along, which nobody else at the administrators' door needs.
  const { checkText } = await import('../../desk/policies/check.ts');
  const check = checkText(text, configOf(c.env).ROLES_CLAIM);
  if (!check.ok) return check;
  const problems = membersTwice(text);
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, document: JSON.parse(text) as PolicyDocument, warnings: check.policy.warnings };
}

/** Without a byte order mark; undefined when it is not UTF-8. */
function decoded(bytes: ArrayBuffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}
