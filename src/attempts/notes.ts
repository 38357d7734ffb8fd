/** Notes of an attempt on rules that failed. Aggregates read the one on unforeseen failures. */

import { nameList } from '../platform/name-list.ts';

/** `why` must not contain values. */
export const failedConditionNote = (rule: string, why: string): string =>
  `the condition of rule ${rule} failed unforeseen: ${why}`;

/** A failure that the rule's `onError` covers, or one of a `set`. `why` must not contain values. */
export const failedPartNote = (rule: string, part: 'condition' | 'set', why: string): string =>
  `the ${part} of rule ${rule} failed: ${why}`;

/** A Postgres regular expression that extracts the rule from the note. */
export const FAILED_CONDITION_RULE = '^the condition of rule (.+?) failed unforeseen: ';

export const leftOutNote = (names: readonly string[]): string =>
  `claims left out of the reply, which is limited to 32 KiB: ${nameList(names)}`;

/** Marks an attempt that lacks a text, such as an objectId. Replay reads it: do not change it. */
export const TOKEN_LEFT_OUT = 'not stored: a text with a JSON Web Token';

/** The gate does not read a record that it may not use, so it does not know whether there is one. */
export const EMAIL_NOT_TRUSTED = 'email not trusted: a record of this address, if there is one, was not used';

/** Marks an attempt whose rules may have seen other identities than it stores. Replay reads it: do not change it. */
export const IDENTITIES_DROPPED = 'identities dropped (unreadable, or more than ten)';

/** Marks an attempt of an erased person. Replay reads it in stored attempts: do not change it. */
export const ERASED = 'the person was erased: what identifies them is not stored any more';
