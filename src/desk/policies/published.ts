/** The values of a version in Workers KV, for gates of this plan format and of the previous one. */
import { listKey, planKey, planRefusedKey } from '../../policy/plan.ts';
import { versionKey } from '../../policy/pointer.ts';
import { compileText } from './check.ts';
import { compilePlan } from './compile-plan.ts';

/** A value of Workers KV. */
export interface PublishedValue {
  readonly key: string;
  readonly text: string;
  /** Undefined: never. */
  readonly expiresAfterSeconds?: number;
}

/** Two ticks of the cron, which renews a refusal while it applies. */
const REFUSAL_TTL_SECONDS = 600;

/**
 * Returns the values of a version in the order of writing: lists before the plan that reads them. A version from an
 * earlier release may no longer compile. Then a value with the reason takes the place of the plan.
 */
export async function publishedValues(number: number, text: string): Promise<readonly PublishedValue[]> {
  // Format 0: releases before plans read the document itself.
  const document = { key: versionKey(number), text };
  const compiled = compileText(text);
  if (!compiled.ok) {
    const [first] = compiled.problems;
    const why = first === undefined ? '' : `${first.path}: ${first.message}`;
    return [document, { key: planRefusedKey(number), text: why, expiresAfterSeconds: REFUSAL_TTL_SECONDS }];
  }
  const plan = await compilePlan(compiled.policy, text);
  const lists = [...plan.lists].map(([name, list]) => ({ key: listKey(number, name), text: list }));
  return [document, ...lists, { key: planKey(number), text: plan.text }];
}
