/**
 * A fingerprint identifies a retry: B2C repeats a call that gets no reply. It covers stored data only, so it does not
 * reveal other data, such as a code or a birth date.
 */
import { hmac } from '../platform/digest.ts';

/** Two secret 32-bit numbers. */
export type Seed = readonly [number, number];

/** Seeds by secret, never their promises. One or two secrets exist at a time. */
const seeds = new Map<string, Seed>();
const PURPOSE = new TextEncoder().encode('fingerprint');

/** Derives the seed from `SUPPORT_CODE_KEY` once per isolate. Rejects when the runtime cannot sign. */
export function seedOf(secret: string): Seed | Promise<Seed> {
  return seeds.get(secret) ?? derive(secret);
}

async function derive(secret: string): Promise<Seed> {
  const words = new DataView((await hmac(secret, PURPOSE)).buffer);
  const seed: Seed = [words.getUint32(0), words.getUint32(4)];
  seeds.set(secret, seed);
  return seed;
}

/** 64 bits as 16 hex digits. Equal parts in the same order give the same fingerprint. */
export function fingerprintOf(seed: Seed, parts: readonly string[]): string {
  let [a, b] = seed;
  for (const part of parts) {
    for (let index = 0; index < part.length; index += 1) {
      const unit = part.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      b = Math.imul(b ^ unit, 0x85ebca77);
      a ^= a >>> 15;
    }
    // Separates the parts.
    a = Math.imul(a ^ part.length, 0xc2b2ae3d);
    b = Math.imul(b ^ part.length ^ (a >>> 16), 0x27d4eb2f);
  }
  return hexOf(mixed(a, b)) + hexOf(mixed(b, a));
}

/** The finalizer of MurmurHash3: every input bit changes about half of the output bits. */
function mixed(word: number, other: number): number {
  let mix = word ^ Math.imul(other ^ (other >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return mix ^ (mix >>> 16);
}

const hexOf = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
