/** Lists whose length a caller chose: the first items, and the number of the others. */

/** A longer list hides the rest of an answer. */
const MAX_NAMED = 20;
const MAX_NAME_CHARS = 100;

/** The first 20 items, and if there are others, what `rest` makes of their number. */
export function firstItems<Item>(items: readonly Item[], rest: (more: number) => Item): readonly Item[] {
  const more = items.length - MAX_NAMED;
  return more > 0 ? [...items.slice(0, MAX_NAMED), rest(more)] : items;
}

/** The first 20 names, each truncated to 100 characters, and the number of the others. */
export function nameList(names: readonly string[]): string {
  const shown = names
    .slice(0, MAX_NAMED)
    .map((name) => (name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS)}…` : name).toWellFormed());
  return `${shown.join(', ')}${names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''}`;
}
