/** What is wrong in a file: each problem with its line, as editors and CI systems find places. */
import type * as z from 'zod/mini';
import type { Problem } from '../../desk/policies/policy-problem.ts';
import { printable } from '../table.ts';
import type { Positions } from './positions.ts';

/** A problem with the line where it stands. */
export interface Located extends Problem {
  /** Counted from 1. */
  readonly line: number;
}

/** With their lines, in the order of the file. */
export function located(
  problems: readonly Problem[],
  { positions }: { readonly positions: () => Positions },
): Located[] {
  const { lineOf } = positions();
  return problems.map((problem) => ({ ...problem, line: lineOf(problem.path) })).sort((a, b) => a.line - b.line);
}

/** One line a problem: `policy.json:12: rules[1].when (rule postal-code): …`. */
export const listProblems = (file: string, problems: readonly Located[]): string =>
  problems
    .map(({ line, path, rule, message }) => printable(`${file}:${line}: ${place(path, rule)}${message}`))
    .join('\n');

function place(path: string, rule: string): string {
  if (path === '') return '';
  return rule === '' ? `${path}: ` : `${path} (rule ${rule}): `;
}

/** The problems and how many they are. */
export const refusalOf = (file: string, problems: readonly Located[]) =>
  `${listProblems(file, problems)}\n${counted(problems.length, 'problem')} in ${file}.`;

export const warningsOf = (file: string, warnings: readonly Located[]) =>
  `${listProblems(file, warnings)}\n${counted(warnings.length, 'warning')}: allowed, and probably not meant.`;

/** `1 problem`, `2 problems`. */
export const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What Zod says of something read from a file. */
export function issuesIn(error: z.core.$ZodError): Problem[] {
  return error.issues.flatMap((issue) => problemsOf(issue, []));
}

/** A name that is refused stands inside the issue of its record. */
function problemsOf(issue: z.core.$ZodIssue, before: readonly PropertyKey[]): Problem[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'invalid_key') return issue.issues.flatMap((inner) => problemsOf(inner, path));
  const message = `${issue.message.charAt(0).toUpperCase()}${issue.message.slice(1)}.`;
  return [{ rule: '', path: written(path), message }];
}

/** `cases[2].call`. */
const written = (path: readonly PropertyKey[]) =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
