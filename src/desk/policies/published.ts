/** What Workers KV holds of a version: everything that a gate of this format, or of the one before, reads. */
import { listKey, planKey, planRefusedKey } from '../../policy/plan.ts';
import { versionKey } from '../../policy/pointer.ts';
import { compileText } from './check.ts';
import { compilePlan } from './compile-plan.ts';

/** A value of Workers KV. */
export interface PublishedValue {
  readonly key: string;
  readonly text: string;
  /** Undefined: for good. */
  readonly expiresAfterSeconds?: number;
}

/** Two ticks of the schedule: a refusal that still holds is written again. */
const REFUSAL_LIVES_SECONDS = 600;

/**
 * The values of a version, to be written in this order, so that a plan is there after its lists. A version that an earlier
 * release saved may not compile by the rules of this one: then there is no plan, and a value says why.
 */
export async function publishedValues(number: number, text: string): Promise<readonly PublishedValue[]> {
  // Format 0: the Worker before plans reads the document itself.
  const document = { key: versionKey(number), text };
  const compiled = compileText(text);
  if (!compiled.ok) {
    const [first] = compiled.problems;
    const why = first === undefined ? '' : `${first.path}: ${first.message}`;
    return [document, { key: planRefusedKey(number), text: why, expiresAfterSeconds: REFUSAL_LIVES_SECONDS }];
  }
  const plan = await compilePlan(compiled.policy, text);
  const lists = [...plan.lists].map(([name, list]) => ({ key: listKey(number, name), text: list }));
  return [document, ...lists, { key: planKey(number), text: plan.text }];
}
