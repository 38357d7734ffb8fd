/** What is derived from names is derived once an isolate: a tenant sends the same few in every call. */

/** Far more than a tenant has. */
const MAX_KNOWN = 1_000;
/** Longer names are derived each time, so that strangers' names fill no memory. */
const MAX_KNOWN_CHARS = 100;

/** `derive`, which must give the same for the same name, with its results remembered. */
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
