/** Measures each side once a round in random order, so that other load on the machine affects all sides equally. */

export interface Side<Value> {
  readonly measure: () => Promise<Value>;
  /** The measured values by round. */
  readonly values: Value[];
}

/** Calls `tell` after every round. */
export async function inTurns<Value>(sides: readonly Side<Value>[], rounds: number, tell: (round: number) => void) {
  for (let round = 1; round <= rounds; round += 1) {
    for (const { measure, values } of shuffled(sides)) values.push(await measure());
    tell(round);
  }
}

/** Fisher-Yates. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(Math.floor(Math.random() * rest.length), 1));
}

const byRound = (join: (one: number, other: number) => number) => (of: readonly number[], to: readonly number[]) =>
  of.map((value, round) => join(value, to[round] ?? Number.NaN));

/** Each compares the values of the same round. */
export const ratios = byRound((one, other) => one / other);
export const pairedDifferences = byRound((one, other) => one - other);
export const means = byRound((one, other) => (one + other) / 2);

export interface Spread {
  readonly median: number;
  /** The first and third quartile. */
  readonly quartiles: readonly [number, number];
}

/** Throws when `values` is empty. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.75)] };
}

/** Interpolates between two values; `share` is from 0 to 1. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (below === undefined || above === undefined) throw new Error('Nothing was measured.');
  return below + (above - below) * (at - Math.floor(at));
}
