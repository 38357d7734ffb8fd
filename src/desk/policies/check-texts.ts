/**
 * Finds texts that Postgres cannot read in JSON: with NUL or half a character. One anywhere in a saved document, names
 * of members included, would fail every report that reads a part of it.
 */
import { firstItems } from '../../platform/name-list.ts';
import type { PolicyDocument } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';

export function checkTexts(document: PolicyDocument): readonly Problem[] {
  const problems = pathsIn(document, '').map((path) => {
    const [, rule = ''] = /^rules\[(\d+)\]/.exec(path) ?? [];
    return { rule: document.rules[Number(rule || -1)]?.id ?? '', path, message: UNREADABLE };
  });
  return firstItems(problems, (more) => ({
    rule: '',
    path: '',
    message: `${more} more such texts. Correct them too.`,
  }));
}

const UNREADABLE = 'It contains NUL or half a character. Delete it.';

const isReadable = (text: string) => text.isWellFormed() && !text.includes('\0');

/** Paths such as `rules[2].set.givenName`. The shape of a document limits its depth. */
function pathsIn(value: unknown, path: string): string[] {
  if (typeof value === 'string') return isReadable(value) ? [] : [path];
  if (Array.isArray(value)) return value.flatMap((entry: unknown, at) => pathsIn(entry, `${path}[${at}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    const within = `${path === '' ? '' : `${path}.`}${name.toWellFormed()}`;
    return isReadable(name) ? pathsIn(member, within) : [within];
  });
}
