/** The schema of the report on completeness. */
import * as z from 'zod/mini';
import { describing } from '../http/operation.ts';
import { instant, said, whole } from '../http/problem-answer.ts';
import type { CompletenessReport } from './completeness.ts';

const counts = {
  stored: said('Attempts in the log.', whole),
  unnumbered: said('Those of them without a number: a loss among them cannot be seen.', whole),
  gaps: said('Lost attempts: their numbers are missing.', whole),
  unsure: said('Missing numbers that may still arrive.', whole),
  refused: said('Calls of connectors that were refused before there was an attempt.', whole),
  deadLetters: said('Messages that the database refused; null when KV did not answer.', z.nullable(whole)),
};

export const completenessAnswer = describing<CompletenessReport>()(
  z.object({
    from: said('Whole hours (UTC). `from` is included.', instant),
    to: said('Not included.', instant),
    asOf: said('Time of reading.', instant),
    status: z.enum(['complete', 'incomplete', 'unsettled', 'unknown']),
    verdict: said('A sentence to read out.', z.string()),
    totals: z.object(counts),
    hours: said('Every hour, oldest first.', z.array(z.object({ start: instant, ...counts }))),
    waiting: said(
      'Messages in the two queues at the time of reading; null when the queue did not say.',
      z.object({
        messages: z.nullable(whole),
        longer: said('Messages that could not be delivered within a day.', z.nullable(whole)),
        oldest: said('When the oldest of all was sent.', z.nullable(instant)),
      }),
    ),
    summedUntil: said(
      'Summaries count the hours before this from the aggregates; null when none is aggregated.',
      z.nullable(instant),
    ),
    cannotSee: said('Losses that no number shows.', z.string()),
    coverage: z.array(z.string()),
  }),
);

export const completenessComponents = { Completeness: completenessAnswer };
