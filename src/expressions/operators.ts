/** Binary operators. */
import { MAX_ENTRIES } from './limits.ts';
import { inRange } from './numbers.ts';
import { concat } from './text.ts';
import { spanAt, timeAt } from './times.ts';
import type { Binary } from './tree.ts';
import { compare, equal, Fail, isList, isMap, Span, Time, type Value } from './values.ts';

export const unfit = (what: string) => new Fail(`${what} does not accept operands of these types`);

type Operator = (a: Value, b: Value) => Value;

const arithmetic =
  (
    sign: string,
    ofInts: (a: bigint, b: bigint) => bigint | Fail,
    ofDoubles?: (a: number, b: number) => number,
  ): Operator =>
  (a, b) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return ofInts(a, b);
    if (ofDoubles !== undefined && typeof a === 'number' && typeof b === 'number') return ofDoubles(a, b);
    return unfit(sign);
  };

const addNumbers = arithmetic(
  '+',
  (a, b) => inRange(a + b),
  (a, b) => a + b,
);
const subtractNumbers = arithmetic(
  '-',
  (a, b) => inRange(a - b),
  (a, b) => a - b,
);
/** Omits the key, which may be a text that the person typed. */
const NO_KEY = new Fail('the key is absent');
const OUT_OF_RANGE = new Fail('the position is out of range');
const BY_ZERO = new Fail('division by 0');

function add(a: Value, b: Value): Value {
  if (typeof a === 'string' && typeof b === 'string') return concat(a, b);
  if (isList(a) && isList(b)) {
    if (a.length + b.length > MAX_ENTRIES) return new Fail(`the list would have more than ${MAX_ENTRIES} entries`);
    return [...a, ...b];
  }
  if (a instanceof Span && b instanceof Span) return spanAt(a.ns + b.ns);
  if ((a instanceof Time && b instanceof Span) || (a instanceof Span && b instanceof Time)) return timeAt(a.ns + b.ns);
  return addNumbers(a, b);
}

function subtract(a: Value, b: Value): Value {
  if (a instanceof Time && b instanceof Span) return timeAt(a.ns - b.ns);
  if ((a instanceof Time && b instanceof Time) || (a instanceof Span && b instanceof Span)) return spanAt(a.ns - b.ns);
  return subtractNumbers(a, b);
}

const ordered =
  (sign: string, accepts: (order: number) => boolean): Operator =>
  (a, b) => {
    const order = compare(a, b);
    return order === undefined ? unfit(sign) : accepts(order);
  };

function isIn(value: Value, all: Value): Value {
  if (isList(all)) return all.some((entry) => equal(value, entry));
  return isMap(all) ? typeof value === 'string' && all.has(value) : unfit('in');
}

function entry(all: Value, at: Value): Value {
  if (isMap(all)) return (typeof at === 'string' ? all.get(at) : undefined) ?? NO_KEY;
  if (!isList(all) || (typeof at !== 'bigint' && !Number.isInteger(at))) return unfit('[]');
  return all[Number(at)] ?? OUT_OF_RANGE;
}

export const OPERATORS: Readonly<Record<Binary, Operator>> = {
  '+': add,
  '-': subtract,
  '*': arithmetic(
    '*',
    (a, b) => inRange(a * b),
    (a, b) => a * b,
  ),
  '/': arithmetic(
    '/',
    (a, b) => (b === 0n ? BY_ZERO : inRange(a / b)),
    (a, b) => a / b,
  ),
  '%': arithmetic('%', (a, b) => (b === 0n ? BY_ZERO : a % b)),
  '==': equal,
  '!=': (a, b) => !equal(a, b),
  '<': ordered('<', (order) => order < 0),
  '<=': ordered('<=', (order) => order <= 0),
  '>': ordered('>', (order) => order > 0),
  '>=': ordered('>=', (order) => order >= 0),
  in: isIn,
  '[]': entry,
};
