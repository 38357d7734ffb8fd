/**
 * Checks a policy document and returns all problems at once. Saving, compiling and `npm run policy -- check` use it.
 */
import type * as z from 'zod/mini';
import { checkAdvice } from './check-advice.ts';
import { checkEntries } from './check-entries.ts';
import { checkExchanges } from './check-exchanges.ts';
import { checkMessages } from './check-messages.ts';
import { type CheckedRule, checkRules } from './check-rules.ts';
import { checkRunning } from './check-running.ts';
import { checkTexts } from './check-texts.ts';
import { MAX_DOCUMENT_BYTES, MAX_ENTRIES_IN_ALL, type PolicyDocument, policySchema } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';

export interface CheckedPolicy {
  readonly document: PolicyDocument;
  readonly rules: readonly CheckedRule[];
  /** Valid, but probably a mistake. */
  readonly warnings: readonly Problem[];
}

export type Check =
  | { readonly ok: true; readonly policy: CheckedPolicy }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Checks the text of a document. `rolesClaim`: a policy that does not set this claim gets a warning; `''` for none.
 * `run`: also checks texts and entries of lists, and runs the expressions on samples, which can take seconds.
 */
export function checkText(text: string, rolesClaim: string, run = true): Check {
  const bytes = new TextEncoder().encode(text).byteLength;
  if (bytes > MAX_DOCUMENT_BYTES) return refused(tooLarge(bytes));
  let parsed: unknown;
  try {
    // Some editors write a byte order mark, which JSON does not allow.
    parsed = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    return refused(
      `Not JSON: ${error instanceof Error ? error.message : 'the parser gave no reason'}. Correct it there.`,
    );
  }
  return checkPolicy(parsed, rolesClaim, run);
}

/** Compiles a saved document. Its expressions ran on samples when it was saved. */
export const compileText = (text: string): Check => checkText(text, '', false);

export const tooLarge = (bytes: number) =>
  `The document has ${megabytes(bytes)} MB. The limit is ${megabytes(MAX_DOCUMENT_BYTES)} MB, since every isolate ` +
  'holds it in memory (Workers KV allows 25 MiB). Shorten its lists.';

const megabytes = (bytes: number) => (Math.ceil(bytes / 100_000) / 10).toLocaleString('en');

/** Checks a parsed document, as {@link checkText} does. */
export function checkPolicy(parsed: unknown, rolesClaim: string, run = true): Check {
  // Zod silently drops a member of this name.
  if (hasMember(parsed, '__proto__')) return refused('A member has the reserved name __proto__. Rename it.');
  const shaped = policySchema.safeParse(parsed);
  if (!shaped.success) {
    const ids = idsOf(parsed);
    return { ok: false, problems: shaped.error.issues.flatMap((issue) => problemsOf(issue, ids)) };
  }
  const document = shaped.data;
  const { rules, problems, warnings } = checkRules(document, rolesClaim);
  const words = checkMessages(document, rules);
  const entries = run ? checkEntries(document, rules) : { problems: [], warnings: [] };
  const running = run ? checkRunning(rules) : [];
  const exchanges = checkExchanges(document, rules);
  const all = [
    ...(run ? checkTexts(document) : []),
    ...checkLists(document),
    ...exchanges.problems,
    ...words.problems,
    ...problems,
    ...checkAdvice(document, rules),
    ...entries.problems,
    ...running,
  ];
  if (all.length > 0) return { ok: false, problems: all };
  return {
    ok: true,
    policy: {
      document,
      rules,
      warnings: [...words.warnings, ...exchanges.warnings, ...warnings, ...entries.warnings],
    },
  };
}

/** Whether an object anywhere in `parsed` has this member. It does not recurse: JSON may be deeper than the stack. */
function hasMember(parsed: unknown, name: string): boolean {
  const waiting = [parsed];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, name)) return true;
    for (const member of Object.values(value)) if (typeof member === 'object') waiting.push(member);
  }
  return false;
}

const refused = (message: string): Check => ({ ok: false, problems: [{ rule: '', path: '', message }] });

function checkLists({ lists = {} }: PolicyDocument): Problem[] {
  const entries = Object.values(lists).reduce((sum, list) => sum + list.length, 0);
  const tooMany = `All lists together have ${entries} entries. The limit is ${MAX_ENTRIES_IN_ALL}. Shorten them.`;
  // A stored list has one entry a line.
  const broken = Object.entries(lists).flatMap(([name, list]) => {
    const at = list.findIndex((entry) => entry.includes('\n'));
    return at === -1 ? [] : [`lists.${name}[${at}]`];
  });
  return [
    ...(entries <= MAX_ENTRIES_IN_ALL ? [] : [{ rule: '', path: 'lists', message: tooMany }]),
    ...broken.map((path) => ({ rule: '', path, message: 'The entry contains a line break. Delete it.' })),
  ];
}

/** Converts an issue of Zod. The issue of a record contains the issues of its keys. */
function problemsOf(issue: z.core.$ZodIssue, ids: readonly string[], before: readonly PropertyKey[] = []): Problem[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'invalid_key') return issue.issues.flatMap((inner) => problemsOf(inner, ids, path));
  const rule = path[0] === 'rules' && typeof path[1] === 'number' ? (ids[path[1]] ?? '') : '';
  return [{ rule, path: written(path), message: sentence(issue.message) }];
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** Such as `rules[2].set.givenName`. */
const written = (path: readonly PropertyKey[]) =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');

function idsOf(parsed: unknown): string[] {
  const rules = typeof parsed === 'object' && parsed !== null && 'rules' in parsed ? parsed.rules : undefined;
  if (!Array.isArray(rules)) return [];
  return rules.map((rule: unknown) => {
    const id = typeof rule === 'object' && rule !== null && 'id' in rule ? rule.id : undefined;
    return typeof id === 'string' ? id.slice(0, 63) : '';
  });
}
