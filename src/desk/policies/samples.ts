/** Whether an expression can fail is asked by running it on sample calls. */
import { runOf, Shared } from '../../expressions/evaluate.ts';
import { openScope, type ScopeInputs } from '../../expressions/scope.ts';
import type { Tree } from '../../expressions/tree.ts';
import { Fail } from '../../expressions/values.ts';

const NO_CALL: ScopeInputs = {
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
};

/** Why a tree that reads nothing of a call fails; undefined: it does not. */
export function constantFailure(tree: Tree): string | undefined {
  const value = runOf(tree, new Shared())(openScope(NO_CALL));
  return value instanceof Fail ? value.why : undefined;
}
