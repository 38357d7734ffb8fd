/** Chance that can be repeated: the same label throws the same dice. */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

export type Dice = ReturnType<typeof diceFor>;

/** Dice of their own for whatever the label names, such as a seed, a person and a day: nothing thrown elsewhere moves them. */
export function diceFor(...label: readonly (string | number)[]) {
  const digest = createHash('sha256').update(JSON.stringify(label)).digest();
  // All 128 bits of state: from a 32-bit seed two people of a hundred thousand would be the same one.
  const source = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  const float = () => uniformFloat64(source);
  /** A whole number, both ends included. */
  const int = (from: number, to: number) => uniformInt(source, from, to);
  return {
    int,
    /** True in `probability` (0 to 1) of all throws. */
    chance: (probability: number) => float() < probability,
    pick: <Item>(items: readonly Item[]) => itemAt(items, int(0, items.length - 1)),
    /** Picks by weight, one for each item; weights need not add up to anything. */
    weighted<const Item>(items: readonly Item[], weights: readonly number[]): Item {
      let left = float() * weights.reduce((sum, weight) => sum + weight, 0);
      const index = weights.findIndex((weight) => {
        left -= weight;
        return left < 0;
      });
      return itemAt(items, index);
    },
    /** From the standard normal distribution, by Box and Muller; 1 - float() is never 0, whose logarithm is none. */
    normal: () => Math.sqrt(-2 * Math.log(1 - float())) * Math.cos(2 * Math.PI * float()),
    /** How many independent events happen when `mean` of them are to be expected; Knuth's way, for small means. */
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
