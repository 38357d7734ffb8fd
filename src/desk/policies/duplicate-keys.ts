/** Members that stand twice in a JSON object: parsers keep the last without a word, and with it might go a whole block-list. */
import type { Problem } from './policy-problem.ts';

const MAX_FOUND = 20;
/** Of a text that is JSON: its strings, and what opens, closes and parts objects. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/** What stands twice in `text`, which must be JSON. */
export const duplicateKeys = (text: string): Problem[] => namesTwice(text).map(twice);

/** The names that stand twice; each with the line of the second one, counted from 1. */
export function namesTwice(text: string): { readonly name: string; readonly line: number }[] {
  const found: { name: string; line: number }[] = [];
  /** The members of each object that is open; undefined is a list. */
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
  message: `"${name}" stands twice in one object (again in line ${line}): only the last would count. Keep one.`,
});
