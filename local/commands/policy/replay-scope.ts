/**
 * Expressions on a call of which not everything is known: what is not known fails when it is read. CEL's && and || look at both
 * sides, and one that decides stands whatever becomes of the other; so what comes out all the same comes out for sure. It is
 * as sure when nothing was read that is not known. Everything else is unknown.
 */
import { celError, celMap } from '@bufbuild/cel';
import type { Result } from '../../../src/policy/policy.ts';
import type { Draft, DraftExpression } from './replay-draft.ts';
import type { Gap, KnownCall } from './replay-known.ts';

/** A result that is sure, or what would have to be known for one. */
export type Knowledge =
  | { readonly result: Result; readonly gaps: readonly [] }
  | { readonly result: undefined; readonly gaps: readonly Gap[] };

const UNKNOWN = celError('nobody knows this now');

/** Evaluates the expressions of a draft's rules on one call. */
export function evaluator({ policy, claims: byStep }: Draft, call: KnownCall) {
  const claims = byStep[call.step];
  const scope = policy.open(call.event, call.entitlements, call.now);
  const read = new Set<Gap>();
  const fail = (gap: Gap) => {
    read.add(gap);
    return UNKNOWN;
  };
  const claimGaps = new Map(claims.flatMap((name) => call.claimGap(name) ?? []).map((gap) => [gap.path, gap]));
  // The library looks for a whole path before it looks for the variable and its member.
  for (const gap of [...claimGaps.values(), ...call.gaps]) {
    Object.defineProperty(scope, gap.path, { get: () => fail(gap) });
  }
  const names = new ClaimNames(claims, call.had, (name) => {
    const gap = claimGaps.get(`claims.${name}`);
    throw gap === undefined ? UNKNOWN : fail(gap);
  });
  Object.defineProperty(scope, 'claims', { value: celMap(names) });

  return ({ expression, values }: DraftExpression): Knowledge => {
    read.clear();
    const result = expression.run(scope);
    if (result.ok || read.size === 0) return { result, gaps: [] };
    const wanted = values.flatMap((name) => claimGaps.get(`claims.${name}`) ?? []);
    return { result: undefined, gaps: [...new Set([...wanted, ...read])] };
  };
}

/** For `has(claims.x)` and `'x' in claims`, which ask for names. */
class ClaimNames extends Map<string, true> {
  readonly #unknown: ReadonlySet<string>;
  readonly #fail: (name: string) => never;

  constructor(claims: readonly string[], had: KnownCall['had'], fail: (name: string) => never) {
    super(claims.filter((name) => had(name) === true).map((name) => [name, true]));
    this.#unknown = new Set(claims.filter((name) => had(name) === undefined));
    this.#fail = fail;
  }

  override get(name: string): true | undefined {
    return this.#unknown.has(name) ? this.#fail(name) : super.get(name);
  }
}
