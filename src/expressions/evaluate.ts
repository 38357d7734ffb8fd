/** Evaluates trees. Loading a plan turns each tree into a closure. A failure is a value; evaluation never throws. */
import { overloadsOf } from './functions.ts';
import { listHas } from './list.ts';
import { inRange } from './numbers.ts';
import { OPERATORS, unfit } from './operators.ts';
import { compilePattern, type Pattern, type PatternRefusal } from './patterns.ts';
import type { Scope } from './scope.ts';
import { domainAndParents, domainOf } from './text.ts';
import { timeOfMilliseconds } from './times.ts';
import {
  type Binary,
  type IdentityMember,
  isMacro,
  type Macro,
  type Owner,
  type RequestMember,
  readsEntry,
  subtrees,
  type Tree,
} from './tree.ts';
import { Fail, isList, kindOf, Unknown, type Value } from './values.ts';
import {
  argumentWeight,
  callWork,
  domainInWork,
  entryWork,
  lookUpWork,
  matchWork,
  operatorWork,
  treeWork,
  weightOf,
} from './work.ts';

/** `it` is the current entry of the enclosing macro. */
export type Evaluate = (scope: Scope, it?: Value) => Value;

/** Shared by the trees of a plan: compiles each pattern once, evaluates equal sub-expressions once per call. */
export class Shared {
  readonly #patterns = new Map<string, Pattern | PatternRefusal>();
  readonly calls = new Map<string, { slot: number | undefined }>();
  slots = 0;

  patternOf(source: string): Pattern | PatternRefusal {
    const known = this.#patterns.get(source) ?? compilePattern(source);
    this.#patterns.set(source, known);
    return known;
  }
}

const TOO_LONG = new Fail('all rules together take too long');
const NOT_BOOL = new Fail('an operand is neither true nor false');

/** False when the units exceed the remaining work. The scope then has no work left. */
function spend(scope: Scope, units: number): boolean {
  scope.work = scope.work < units ? -1 : scope.work - units;
  return scope.work >= 0;
}

/** Requires a tree that `isTree` accepts. */
export function runOf(tree: Tree, shared: Shared): Evaluate {
  const run = closure(tree, shared);
  const work = treeWork(tree);
  return (scope, it = false) => (spend(scope, work) ? run(scope, it) : TOO_LONG);
}

type Closure = (scope: Scope, it: Value) => Value;

function closure(tree: Tree, shared: Shared): Closure {
  if (typeof tree === 'string' || typeof tree === 'boolean' || typeof tree === 'number') return () => tree;
  const [operator, ...parts] = tree;
  const [name = '', second = ''] = parts as string[];
  const runs = subtrees(tree).map((part) => closure(part, shared));
  switch (operator) {
    case '#': {
      const whole = BigInt(name);
      return () => whole;
    }
    case 'it':
      return (_, it) => it;
    case 'claims':
    case 'attributes':
    case 'person': {
      const absent = new Fail(`${operator === 'person' ? 'person.id' : name} is absent`);
      return (scope) => scope.member(operator, name) ?? absent;
    }
    case 'has':
      return (scope) => {
        const value = scope.member(name as Owner, second);
        return value instanceof Unknown ? value : value !== undefined;
      };
    case 'identity':
      return (scope) => scope.identity(name as IdentityMember);
    case 'request':
      return (scope) => scope.request(name as RequestMember);
    case 'roles':
    case 'groups':
    case 'identities':
      return (scope) => scope[operator];
    case 'time':
      return ({ now }) => timeOfMilliseconds(now);
    case 'list':
      return listOf(parts, runs);
    case 'map': {
      const keys = (parts as unknown as readonly [string, Tree][]).map(([key]) => key);
      return (scope, it) => {
        const map = new Map(runs.map((run, at) => [keys[at] ?? '', run(scope, it)] as const));
        return [...map.values()].find((value) => value instanceof Fail) ?? map;
      };
    }
    case 'listed':
      return memoised(tree, shared, listed(runs[0] as Closure, second));
    case 'domainIn':
      return memoised(tree, shared, domainIn(runs[0] as Closure, second));
    case 'matches':
      return memoised(tree, shared, matches(runs[0] as Closure, shared.patternOf(second)));
    case '&&':
    case '||':
      return logic(runs, operator === '||');
    case '!':
      return strict(runs, ([value]) => (typeof value === 'boolean' ? !value : unfit('!')));
    case 'negative':
      return strict(runs, ([value]) => {
        if (typeof value === 'bigint') return inRange(-value);
        return typeof value === 'number' ? -value : unfit('-');
      });
    case '?': {
      const [condition, then, otherwise] = runs as [Closure, Closure, Closure];
      return (scope, it) => {
        const value = condition(scope, it);
        if (typeof value === 'boolean') return value ? then(scope, it) : otherwise(scope, it);
        return value instanceof Fail ? value : NOT_BOOL;
      };
    }
  }
  if (isMacro(operator)) return macro(operator, runs, entryWork(subtrees(tree).slice(1)));
  if (Object.hasOwn(OPERATORS, operator)) return binary(operator as Binary, runs);
  return memoised(tree, shared, called(operator, runs));
}

/** Builds a list of literals once. */
function listOf(parts: readonly Tree[], runs: readonly Closure[]): Closure {
  const literals = parts.filter((part) => typeof part !== 'object');
  if (literals.length === parts.length) return () => literals;
  return (scope, it) => {
    const list = runs.map((run) => run(scope, it));
    return list.find((entry) => entry instanceof Fail) ?? list;
  };
}

