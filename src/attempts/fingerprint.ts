/**
 * By a fingerprint the two calls are found that B2C made of one: it calls again when it got no reply. It covers what an attempt
 * keeps and nothing else, so a person who has the row cannot guess from it what was not kept, such as a code or a birth date.
 */
import { hmac } from '../platform/digest.ts';

/** Two 32-bit numbers that only this Gatehouse knows. */
export type Seed = readonly [number, number];

/** Seeds by secret: values, never promises. One or two secrets live at a time. */
const seeds = new Map<string, Seed>();
const PURPOSE = new TextEncoder().encode('fingerprint');

/** Derived once an isolate from `SUPPORT_CODE_KEY`. Rejects when the runtime cannot sign. */
export function seedOf(secret: string): Seed | Promise<Seed> {
  return seeds.get(secret) ?? derive(secret);
}

async function derive(secret: string): Promise<Seed> {
  const words = new DataView((await hmac(secret, PURPOSE)).buffer);
  const seed: Seed = [words.getUint32(0), words.getUint32(4)];
  seeds.set(secret, seed);
  return seed;
}

/** 64 bits as 16 hex digits: equal for equal parts in the same order. */
export function fingerprintOf(seed: Seed, parts: readonly string[]): string {
  let [a, b] = seed;
  for (const part of parts) {
    for (let index = 0; index < part.length; index += 1) {
      const unit = part.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      b = Math.imul(b ^ unit, 0x85ebca77);
      a ^= a >>> 15;
    }
    // Keeps the parts apart, whatever they hold.
    a = Math.imul(a ^ part.length, 0xc2b2ae3d);
    b = Math.imul(b ^ part.length ^ (a >>> 16), 0x27d4eb2f);
  }
  return hexOf(mixed(a, b)) + hexOf(mixed(b, a));
}

/** The finalizer of MurmurHash3, so that every bit of the input changes about half of the output. */
function mixed(word: number, other: number): number {
  let mix = word ^ Math.imul(other ^ (other >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return mix ^ (mix >>> 16);
}

const hexOf = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
