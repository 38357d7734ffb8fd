/** Numbers the attempts of an isolate, so that a missing number is a lost attempt (desk/reports/completeness.ts). */
import { v7 as uuidv7 } from 'uuid';
import type { Attempt } from './attempt.ts';

export type AttemptNumber = Pick<Attempt, 'isolate' | 'sequence'>;

/** A UUIDv7, so that a reader knows since when the isolate has numbered attempts. */
let isolate: string | undefined;
let sequence = 0;

/** Of a probe, which is no attempt. */
export const UNNUMBERED: AttemptNumber = { isolate: null, sequence: 0 };

/** The next number of this isolate, at `now` (milliseconds since 1970). A Worker has no random values before a call. */
export function nextNumber(now: number): AttemptNumber {
  isolate ??= uuidv7({ msecs: now });
  sequence += 1;
  return { isolate, sequence };
}
