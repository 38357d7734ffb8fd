/** Formats problems with file and line, in the form that editors and CI systems recognise. */
import type * as z from 'zod/mini';
import type { Problem } from '../../desk/policies/policy-problem.ts';
import { firstItems } from '../../platform/name-list.ts';
import { printable } from '../table.ts';
import type { Positions } from './positions.ts';

/** A problem with its line. */
export interface Located extends Problem {
  /** Counted from 1. */
  readonly line: number;
}

/** Adds the lines and sorts by them. */
export function located(
  problems: readonly Problem[],
  { positions }: { readonly positions: () => Positions },
): Located[] {
  const { lineOf } = positions();
  return problems.map((problem) => ({ ...problem, line: lineOf(problem.path) })).sort((a, b) => a.line - b.line);
}

/** One line for each of the first 20 problems: `policy.json:12: rules[1].when (rule postal-code): …`. */
export function listProblems(file: string, problems: readonly Located[]): string {
  const lines = problems.map(({ line, path, rule, message }) =>
    printable(`${file}:${line}: ${place(path, rule)}${message}`),
  );
  return firstItems(lines, (more) => `and ${more} more. Correct these first.`).join('\n');
}

function place(path: string, rule: string): string {
  if (path === '') return '';
  return rule === '' ? `${path}: ` : `${path} (rule ${rule}): `;
}

/** The problems and their number. */
export const refusalOf = (file: string, problems: readonly Located[]) =>
  `${listProblems(file, problems)}\n${counted(problems.length, 'problem')} in ${file}.`;

export const warningsOf = (file: string, warnings: readonly Located[]) =>
  `${listProblems(file, warnings)}\n${counted(warnings.length, 'warning')}: allowed, but probably mistakes.`;

/** `1 problem`, `2 problems`. */
export const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Zod's issues as problems. */
export function issuesIn(error: z.core.$ZodError): Problem[] {
  return error.issues.flatMap((issue) => problemsOf(issue, []));
}

/** Zod nests the issues of an invalid key in the issue of its record. */
function problemsOf(issue: z.core.$ZodIssue, before: readonly PropertyKey[]): Problem[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'invalid_key') return issue.issues.flatMap((inner) => problemsOf(inner, path));
  const message = `${issue.message.charAt(0).toUpperCase()}${issue.message.slice(1)}.`;
  return [{ rule: '', path: textOf(path), message }];
}

/** `cases[2].call`. */
const textOf = (path: readonly PropertyKey[]) =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
