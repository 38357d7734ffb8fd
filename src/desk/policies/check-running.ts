/** What the rules of a policy would do when they run: whether their expressions can fail, and how long a call could take. */

import { Shared } from '../../expressions/evaluate.ts';
import { MAX_WORK } from '../../expressions/limits.ts';
import type { Purpose } from '../../expressions/results.ts';
import { worstCaseWork } from '../../expressions/work.ts';
import { STEPS } from '../../sign-in/steps.ts';
import type { CheckedRule } from './check-rules.ts';
import type { CompiledExpression } from './compile-expression.ts';
import type { Problem } from './policy-problem.ts';
import { type ExpressionFault, problemSentence } from './problem-sentences.ts';
import { tryExpression } from './trial-runs.ts';

/**
 * Units of work for all samples of a document: a unit takes at most 120 ns, so they take at most 3 s of CPU. They are shared out
 * among the expressions, and what one leaves over is for the others.
 */
export const SAMPLE_WORK = 25_000_000;
/** Units for one expression: what a call may spend. */
const MOST_SAMPLE_WORK = MAX_WORK;
/** Characters of the longest texts in honest calls, which must never meet the limit at which expressions fail. */
const HONEST_TEXT = 256;

interface Part {
  readonly rule: CheckedRule;
  readonly member: string;
  readonly expression: CompiledExpression;
  readonly purpose: Purpose;
}

export function checkRunning(rules: readonly CheckedRule[], sampleWork = SAMPLE_WORK): Problem[] {
  const shared = new Shared();
  const parts = rules.flatMap(partsOf);
  const problems: Problem[] = [];
  let left = sampleWork;
  for (const [at, { rule, member, expression, purpose }] of parts.entries()) {
    const { document, path } = rule;
    const mustNotFail = purpose === 'condition' && document.set === undefined && document.onError === undefined;
    const work = Math.min(MOST_SAMPLE_WORK, Math.max(0, left) / (parts.length - at));
    const trial = tryExpression(expression, purpose, { find: mustNotFail ? 'failure' : 'success', work, shared });
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
  return [...problems, ...workProblems(parts, shared)];
}

const partsOf = (rule: CheckedRule): Part[] => [
  ...(rule.when === undefined ? [] : [{ rule, member: 'when', expression: rule.when, purpose: 'condition' as const }]),
  ...rule.set.map(([claim, expression]) => ({ rule, member: `set.${claim}`, expression, purpose: 'value' as const })),
];

/** For each step at which all expressions together could spend more than a call may. */
function workProblems(parts: readonly Part[], shared: Shared): Problem[] {
  return STEPS.flatMap((step) => {
    // What several rules ask alike is evaluated once.
    const counted = new Set<string>();
    const work = new Map<string, number>();
    for (const { rule, expression } of parts) {
      const { id, steps } = rule.document;
      if (!steps.includes(step)) continue;
      work.set(id, (work.get(id) ?? 0) + worstCaseWork(expression.tree, HONEST_TEXT, shared, counted));
    }
    if ([...work.values()].reduce((sum, units) => sum + units, 0) <= MAX_WORK) return [];
    const dearest = [...work]
      .sort(([, a], [, b]) => b - a)
      .slice(0, 3)
      .map(([id]) => id);
    return [{ rule: '', path: 'rules', message: problemSentence(['too-much-work', step, dearest.join(', ')]) }];
  });
}
