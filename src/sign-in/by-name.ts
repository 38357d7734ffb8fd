/** Memoises functions of names. A tenant sends the same few names in every call. */

/** Far more than a tenant has. */
const MAX_KNOWN = 1_000;
/** Longer names are not cached: callers choose them, and they would fill the memory. */
const MAX_KNOWN_CHARS = 100;

/** Caches the results of `derive` for the life of the isolate. `derive` must be pure. */
export function byName<Value extends string | boolean>(derive: (name: string) => Value): (name: string) => Value {
  const known = new Map<string, Value>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const value = derive(name);
    if (known.size < MAX_KNOWN && name.length <= MAX_KNOWN_CHARS) known.set(name, value);
    return value;
  };
}
