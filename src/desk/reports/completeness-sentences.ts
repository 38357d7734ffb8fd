/** Whether the log is complete, in words that staff can read out. */
import { MINUTE_MS } from '../../platform/duration.ts';
import type { CompletenessCounts, CompletenessReport, CompletenessStatus, HourCounts } from './completeness.ts';

/**
 * A message that could not be written is retried after at most 15 minutes (consume/consume.ts). So a younger gap may
 * still be filled.
 */
export const SETTLED_AFTER_MS = 20 * MINUTE_MS;

export interface CompletenessFound {
  readonly counts: CompletenessCounts;
  readonly totals: HourCounts;
  readonly hours: CompletenessReport['hours'];
  /** Those of the unsure numbers that never become certain. */
  readonly hidden: number;
  /** Messages that have waited for longer than usual and may belong to the range. */
  readonly late: number;
}

export const VERDICTS: Readonly<Record<CompletenessStatus, (found: CompletenessFound) => string>> = {
  complete: ({ counts, totals }) =>
    totals.stored === 0
      ? `Complete, as far as can be known: no attempt is stored, and none is known to be missing.${doubts(counts, totals)}`
      : `Complete, as far as can be known: ${number(totals.stored, 'attempt is', 'attempts are')} stored, and no number is missing.${doubts(counts, totals)}`,
  incomplete: ({ totals: { gaps, unsure, deadLetters }, hours, hidden }) => {
    const parts = [
      ...(gaps > 0 ? [`${number(gaps, 'attempt is', 'attempts are')} lost (${hoursWith(hours, 'gaps')})`] : []),
      ...(deadLetters !== null && deadLetters > 0
        ? [
            `${number(deadLetters, 'message is a dead letter', 'messages are dead letters')} (${hoursWith(hours, 'deadLetters')}), which an administrator can read and write again`,
          ]
        : []),
      ...(unsure > hidden ? [`${unsure - hidden} more may still arrive`] : []),
      ...(hidden > 0 ? [hiddenInWords(hidden)] : []),
    ];
    return `Incomplete: ${parts.join('; ')}.`;
  },
  unsettled: ({ totals: { unsure }, late, hidden }) =>
    late > 0
      ? `Not known yet: ${number(late, 'message waits', 'messages wait')} to be written, and may be of this time. Ask again when none waits.`
      : `Not known yet: ${number(unsure - hidden, 'attempt is', 'attempts are')} missing and may still arrive. Ask again in ${SETTLED_AFTER_MS / MINUTE_MS} minutes.`,
  unknown: ({ counts: { range, keptSince }, hidden }) =>
    range === undefined
      ? `Unknown: the attempts before ${minute(keptSince)} UTC are deleted. Choose a later time.`
      : hidden > 0
        ? `Unknown: ${hiddenInWords(hidden)}.`
        : 'Unknown: an earlier version of Gatehouse wrote these attempts, without numbers. Losses among them cannot be seen.',
};

const hiddenInWords = (hidden: number) =>
  `${number(hidden, 'number is', 'numbers are')} missing where an earlier version of Gatehouse stored attempts without numbers, which may be the same`;

/** What could be missing after all, as sentences. */
function doubts({ waiting, letters }: CompletenessCounts, { unnumbered }: HourCounts): string {
  const sentences = [
    ...(unnumbered > 0 ? [`${number(unnumbered, 'attempt has', 'attempts have')} no number to compare.`] : []),
    ...(waiting.first === undefined || waiting.second === undefined
      ? ['The queue did not say whether messages wait.']
      : []),
    ...(letters.known === 'all' ? [] : ['Whether there are dead letters is unknown.']),
  ];
  return sentences.map((sentence) => ` ${sentence}`).join('');
}

const MAX_NAMED = 3;

/** `hour from 2026-11-21 08:00 UTC`, or several. */
function hoursWith(hours: CompletenessReport['hours'], name: 'gaps' | 'deadLetters'): string {
  const starts = hours.filter((hour) => (hour[name] ?? 0) > 0).map(({ start }) => minute(new Date(start)));
  const more = starts.length - MAX_NAMED;
  const named = starts.slice(0, MAX_NAMED).join(', ');
  return `${starts.length === 1 ? 'hour' : 'hours'} from ${named}${more > 0 ? ` and ${more} more` : ''} UTC`;
}

const minute = (instant: Date) => instant.toISOString().slice(0, 16).replace('T', ' ');
const number = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

export const CANNOT_SEE =
  'A lost attempt is seen when a later attempt of the same isolate is stored. So the last calls of an isolate that died cannot be seen, and an isolate of which nothing is stored cannot either. Calls before this version have no numbers. A call that did not reach Gatehouse, at a misspelled address or while it was away, leaves no trace here.';

export function completenessCoverage(
  { asked, range, keptSince, undecided, waiting, letters }: CompletenessCounts,
  { stored, unnumbered }: HourCounts,
): string[] {
  const sentences = [
    'Each isolate of the gate numbers its attempts from 1. "gaps" are missing numbers, in the hour of the next attempt of the isolate that is stored: at the border of an hour, the lost call may have been in the hour before.',
    `A missing number is "unsure" and no gap while it may be on its way: for ${SETTLED_AFTER_MS / MINUTE_MS} minutes, and as long as older messages wait in the queue.`,
    '"deadLetters" are messages that the database refused, in the hour of their call or change. They are no gaps until they are removed. "waiting" counts all messages, not only attempts.',
    '"refused" are calls of connectors that were refused before there was an attempt. The last ones of a burst are written with the next one after it, under their own time.',
  ];
  if (range !== undefined && range.from > asked.from)
    sentences.push(`Attempts before ${minute(keptSince)} UTC are deleted: these hours are left out.`);
  if (unnumbered > 0 && unnumbered < stored)
    sentences.push(
      `${number(unnumbered, 'attempt has', 'attempts have')} no number: an earlier version wrote them, and losses among them cannot be seen.`,
    );
  if (undecided > 0)
    sentences.push(
      `For ${number(undecided, 'isolate', 'isolates')}, the attempt before its first one in the range is more than a day older or deleted: whether one is missing between them is unknown.`,
    );
  if (waiting.first === undefined || waiting.second === undefined)
    sentences.push(
      'The queue did not say how many messages wait (null in "waiting"). A gap may be one of them: ask again later.',
    );
  if (letters.known === 'none')
    sentences.push('Workers KV did not answer, so "deadLetters" is null. A gap may be a dead letter: ask again later.');
  if (letters.known === 'some')
    sentences.push('There are too many dead letters to read all of them. A gap may be one of the others.');
  return sentences;
}
