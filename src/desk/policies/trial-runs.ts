/** Runs an expression on sample calls to find out whether it can fail. The verdict is deterministic. */
import { runOf, Shared } from '../../expressions/evaluate.ts';
import { MAX_WORK } from '../../expressions/limits.ts';
import { resultOf } from '../../expressions/results.ts';
import { openScope } from '../../expressions/scope.ts';
import type { Tree } from '../../expressions/tree.ts';
import { Fail } from '../../expressions/values.ts';
import { outputOf } from '../../policy/exchange-output.ts';
import type { ExpressionResult } from '../../policy/policy.ts';
import type { CompiledExpression } from './compile-expression.ts';
import type { ResultForm } from './rule-place.ts';
import {
  type Sample,
  type SampleCall,
  type SampledInput,
  sampleCalls,
  sampledInputs,
  scopeInputsOf,
} from './sample-values.ts';

/** A call in which an expression fails. */
export interface Witness {
  /** Such as `claims.email is absent`; empty when the expression fails for every call. */
  readonly when: string;
  /** Such as `has(claims.email)`. Undefined unless an absent value causes the failure. */
  readonly guard: string | undefined;
  readonly why: string;
}

export interface TrialRuns {
  /** In no sample, in some, or in all, among those that ran within the work limit. */
  readonly fails: 'never' | 'sometimes' | 'always';
  /** The first failure, if `find` is `failure` or all samples fail. */
  readonly witness: Witness | undefined;
  /** Units of work. */
  readonly spent: number;
}

/** Units of work for one sample call, and for each value in it. */
const CALL_WORK = 20;
const VALUE_WORK = 5;

/**
 * Runs samples until one succeeds (`find: 'success'`) or until one succeeds and one fails (`find: 'failure'`), for at
 * most `work` units. A sample that exceeds the work limit of a call counts as neither, since no real call does.
 */
export function tryExpression(
  { source, tree, claimTypes }: CompiledExpression,
  form: ResultForm,
  { find, work, shared = new Shared() }: { find: 'success' | 'failure'; work: number; shared?: Shared },
): TrialRuns {
  const inputs = sampledInputs(tree, claimTypes);
  const run = runOf(tree, shared);
  let left = work;
  const resultIn = (call: SampleCall): ExpressionResult | undefined => {
    const most = Math.max(0, Math.min(MAX_WORK, left));
    const scope = openScope(scopeInputsOf(inputs, call), most);
    const value = run(scope);
    const result = typeof form === 'string' ? resultOf(value, form) : outputOf(value, form);
    left -= CALL_WORK + VALUE_WORK * inputs.length + most - Math.max(0, scope.work);
    return scope.work < 0 ? undefined : result;
  };
  let succeeds = false;
  let failing: Failing | undefined;
  for (const call of sampleCalls(inputs, source)) {
    const result = resultIn(call);
    if (result?.ok) succeeds = true;
    else if (result !== undefined) failing ??= { call, why: result.why };
    if ((succeeds && (find === 'success' || failing !== undefined)) || left <= 0) break;
  }
  const isAlways = failing !== undefined && !succeeds && left > 0;
  const fails = isAlways ? 'always' : failing === undefined ? 'never' : 'sometimes';
  if (failing === undefined || (find === 'success' && !isAlways))
    return { fails, witness: undefined, spent: work - left };
  const spent = work - left;
  left = work / 10;
  const witness = witnessOf(inputs, failing, resultIn);
  return { fails, witness, spent: spent + work / 10 - left };
}

interface Failing {
  readonly call: SampleCall;
  readonly why: string;
}

/** Names the values that cause the failure. With usual values for all other inputs, the call still fails. */
function witnessOf(
  inputs: readonly SampledInput[],
  failing: Failing,
  resultIn: (call: SampleCall) => ExpressionResult | undefined,
): Witness {
  let { call, why } = failing;
  for (const [at, { samples }] of [...inputs.entries()].reverse()) {
    const simpler = call.with(at, samples[0]);
    const result = call[at] === samples[0] ? undefined : resultIn(simpler);
    if (result?.ok === false) [call, why] = [simpler, result.why];
  }
  const isUnusual = inputs.map(({ samples }, at) => call[at] !== samples[0]);
  // When usual values fail too, an input matters if another value of it succeeds.
  const matters = isUnusual.includes(true)
    ? isUnusual
    : inputs.map(({ samples }, at) => samples.some((sample) => resultIn(call.with(at, sample))?.ok));
  const named = inputs.flatMap((input, at) => (matters[at] ? [{ input, value: call[at] }] : [])).slice(0, MAX_NAMED);
  const isGuardable = named.length > 0 && named.every(({ value }) => value === undefined);
  return {
    when: named.map(({ input, value }) => `${pathOf(input)} ${described(value)}`).join(' and '),
    guard: isGuardable ? named.map(({ input }) => guardOf(input)).join(' && ') : undefined,
    why,
  };
}

const MAX_NAMED = 3;
const OWNERS = {
  claims: 'claims',
  attributes: 'person.attributes',
  personId: 'person',
  identity: 'identity',
  identities: 'identities',
  request: 'request',
  person: 'person',
  lists: 'lists',
};
const NAME = /^[A-Za-z_]\w*$/;

const pathOf = ({ variable, name }: SampledInput) =>
  NAME.test(name) ? `${OWNERS[variable]}.${name}` : `${OWNERS[variable]}['${name}']`;
const guardOf = (input: SampledInput) =>
  NAME.test(input.name) ? `has(${pathOf(input)})` : `'${input.name}' in ${OWNERS[input.variable]}`;

const SHOWN = 30;

function described(value: Sample): string {
  if (value === undefined) return 'is absent';
  if (typeof value === 'string') return value.length > SHOWN ? `has ${value.length} characters` : `is '${value}'`;
  if (typeof value !== 'object') return `is ${value}`;
  if (value.length > 1) return `has ${value.length} entries`;
  return value.length === 0 ? 'is empty' : `is ['${value[0]}']`;
}

/** The reason why a constant tree fails; undefined when it does not. */
export function constantFailure(tree: Tree): string | undefined {
  const value = runOf(tree, new Shared())(openScope(scopeInputsOf([], [])));
  return value instanceof Fail ? value.why : undefined;
}
