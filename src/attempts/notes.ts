/** The note of an attempt that aggregates also read. */

import { nameList } from '../platform/name-list.ts';

/** `why` must not contain values. */
export const failedConditionNote = (rule: string, why: string): string =>
  `the condition of rule ${rule} failed unforeseen: ${why}`;

/** A Postgres regular expression that extracts the rule from the note. */
export const FAILED_CONDITION_RULE = '^the condition of rule (.+?) failed unforeseen: ';

export const leftOutNote = (names: readonly string[]): string =>
  `claims left out of the reply, which is limited to 32 KiB: ${nameList(names)}`;

/** Marks an attempt whose rules may have seen other identities than it stores. Replay reads it: do not change it. */
export const IDENTITIES_DROPPED = 'identities dropped (unreadable, or more than ten)';
