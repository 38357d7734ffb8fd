/** Conversions of what is written out, as `timestamp('2026-01-31T00:00:00Z')`: done once beforehand, so that a slip shows at once. */
import { isReflectMessage } from '@bufbuild/protobuf/reflect';
import { Failure, planned } from './environment.ts';
import { openScope } from './scope.ts';
import { constantOf, type Node, shown } from './tree.ts';

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

/** Undefined for other calls. */
export function constantResult(node: Node, name: string, args: readonly Node[]) {
  if (!CONVERSIONS.has(name) || !args.every((arg) => constantOf(arg) !== undefined)) return undefined;
  const value = planned({ $typeName: 'cel.expr.ParsedExpr', expr: node }, new Map())(NOBODY);
  return value instanceof Failure
    ? { problem: `${shown(node)} always fails: ${value.why}.`, magnitude: 0 }
    : { problem: undefined, magnitude: magnitudeOf(value) };
}

function magnitudeOf(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Math.abs(Number(value));
  const { seconds } = (isReflectMessage(value) ? value.message : {}) as { seconds?: bigint };
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.abs(Number(seconds)) + 1;
}
