/** Inputs of the policy endpoints: parameters, and the document as the body. */
import type { Context } from 'hono';
import * as z from 'zod/mini';
import { configOf } from '../../../platform/config.ts';
import type { AppEnv } from '../../http/context.ts';
import { strict, text } from '../../http/input-rules.ts';
import { duplicateKeys } from '../../policies/duplicate-keys.ts';
import type { PolicyDocument } from '../../policies/policy-document.ts';
import type { Problem } from '../../policies/policy-problem.ts';
import type { Checked } from '../../policies/save.ts';

export type PolicyContext = Context<AppEnv>;

const MAX_NOTE_CHARS = 500;
/** Maximum of the Postgres type integer. */
const MAX_NUMBER = 2_147_483_647;

const note = z.optional(text.check(z.maxLength(MAX_NOTE_CHARS, `longer than ${MAX_NOTE_CHARS} characters`)));

const SHARE = 'not a share of calls. Write a number above 0 and at most 1, such as 0.1 for every tenth call';
const sample = z._default(
  z.pipe(
    z.pipe(text.check(z.regex(/^\d?(?:\.\d{1,6})?$/, SHARE)), z.transform(Number)),
    z.number().check(z.gt(0, SHARE), z.lte(1, SHARE)),
  ),
  1,
);

const NO_NUMBER = 'not the number of a version. GET /admin/policy/versions lists them';
const number = z.int(NO_NUMBER).check(z.gte(1, NO_NUMBER), z.lte(MAX_NUMBER, NO_NUMBER));

export const nothing = strict({});
export const noteOnly = strict({ note });
export const shadowQuery = strict({ note, sample });
export const rollbackBody = strict({ to: number, note });
export const versionParam = z.object({
  number: z.pipe(z.pipe(z.string().check(z.regex(/^\d{1,10}$/, NO_NUMBER)), z.transform(Number)), number),
});

/** Imported lazily: drizzle costs start-up time. */
export const versionsOf = async (c: PolicyContext) =>
  (await import('../../policies/versions.ts')).versionsIn(configOf(c.env));

export type CheckedBody =
  | { readonly ok: true; readonly checked: Checked; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export async function readDocument(c: PolicyContext): Promise<CheckedBody> {
  const text = decoded(await c.req.arrayBuffer());
  if (text !== undefined) return checkDocument(c, text);
  return {
    ok: false,
    problems: [{ rule: '', path: '', message: 'Not UTF-8. JSON requires it, so save the file as UTF-8.' }],
  };
}

/**
 * Checks a document against today's rules. It checks the text that will be stored: escapes in the author's text can
 * hide what that text says.
 */
export async function checkDocument(c: PolicyContext, text: string): Promise<CheckedBody> {
  // Imported lazily: no other admin endpoint needs the compiler.
  const [{ checkText }, { compilePlan }] = await Promise.all([
    import('../../policies/check.ts'),
    import('../../policies/compile-plan.ts'),
  ]);
  const stored = storedText(text);
  const check = checkText(stored, configOf(c.env).ROLES_CLAIM);
  if (!check.ok) return check;
  const problems = duplicateKeys(text);
  if (problems.length > 0) return { ok: false, problems };
  // Loads the plan as a gate does. Throws when that fails, and then nothing is saved.
  await compilePlan(check.policy, stored);
  const document = JSON.parse(stored) as PolicyDocument;
  return { ok: true, checked: { document, text: stored }, warnings: check.policy.warnings };
}

/** Texts that are not JSON, or too deep for the stack, come back unchanged: the check refuses them. */
function storedText(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

/** Decodes UTF-8 and drops a byte order mark. Undefined for other bytes. */
function decoded(bytes: ArrayBuffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}
