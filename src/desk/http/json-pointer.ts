/**
 * JSON Pointers (RFC 6901) to members of a request's body, as URI fragments: the form that problem details show (RFC
 * 9457, section 3).
 */

/** `['rules', 2, 'when']` is `#/rules/2/when`; the whole body is `#`. */
export const pointerTo = (path: readonly PropertyKey[]): string =>
  `#${path.map((name) => `/${encodeURIComponent(String(name).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')}`;

/** The names in a path as it is written for people: `rules[2].set.extension_Roles`. `''` is the whole. */
export const namesIn = (path: string): readonly string[] => path.split(/[.[\]]+/).filter((name) => name !== '');