/** Evaluates all operands first. The first failure is the result. */
const strict =
  (runs: readonly Closure[], run: (args: readonly Value[], scope: Scope) => Value): Closure =>
  (scope, it) => {
    const values: Value[] = [];
    for (const each of runs) {
      const value = each(scope, it);
      if (value instanceof Fail) return value;
      values.push(value);
    }
    return run(values, scope);
  };

/** The fast path of `strict`, without arrays: rules use mostly binary operators. */
function binary(operator: Binary, runs: readonly Closure[]): Closure {
  const run = OPERATORS[operator];
  const [left, right] = runs as [Closure, Closure];
  return (scope, it) => {
    const a = left(scope, it);
    if (a instanceof Fail) return a;
    const b = right(scope, it);
    if (b instanceof Fail) return b;
    const most = scope.work * 8;
    const weight = weightOf(a, most) + weightOf(b, most);
    return spend(scope, operatorWork(weight)) ? run(a, b) : TOO_LONG;
  };
}

function listed(value: Closure, name: string): Closure {
  const absent = new Fail(`the list ${name} is absent`);
  return strict([value], ([text = false], scope) => {
    const list = scope.lists.get(name);
    if (list === undefined) return absent;
    if (typeof text !== 'string') return false;
    return spend(scope, lookUpWork(text.length)) ? listHas(list, text) : TOO_LONG;
  });
}

function domainIn(value: Closure, name: string): Closure {
  const absent = new Fail(`the list ${name} is absent`);
  return strict([value], ([text], scope) => {
    const list = scope.lists.get(name);
    if (list === undefined) return absent;
    if (typeof text !== 'string') return unfit('domainIn');
    if (!spend(scope, domainInWork(text.length))) return TOO_LONG;
    for (const domain of domainAndParents(domainOf(text))) if (listHas(list, domain)) return true;
    return false;
  });
}

function matches(value: Closure, pattern: Pattern | PatternRefusal): Closure {
  if ('code' in pattern) throw new Error(`The plan contains an invalid pattern: ${pattern.code}.`);
  return strict([value], ([text], scope) => {
    if (typeof text !== 'string') return unfit('matches');
    return spend(scope, matchWork(pattern.size, text.length)) ? pattern.test(text) : TOO_LONG;
  });
}

/**
 * CEL's `&&` and `||`: an operand that decides wins over a failure, in any order. An unknown operand wins over a
 * failure, since its value could decide.
 */
function logic(sides: readonly Closure[], decides: boolean): Closure {
  return (scope, it) => {
    let result: Value = !decides;
    for (const side of sides) {
      const value = side(scope, it);
      if (value === decides) return decides;
      if (value !== !decides) result = worse(result, value);
    }
    return result;
  };
}

/** Keeps the first failure, or the first unknown value if there is one. */
function worse(before: Value, value: Value): Value {
  if (before instanceof Unknown || (before instanceof Fail && !(value instanceof Unknown))) return before;
  return value instanceof Fail ? value : NOT_BOOL;
}

function macro(name: Macro, [list, test, then]: readonly Closure[], work: number): Closure {
  const each = name === 'collect' && then === undefined ? undefined : (test as Closure);
  const made = name === 'collect' ? (then ?? (test as Closure)) : undefined;
  return strict([list as Closure], ([entries = false], scope) => {
    if (!isList(entries)) return unfit(name === 'collect' ? 'map' : name);
    const selected: Value[] = [];
    let result: Value = name !== 'exists';
    for (const entry of entries) {
      if (!spend(scope, work)) return TOO_LONG;
      const passes = each === undefined ? true : each(scope, entry);
      if (name === 'exists' || name === 'all') {
        if (passes === (name === 'exists')) return passes;
        if (typeof passes !== 'boolean') result = worse(result, passes);
        continue;
      }
      if (typeof passes !== 'boolean') return passes instanceof Fail ? passes : NOT_BOOL;
      if (!passes) continue;
      const value = made === undefined ? entry : made(scope, entry);
      if (value instanceof Fail) return value;
      selected.push(value);
    }
    if (name === 'exists' || name === 'all') return result;
    return name === 'exists_one' ? selected.length === 1 : selected;
  });
}

function called(key: string, runs: readonly Closure[]): Closure {
  const overloads = overloadsOf(`${key}/${runs.length}`);
  if (overloads.length === 0) throw new Error(`The plan uses an unknown function: ${key}.`);
  const none = unfit(key.replace('.', ''));
  const args: readonly Closure[] = key === 'age' ? [...runs, ({ now }) => timeOfMilliseconds(now)] : runs;
  return strict(args, (values, scope) => {
    const overload = overloads.find(({ takes }) => takes.every((kind, at) => kind === kindOf(values[at] ?? false)));
    if (overload === undefined) return none;
    const weights = values.map((value) => argumentWeight(overload.name, value, scope.work));
    return spend(scope, callWork(overload.name, weights)) ? overload.run(...values) : TOO_LONG;
  });
}

/** Caches the value of a sub-expression that occurs more than once in a plan. */
function memoised(tree: Tree, shared: Shared, run: Closure): Closure {
  if (readsEntry(tree)) return run;
  const key = JSON.stringify(tree);
  const known = shared.calls.get(key);
  const call = known ?? { slot: undefined };
  if (known === undefined) shared.calls.set(key, call);
  else known.slot ??= shared.slots++;
  return (scope, it) => {
    const { slot } = call;
    if (slot === undefined) return run(scope, it);
    scope.memo[slot] ??= run(scope, it);
    return scope.memo[slot];
  };
}
