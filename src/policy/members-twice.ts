/** Members that stand twice in a JSON object: parsers keep the last without a word, and with it might go a whole block-list. */
import type { Problem } from './problem.ts';

const MAX_FOUND = 20;
/** Of a text that is JSON: its strings, and what opens, closes and parts objects. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/** What stands twice in `text`, which must be JSON; each with the line of the second one. */
export function membersTwice(text: string): Problem[] {
  const found: Problem[] = [];
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
      if (members?.has(name) && found.length < MAX_FOUND) found.push(twice(name, text.slice(0, last.index)));
      members?.add(name);
    }
    last = token;
  }
  return found;
}

const twice = (name: string, before: string): Problem => ({
  rule: '',
  path: '',
  message: `"${name}" stands twice in one object (again in line ${before.split('\n').length}): only the last would count. Keep one.`,
});
