/** Values of expressions, and their comparison. */

/** A failure. `why` may quote a text that the person typed. It belongs in the trace, never in a log. */
export class Fail {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}
/** A value that replay does not know. Any value that depends on it is unknown as well. */
export class Unknown extends Fail {}
export const UNKNOWN = new Unknown('the value was not stored');

/** A point in time, in nanoseconds since 1970. */
export class Time {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}
/** A duration, in nanoseconds. */
export class Span {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export type Value =
  | string
  | number
  | bigint
  | boolean
  | Time
  | Span
  | Fail
  | readonly Value[]
  | ReadonlyMap<string, Value>;

export type ValueKind = 'string' | 'double' | 'int' | 'bool' | 'list' | 'map' | 'timestamp' | 'duration' | 'fail';

/** CEL's name for the type of a value. */
export function kindOf(value: Value): ValueKind {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return 'double';
    case 'bigint':
      return 'int';
    case 'boolean':
      return 'bool';
    default:
      if (Array.isArray(value)) return 'list';
      if (value instanceof Map) return 'map';
      if (value instanceof Time) return 'timestamp';
      return value instanceof Span ? 'duration' : 'fail';
  }
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isMap = (value: Value): value is ReadonlyMap<string, Value> => value instanceof Map;

/** An int and a double are equal when their exact values are. Values of other different types are never equal. */
export function equal(a: Value, b: Value): boolean {
  if (typeof a === 'bigint' && typeof b === 'number') return isExactly(a, b);
  if (typeof a === 'number' && typeof b === 'bigint') return isExactly(b, a);
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((entry, at) => equal(entry, b[at] ?? UNKNOWN));
  if (isMap(a)) {
    return isMap(b) && a.size === b.size && [...a].every(([key, value]) => equal(value, b.get(key) ?? UNKNOWN));
  }
  if (a instanceof Time) return b instanceof Time && a.ns === b.ns;
  return a instanceof Span && b instanceof Span && a.ns === b.ns;
}

const isExactly = (int: bigint, double: number) => Number.isInteger(double) && int === BigInt(double);

/**
 * In the order of doubles between an int and a double, as CEL's conformance tests have it ("lossy"). Negative, 0 or
 * positive; NaN for an unordered double; undefined when the types have no order.
 */
export function compare(a: Value, b: Value): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return order(a, b);
  if (isNumber(a) && isNumber(b)) return order(Number(a), Number(b));
  if (typeof a === 'boolean' && typeof b === 'boolean') return order(a, b);
  if ((a instanceof Time && b instanceof Time) || (a instanceof Span && b instanceof Span)) return order(a.ns, b.ns);
  return undefined;
}

const order = <T extends bigint | number | boolean>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN);
const isNumber = (value: Value) => typeof value === 'number' || typeof value === 'bigint';

/** Compares by code points, whereas `<` compares by UTF-16 units. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates encode the highest code points. */
const rank = (unit: number) => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);
