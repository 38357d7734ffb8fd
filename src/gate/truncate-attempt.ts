/** An attempt that fits in a message of the queue. */
import type { Attempt } from '../attempts/attempt.ts';
import { MAX_MESSAGE_BYTES } from '../attempts/text-limits.ts';

/** JSON encodes a control character in six bytes. Half of a message is for the other members. */
const MAX_LIST_CHARS = MAX_MESSAGE_BYTES / 2 / 6;
const NAMES_WHEN_CUT = 20;
/** Marks an attempt without values and with few names. Replay reads it in stored attempts: do not change it. */
export const CUT_TO_FIT = 'names of claims cut and values left out: too much for one message';

/** Drops values and most names of a message over {@link MAX_MESSAGE_BYTES}, and adds a note. */
export function truncateToFit(attempt: Attempt): Attempt {
  const { claimNames, unexpectedClaims, keptClaims, sentClaims, failedRules, quotedClaims, shadowClaims } = attempt;
  const values = [...Object.keys(keptClaims), ...Object.values(keptClaims)];
  const lists = [claimNames, unexpectedClaims, values, sentClaims, failedRules, quotedClaims, shadowClaims];
  const chars = lists.flat().reduce<number>((sum, text) => sum + String(text).length, 0);
  if (chars <= MAX_LIST_CHARS) return attempt;
  return {
    ...attempt,
    claimNames: claimNames.slice(0, NAMES_WHEN_CUT),
    unexpectedClaims: unexpectedClaims.slice(0, NAMES_WHEN_CUT),
    keptClaims: {},
    sentClaims: sentClaims.slice(0, NAMES_WHEN_CUT),
    failedRules: failedRules.slice(0, NAMES_WHEN_CUT),
    quotedClaims: quotedClaims.slice(0, NAMES_WHEN_CUT),
    shadowClaims: shadowClaims.slice(0, NAMES_WHEN_CUT),
    notes: [...attempt.notes, CUT_TO_FIT],
  };
}
