/** Chance that can be repeated: the same label throws the same dice. */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

export interface Dice {
  /** A whole number, both ends included. */
  int(from: number, to: number): number;
  /** True in `probability` (0 to 1) of all throws. */
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** Picks by weight; weights need not add up to anything. */
  weighted<Item>(items: readonly (readonly [item: Item, weight: number])[]): Item;
  /** From the standard normal distribution. */
  normal(): number;
  /** How many independent events happen when `mean` of them are to be expected. */
  poisson(mean: number): number;
  bytes(count: number): Uint8Array;
}

/** Dice of their own for whatever the label names, such as a seed, a person and a day: nothing thrown elsewhere moves them. */
export function diceFor(...label: readonly (string | number)[]): Dice {
  const digest = createHash('sha256').update(JSON.stringify(label)).digest();
  // All 128 bits of state: from a 32-bit seed two people of a hundred thousand would be the same one.
  const source = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  const float = () => uniformFloat64(source);
  const int = (from: number, to: number) => uniformInt(source, from, to);
  return {
    int,
    chance: (probability) => float() < probability,
    pick: (items) => itemAt(items, int(0, items.length - 1)),
    weighted(items) {
      let left = float() * items.reduce((sum, [, weight]) => sum + weight, 0);
      const found = items.findIndex(([, weight]) => {
        left -= weight;
        return left < 0;
      });
      return itemAt(items, found)[0];
    },
    // Box and Muller's; 1 - float() is never 0, whose logarithm is none.
    normal: () => Math.sqrt(-2 * Math.log(1 - float())) * Math.cos(2 * Math.PI * float()),
    // Knuth's: fine for the small means that a day of one person has.
    poisson(mean) {
      const end = Math.exp(-mean);
      let events = 0;
      for (let left = float(); left > end; left *= float()) events += 1;
      return events;
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => int(0, 255)),
  };
}

function itemAt<Item>(items: readonly Item[], index: number): Item {
  const item = items.at(index);
  if (item === undefined) throw new RangeError('There is nothing to pick from.');
  return item;
}
