/** The note of an attempt that sums read too. */

/** `why` quotes no value. */
export const failedConditionNote = (rule: string, why: string): string =>
  `the condition of rule ${rule} failed unforeseen: ${why}`;

/** Takes the rule out of such a note: a regular expression of Postgres. */
export const FAILED_CONDITION_RULE = '^the condition of rule (.+?) failed unforeseen: ';
