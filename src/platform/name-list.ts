/** Names that a caller chose, in a sentence. */

/** A longer list hides the rest of an answer. */
export const MAX_NAMED = 20;
const MAX_NAME_CHARS = 100;

/** The first 20 names, each truncated to 100 characters, and the number of the others. */
export function nameList(names: readonly string[]): string {
  const shown = names
    .slice(0, MAX_NAMED)
    .map((name) => (name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS).toWellFormed()}…` : name));
  return `${shown.join(', ')}${names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''}`;
}
