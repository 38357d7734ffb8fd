/** Reproducible random numbers: the same label gives the same sequence. */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

export type Dice = ReturnType<typeof diceFor>;

/** An independent sequence for each label, such as a seed, a person and a day. */
export function diceFor(...label: readonly (string | number)[]) {
  const digest = createHash('sha256').update(JSON.stringify(label)).digest();
  // All 128 bits of state: with a 32-bit seed, two of a hundred thousand people would be equal.
  const source = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  const float = () => uniformFloat64(source);
  /** A whole number, both ends inclusive. */
  const int = (from: number, to: number) => uniformInt(source, from, to);
  return {
    int,
    /** True with this probability (0 to 1). */
    chance: (probability: number) => float() < probability,
    pick: <Item>(items: readonly Item[]) => itemAt(items, int(0, items.length - 1)),
    /** Picks by weight. Weights need not add up to 1. */
    weighted<const Item>(items: readonly Item[], weights: readonly number[]): Item {
      let left = float() * weights.reduce((sum, weight) => sum + weight, 0);
      const index = weights.findIndex((weight) => {
        left -= weight;
        return left < 0;
      });
      return itemAt(items, index);
    },
    /** Standard normal distribution (Box-Muller). 1 - float() is never 0. */
    normal: () => Math.sqrt(-2 * Math.log(1 - float())) * Math.cos(2 * Math.PI * float()),
    /** Poisson distribution (Knuth's algorithm, for small means). */
    poisson(mean: number): number {
      const end = Math.exp(-mean);
      let events = 0;
      for (let left = float(); left > end; left *= float()) events += 1;
      return events;
    },
    bytes: (count: number) => Uint8Array.from({ length: count }, () => int(0, 255)),
  };
}

function itemAt<Item>(items: readonly Item[], index: number): Item {
  const item = items.at(index);
  if (item === undefined) throw new RangeError('There is nothing to pick from.');
  return item;
}
