/** Values that are written out. */
import { isReflectMessage } from '@bufbuild/protobuf/reflect';
import { Failure, planned } from './environment.ts';
import { DOUBLE, INT, type Kind, kindOf, TEXT, TRUTH, UINT } from './kinds.ts';
import { openScope } from './scope.ts';
import { type Constant, constantOf, type Node, shown } from './tree.ts';

const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

/** The kind of a literal, or a sentence on why it can be none: the parser takes numbers of any size. */
export function constantKind(constant: Constant): Kind | string {
  switch (constant.case) {
    case 'stringValue':
      return kindOf(TEXT, { length: constant.value.length });
    case 'boolValue':
      return TRUTH;
    case 'int64Value':
      if (constant.value > MAX_INT || constant.value < -MAX_INT - 1n) return tooLarge(constant.value, MAX_INT);
      return kindOf(INT, { magnitude: Math.abs(Number(constant.value)) });
    case 'uint64Value':
      if (constant.value > MAX_UINT) return tooLarge(constant.value, MAX_UINT);
      return kindOf(UINT, { magnitude: Number(constant.value) });
    case 'doubleValue':
      if (!Number.isFinite(constant.value)) return 'A number here is too large to be one: write it with fewer digits.';
      return kindOf(DOUBLE, { magnitude: Math.abs(constant.value) });
    case 'nullValue':
      return 'There is no null here: a claim that was not sent is absent. Write !has(claims.x), or has(claims.x).';
    default:
      return "Bytes have no use here: write a text without the b before its quotes, as in 'abc'.";
  }
}

const tooLarge = (value: bigint, most: bigint) =>
  `${value} is too large for a whole number, which goes to ${most}: write it with a point, as in 1e30, or as a text.`;

const CONVERSIONS = new Set(['int', 'uint', 'double', 'bool', 'timestamp', 'duration']);
const NOBODY = openScope({
  claims: {},
  identity: undefined,
  roles: [],
  groups: [],
  attributes: {},
  step: '',
  clientId: '',
  application: '',
  locale: '',
  channel: '',
  now: 0,
  lists: new Map(),
});

/**
 * A conversion of a literal, as `timestamp('2026-01-31T00:00:00Z')`, done beforehand: a slip shows at once, and what went well
 * cannot fail later. Undefined for other calls.
 */
export function constantResult(node: Node, name: string, args: readonly Node[]) {
  if (!CONVERSIONS.has(name) || !args.every((arg) => constantOf(arg) !== undefined)) return undefined;
  const value = planned({ $typeName: 'cel.expr.ParsedExpr', expr: node }, new Map())(NOBODY);
  return value instanceof Failure
    ? { problem: `${shown(node)} always fails: ${value.why}.`, magnitude: 0 }
    : { problem: undefined, magnitude: magnitudeOf(value) };
}

/** Of times and durations: in seconds, rounded up. */
function magnitudeOf(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Math.abs(Number(value));
  const { seconds } = (isReflectMessage(value) ? value.message : {}) as { seconds?: bigint };
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.abs(Number(seconds)) + 1;
}
