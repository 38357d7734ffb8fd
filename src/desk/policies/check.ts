/**
 * Whether a document may become a policy. All that is wrong is said at once, each as a sentence that says what to write
 * instead; what is merely odd is a warning. The same check stands before saving, before compiling what KV holds, and behind
 * `npm run policy -- check`.
 */
import type * as z from 'zod/mini';
import { checkMessages } from './check-messages.ts';
import { type CheckedRule, checkRules } from './check-rules.ts';
import { checkRunning } from './check-running.ts';
import { MAX_DOCUMENT_BYTES, MAX_ENTRIES_IN_ALL, type PolicyDocument, policySchema } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';

/** A document that may be saved and compiled. */
export interface CheckedPolicy {
  readonly document: PolicyDocument;
  readonly rules: readonly CheckedRule[];
  /** What is allowed and probably not meant. */
  readonly warnings: readonly Problem[];
}

export type Check =
  | { readonly ok: true; readonly policy: CheckedPolicy }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Nobody reads more, and one slip in a list of 100,000 entries may be 100,000 of the same kind. */
const MAX_PROBLEMS = 100;

/** Checks the text of a document. `rolesClaim` is the claim that carries roles (`ROLES_CLAIM`), which a policy should set. */
export function checkText(text: string, rolesClaim: string, run = true): Check {
  const bytes = new TextEncoder().encode(text).byteLength;
  if (bytes > MAX_DOCUMENT_BYTES) return refused(tooLarge(bytes));
  // zod leaves such a member out without a word.
  if (/"(?:_|\\u005[fF]){2}proto(?:_|\\u005[fF]){2}"\s*:/.test(text))
    return refused('Nothing may be called __proto__: rename that member.');
  let parsed: unknown;
  try {
    // A byte order mark, as some editors write it, is no part of JSON.
    parsed = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    return refused(`Not JSON: ${error instanceof Error ? error.message : 'it cannot be read'}. Correct it there.`);
  }
  return checkPolicy(parsed, rolesClaim, run);
}

/** Compiles a document that was saved before: its expressions were run on samples then. */
export const compileText = (text: string): Check => checkText(text, '', false);

export const tooLarge = (bytes: number) =>
  `The document has ${megabytes(bytes)} MB. At most ${megabytes(MAX_DOCUMENT_BYTES)} MB are taken, since every isolate ` +
  'holds it in memory beside everything else (Workers KV itself would end at 25 MiB). Shorten its lists.';

const megabytes = (bytes: number) => (Math.ceil(bytes / 100_000) / 10).toLocaleString('en');

/** Checks a document that was parsed already. `run`: whether its expressions run on samples, which takes up to seconds. */
export function checkPolicy(parsed: unknown, rolesClaim: string, run = true): Check {
  const shaped = policySchema.safeParse(parsed);
  if (!shaped.success) {
    const ids = idsOf(parsed);
    return {
      ok: false,
      problems: shaped.error.issues.flatMap((issue) => problemsOf(issue, ids)).slice(0, MAX_PROBLEMS),
    };
  }
  const document = shaped.data;
  const { rules, problems, warnings } = checkRules(document, rolesClaim);
  const words = checkMessages(document);
  const all = [...checkLists(document), ...words.problems, ...problems, ...(run ? checkRunning(rules) : [])];
  if (all.length > 0) return { ok: false, problems: all.slice(0, MAX_PROBLEMS) };
  return { ok: true, policy: { document, rules, warnings: [...words.warnings, ...warnings].slice(0, MAX_PROBLEMS) } };
}

const refused = (message: string): Check => ({ ok: false, problems: [{ rule: '', path: '', message }] });

function checkLists({ lists = {} }: PolicyDocument): Problem[] {
  const entries = Object.values(lists).reduce((sum, list) => sum + list.length, 0);
  const tooMany = `${entries} entries in all lists together: at most ${MAX_ENTRIES_IN_ALL} are taken.`;
  // Lists are stored with an entry on each line.
  const broken = Object.entries(lists).flatMap(([name, list]) => {
    const at = list.findIndex((entry) => entry.includes('\n'));
    return at === -1 ? [] : [`lists.${name}[${at}]`];
  });
  return [
    ...(entries <= MAX_ENTRIES_IN_ALL ? [] : [{ rule: '', path: 'lists', message: tooMany }]),
    ...broken.map((path) => ({ rule: '', path, message: 'The entry contains a line break. Delete it.' })),
  ];
}

/** Zod's issue as our problems; a name that is refused stands inside the issue of its record. */
function problemsOf(issue: z.core.$ZodIssue, ids: readonly string[], before: readonly PropertyKey[] = []): Problem[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'invalid_key') return issue.issues.flatMap((inner) => problemsOf(inner, ids, path));
  const rule = path[0] === 'rules' && typeof path[1] === 'number' ? (ids[path[1]] ?? '') : '';
  return [{ rule, path: written(path), message: sentence(issue.message) }];
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** `rules[2].set.givenName`. */
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
