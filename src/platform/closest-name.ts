/** Suggestions for mistyped names. */

/** The closest name within two edits and a third of the length, ignoring case. Undefined when there is none. */
export function closest(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestSlips = Math.min(2, Math.floor(name.length / 3));
  for (const candidate of names) {
    const slips = distance(wanted, candidate.toLowerCase(), bestSlips);
    if (slips < bestSlips || (slips === bestSlips && best === undefined)) [best, bestSlips] = [candidate, slips];
  }
  return best;
}

export const didYouMean = (name: string, names: Iterable<string>): string => {
  const suggestion = closest(name, names);
  return suggestion === undefined ? '' : ` Did you mean ${suggestion}?`;
};

/** The edit distance (optimal string alignment). Above `most`, any greater number. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(last, j) + 1,
          at(row, j - 1) + 1,
          at(last, j - 1) + (same ? 0 : 1),
          swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, last] = [last, row];
  }
  return at(last, b.length);
}

const at = (row: readonly number[], index: number) => row[index] ?? Number.POSITIVE_INFINITY;
