/**
 * The version that an administrator saw before changing it: If-Match and If-None-Match (RFC 9110, section 13.1). The
 * entity tag of a version is its number. Pure.
 */

/** `first`: no version may exist. `numbers`: the current version must be one of these entity tags. */
export type Precondition =
  | { readonly kind: 'first' }
  | { readonly kind: 'numbers'; readonly numbers: readonly string[] }
  /** Absent, or one that could overwrite a version that the caller did not see. */
  | { readonly kind: 'missing' };

/** The entity tag of a version. */
export const etagOf = (number: number) => `"${number}"`;

/** Accepts `"7"`, the form of proxies `W/"7"`, the typed form `7`, and lists of these. */
export function readPrecondition(headers: Pick<Headers, 'get'>): Precondition {
  const match = headers.get('If-Match')?.trim();
  const noneMatch = headers.get('If-None-Match')?.trim();
  if (match !== undefined && noneMatch !== undefined) return { kind: 'missing' };
  if (noneMatch === '*') return { kind: 'first' };
  if (match === undefined || match === '' || match === '*') return { kind: 'missing' };
  return { kind: 'numbers', numbers: match.split(',').map((tag) => /^\s*(?:W\/)?"?(.*?)"?\s*$/.exec(tag)?.[1] ?? '') };
}

/** Whether the caller saw the version `number` (undefined: none exists). False for a missing precondition. */
export function holds(precondition: Precondition, number: number | undefined): boolean {
  if (precondition.kind === 'first') return number === undefined;
  return precondition.kind === 'numbers' && number !== undefined && precondition.numbers.includes(String(number));
}
