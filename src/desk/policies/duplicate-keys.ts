/** Finds duplicate keys in JSON. Parsers silently keep the last one, which can drop a whole block list. */
import type { Problem } from './policy-problem.ts';

const MAX_FOUND = 20;
/** The tokens that matter: strings, brackets and colons. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/** The duplicate keys in `text`, which must be JSON. */
export const duplicateKeys = (text: string): Problem[] => namesTwice(text).map(twice);

/** Each duplicate key with the line of its repetition, counted from 1. */
export function namesTwice(text: string): { readonly name: string; readonly line: number }[] {
  const found: { name: string; line: number }[] = [];
  /** The keys of each open object; undefined for an open list. */
  const open: (Set<string> | undefined)[] = [];
  let last: RegExpExecArray | undefined;
  for (const token of text.matchAll(TOKEN)) {
    const [sign] = token;
    if (sign === '{') open.push(new Set());
    else if (sign === '[') open.push(undefined);
    else if (sign === '}' || sign === ']') open.pop();
    else if (sign === ':' && last !== undefined) {
      const name = String(JSON.parse(last[0]));
      const members = open.at(-1);
      if (members?.has(name) && found.length < MAX_FOUND)
        found.push({ name, line: text.slice(0, last.index).split('\n').length });
      members?.add(name);
    }
    last = token;
  }
  return found;
}

export const twice = ({ name, line }: { readonly name: string; readonly line: number }): Problem => ({
  rule: '',
  path: '',
  message: `An object has the key "${name}" twice (again in line ${line}), and only the last one counts. Keep one.`,
});
