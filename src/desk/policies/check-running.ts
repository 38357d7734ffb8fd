/** Runs the expressions of a policy on samples: finds those that can fail, and steps that take too long. */

import { Shared } from '../../expressions/evaluate.ts';
import { MAX_COMPILE_WORK, MAX_WORK } from '../../expressions/limits.ts';
import { compileWork } from '../../expressions/patterns.ts';
import { subtrees, type Tree } from '../../expressions/tree.ts';
import { worstCaseWork } from '../../expressions/work.ts';
import type { CheckedRule } from './check-rules.ts';
import type { CompiledExpression } from './compile-expression.ts';
import type { Problem } from './policy-problem.ts';
import { type ExpressionFault, problemSentence } from './problem-sentences.ts';
import type { ResultForm } from './rule-place.ts';
import { tryExpression } from './trial-runs.ts';

/**
 * Units of work for all samples of a document: at most 3 s of CPU, since a unit takes at most 120 ns. Expressions share
 * them; the units that one does not spend go to the next ones.
 */
export const SAMPLE_WORK = 25_000_000;
/** Units for one expression: the limit of a call. */
const MOST_SAMPLE_WORK = MAX_WORK;
/** Length of the longest texts in real calls. Such calls must never reach the work limit. */
const HONEST_TEXT = 256;

interface Part {
  readonly rule: CheckedRule;
  readonly member: string;
  readonly expression: CompiledExpression;
  readonly form: ResultForm;
}

export function checkRunning(rules: readonly CheckedRule[], sampleWork = SAMPLE_WORK): Problem[] {
  const shared = new Shared();
  const parts = rules.flatMap(partsOf);
  const problems: Problem[] = [];
  let left = sampleWork;
  for (const [at, { rule, member, expression, form }] of parts.entries()) {
    const { document, path } = rule;
    const mustNotFail = form === 'condition' && document.set === undefined && document.onError === undefined;
    const work = Math.min(MOST_SAMPLE_WORK, Math.max(0, left) / (parts.length - at));
    const trial = tryExpression(expression, form, { find: mustNotFail ? 'failure' : 'success', work, shared });
    left -= trial.spent;
    const { when = '', why = '', guard } = trial.witness ?? {};
    const fault: ExpressionFault | undefined =
      trial.fails === 'always'
        ? ['fails-in-samples', why]
        : mustNotFail && trial.fails === 'sometimes'
          ? ['can-fail', when, guard === undefined ? why : '', guard]
          : undefined;
    if (fault !== undefined)
      problems.push({ rule: document.id, path: `${path}.${member}`, message: problemSentence(fault) });
  }
  return [...problems, ...workProblems(parts, shared), ...patternProblems(parts)];
}

const partsOf = (rule: CheckedRule): Part[] =>
  [
    ...(rule.when === undefined ? [] : [['when', rule.when] as const]),
    ...rule.set.map(([claim, value]) => [`set.${claim}`, value] as const),
  ].flatMap(([member, expression]) => expression.forms.map((form) => ({ rule, member, expression, form })));

/** A problem when a gate would take too long to compile the patterns. Equal patterns are compiled once. */
function patternProblems(parts: readonly Part[]): Problem[] {
  const counted = new Set<string>();
  const work = new Map<string, number>();
  for (const { rule, expression } of parts) {
    for (const pattern of patternsIn(expression.tree)) {
      if (counted.has(pattern)) continue;
      counted.add(pattern);
      work.set(rule.document.id, (work.get(rule.document.id) ?? 0) + compileWork(pattern));
    }
  }
  if (sumOf(work) <= MAX_COMPILE_WORK) return [];
  return [{ rule: '', path: 'rules', message: problemSentence(['patterns-too-large', dearestIn(work)]) }];
}

const patternsIn = (tree: Tree): string[] =>
  typeof tree !== 'object'
    ? []
    : [...(tree[0] === 'matches' ? [String(tree[2])] : []), ...subtrees(tree).flatMap(patternsIn)];

const sumOf = (work: ReadonlyMap<string, number>) => [...work.values()].reduce((sum, units) => sum + units, 0);

/** The three rules with most work. */
const dearestIn = (work: ReadonlyMap<string, number>) =>
  [...work]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([id]) => id)
    .join(', ');

/** One problem for each step whose expressions can together exceed the work limit of a call. */
function workProblems(parts: readonly Part[], shared: Shared): Problem[] {
  const steps = new Set(parts.flatMap(({ rule }) => rule.document.steps));
  return [...steps].flatMap((step) => {
    // A part that several rules share is evaluated once.
    const counted = new Set<string>();
    const work = new Map<string, number>();
    const here = new Map(
      parts.flatMap(({ rule, expression }) =>
        rule.document.steps.includes(step) ? [[expression, rule.document.id]] : [],
      ),
    );
    for (const [expression, id] of here) {
      work.set(id, (work.get(id) ?? 0) + worstCaseWork(expression.tree, HONEST_TEXT, shared, counted));
    }
    if (sumOf(work) <= MAX_WORK) return [];
    return [{ rule: '', path: 'rules', message: problemSentence(['too-much-work', step, dearestIn(work)]) }];
  });
}
