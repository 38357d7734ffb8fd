/** Notes of an attempt on rules that failed. Aggregates read the one on unforeseen failures. */

/** `why` must not contain values. */
export const failedConditionNote = (rule: string, why: string): string =>
  `the condition of rule ${rule} failed unforeseen: ${why}`;

/** A failure that the rule's `onError` covers, or one of a `set`. `why` must not contain values. */
export const failedPartNote = (rule: string, part: 'condition' | 'set', why: string): string =>
  `the ${part} of rule ${rule} failed: ${why}`;

/** A Postgres regular expression that extracts the rule from the note. */
export const FAILED_CONDITION_RULE = '^the condition of rule (.+?) failed unforeseen: ';
