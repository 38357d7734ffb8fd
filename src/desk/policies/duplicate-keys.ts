/** Finds duplicate keys in JSON. Parsers silently keep the last one, which can drop a whole block list. */
import type { Problem } from './policy-problem.ts';

/** The tokens that matter: strings, brackets, colons and line breaks. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:\n]/g;

/** The duplicate keys in `text`, which must be JSON. */
export const duplicateKeys = (text: string): Problem[] => namesTwice(text).map(twice);

/** Each duplicate key with the line of its repetition, counted from 1. */
export function namesTwice(text: string): { readonly name: string; readonly line: number }[] {
  const found: { name: string; line: number }[] = [];
  /** The keys of each open object; undefined for an open list. */
  const open: (Set<string> | undefined)[] = [];
  let last: { readonly text: string; readonly line: number } | undefined;
  let line = 1;
  for (const token of text.matchAll(TOKEN)) {
    const [sign] = token;
    if (sign === '\n') {
      line += 1;
      continue;
    }
    if (sign === '{') open.push(new Set());
    else if (sign === '[') open.push(undefined);
    else if (sign === '}' || sign === ']') open.pop();
    else if (sign === ':' && last !== undefined) {
      const name = String(JSON.parse(last.text));
      const members = open.at(-1);
      if (members?.has(name)) found.push({ name, line: last.line });
      members?.add(name);
    }
    last = { text: sign, line };
  }
  return found;
}

export const twice = ({ name, line }: { readonly name: string; readonly line: number }): Problem => ({
  rule: '',
  path: '',
  message: `An object has the key "${name}" twice (again in line ${line}), and only the last one counts. Keep one.`,
});
