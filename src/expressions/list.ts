/**
 * A list of the policy as one text: entries sorted by UTF-16 unit, without duplicates, each between newlines. An
 * isolate loads 100,000 entries without parsing them or building a Map (57 to 100 ms), and finds one in 2 µs.
 */

/** The text of a list; undefined when an entry contains a newline. */
export function listText(entries: Iterable<string>): string | undefined {
  const sorted = [...new Set(entries)].sort();
  if (sorted.some((entry) => entry.includes('\n'))) return undefined;
  return `\n${sorted.map((entry) => `${entry}\n`).join('')}`;
}

/** The inverse of {@link listText}. */
export const listEntries = (list: string): string[] => list.slice(1).split('\n').slice(0, -1);

/** Whether a text is an entry: a binary search without an array. Never throws, whatever `list` contains. */
export function listHas(list: string, text: string): boolean {
  // `low` and `high` are newlines with whole entries between them.
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const before = list.lastIndexOf('\n', (low + high) >> 1);
    const after = list.indexOf('\n', before + 1);
    if (before === -1 || after === -1) return false;
    const entry = list.slice(before + 1, after);
    if (entry === text) return true;
    if (entry < text) low = after;
    else high = before;
  }
  return false;
}
