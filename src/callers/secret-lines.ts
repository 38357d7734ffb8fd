/** Settings with one `name:secret` per line, and their comparison in constant time. */
import type { NamedSecret } from './credential.ts';

const encoder = new TextEncoder();

/** Guessing a random secret of 20 characters takes longer than anyone has. */
const MIN_SECRET_CHARS = 20;
/** A second pair in the secret: the pairs were separated by something else than a new line. */
const SECOND_PAIR = /(?:\\[nr]|[;,|\s])\s*[\w.-]+:./;

export interface SecretLines {
  readonly secrets: readonly NamedSecret[];
  /** Numbers of lines that are unusable, or have stray quotes or spaces. Never their text. */
  readonly faulty: readonly number[];
  /** Numbers of usable lines whose secret is short. */
  readonly weak: readonly number[];
  /** Numbers of usable lines that look like several pairs. */
  readonly joined: readonly number[];
}

/**
 * Reads the lines. Two of them allow rotation without downtime. Each line is split at the first colon (for Basic: RFC
 * 7617, section 2). A line without name or secret is unusable.
 */
export function readSecretLines(text: string): SecretLines {
  const secrets: NamedSecret[] = [];
  const [faulty, weak, joined]: [number[], number[], number[]] = [[], [], []];
  linesOf(text).forEach((line, index) => {
    if (line.trim() === '') return;
    const colon = line.indexOf(':');
    const usable = colon > 0 && colon < line.length - 1 && !line.includes('\0');
    if (!usable || line !== line.trim() || /^(["']).*\1$/.test(line)) faulty.push(index + 1);
    if (!usable) return;
    const secret = line.slice(colon + 1);
    secrets.push({ name: line.slice(0, colon), secret: encoder.encode(secret), line: encoder.encode(line) });
    if (SECOND_PAIR.test(secret)) joined.push(index + 1);
    else if (secret.length < MIN_SECRET_CHARS) weak.push(index + 1);
  });
  return { secrets, faulty, weak, joined };
}

export const linesOf = (text: string): string[] => text.split(/\r\n|\r|\n/);

/** Compares with every secret, each in constant time. Undefined when none is equal. */
export function secretEqualTo(presented: string, secrets: readonly NamedSecret[]): NamedSecret | undefined {
  const bytes = encoder.encode(presented);
  let equal: NamedSecret | undefined;
  for (const one of secrets) if (isEqual(bytes, one.secret)) equal = one;
  return equal;
}

/** `timingSafeEqual` throws when lengths differ. Comparing `expected` with itself takes the same time. */
export function isEqual(presented: Uint8Array, expected: Uint8Array): boolean {
  const sameLength = presented.byteLength === expected.byteLength;
  return crypto.subtle.timingSafeEqual(sameLength ? presented : expected, expected) && sameLength;
}
