/**
 * Which version an administrator had before their eyes when they changed it: If-Match and If-None-Match (RFC 9110, section
 * 13.1), over the number of a version as its entity tag. Pure.
 */

/** `first`: there must be none yet. `numbers`: the version that counts must be among these (entity tags of ours or not). */
export type Precondition =
  | { readonly kind: 'first' }
  | { readonly kind: 'numbers'; readonly numbers: readonly string[] }
  /** None was given, or one that would let a change go in over a version that nobody looked at. */
  | { readonly kind: 'missing' };

/** The entity tag of a version. */
export const etagOf = (number: number) => `"${number}"`;

/** Takes `"7"`, what a proxy makes of it (`W/"7"`), and what people type (`7`); several, separated by commas. */
export function readPrecondition(headers: Pick<Headers, 'get'>): Precondition {
  const match = headers.get('If-Match')?.trim();
  const noneMatch = headers.get('If-None-Match')?.trim();
  if (match !== undefined && noneMatch !== undefined) return { kind: 'missing' };
  if (noneMatch === '*') return { kind: 'first' };
  if (match === undefined || match === '' || match === '*') return { kind: 'missing' };
  return { kind: 'numbers', numbers: match.split(',').map((tag) => /^\s*(?:W\/)?"?(.*?)"?\s*$/.exec(tag)?.[1] ?? '') };
}

/** Whether `number` (undefined: there is none) is the version that was known. A missing precondition never holds. */
export function holds(precondition: Precondition, number: number | undefined): boolean {
  if (precondition.kind === 'first') return number === undefined;
  return precondition.kind === 'numbers' && number !== undefined && precondition.numbers.includes(String(number));
}
