/** The entries of the reports in the API description. A new report route needs one here (`http/operation.ts`). */
import type { Operations } from '../http/operation.ts';
import { attemptListAnswer, attemptOrListAnswer, personAnswer } from './attempt-answer.ts';
import { callersAnswer } from './callers-answer.ts';
import {
  attemptParam,
  attemptsFileQuestion,
  attemptsQuestion,
  callersQuestion,
  personPageQuestion,
  personParam,
  personQuestion,
  summaryFileQuestion,
  summaryQuestion,
} from './questions.ts';
import { summaryAnswer } from './summary-answer.ts';

export const reportOperations = {
  'GET /reports/summary': {
    id: 'readSummary',
    summary: 'Counts attempts over a period, by hour or day and by what they have in common.',
    description:
      'Covers at most 31 days by hour or 400 days by day, and begins and ends at whole hours or days. Without ' +
      'parameters, the last known figures are returned while the database does not answer (`stale`).',
    query: summaryQuestion,
    answer: summaryAnswer,
    refusals: ['database-unavailable'],
  },
  'GET /reports/summary.csv': {
    id: 'downloadSummary',
    summary: 'The series of a summary as a file for spreadsheets.',
    query: summaryFileQuestion,
    answer: 'text/csv',
    refusals: ['database-unavailable'],
  },
  'GET /reports/callers': {
    id: 'readCallers',
    summary: 'Credentials of connectors: when each was used and refused, by day.',
    description: 'Covers the last 30 days, or other whole days, at most 400.',
    query: callersQuestion,
    answer: callersAnswer,
    refusals: ['database-unavailable'],
  },
  'GET /reports/attempts': {
    id: 'listAttempts',
    summary: 'Lists attempts, newest first.',
    description:
      'Covers the last 7 days, or everything that is kept for a person, an address or a code. To keep an e-mail ' +
      'address out of URLs, use `POST /reports/attempts/search`.',
    query: attemptsQuestion,
    answer: attemptListAnswer,
    refusals: ['database-unavailable'],
  },
  'POST /reports/attempts/search': {
    id: 'searchAttempts',
    summary: 'Lists attempts, newest first, with the filters in the body.',
    json: attemptsQuestion,
    example: { email: 'jane@example.com', from: '-24h' },
    answer: attemptListAnswer,
    refusals: ['database-unavailable'],
  },
  'GET /reports/attempts.csv': {
    id: 'downloadAttempts',
    summary:
      'A list of attempts as a file for spreadsheets, at most 100,000. The last line of a truncated file says so.',
    query: attemptsFileQuestion,
    answer: 'text/csv',
    refusals: ['database-unavailable'],
  },
  'GET /reports/attempts/:attempt': {
    id: 'readAttempt',
    summary: 'One attempt by its id; for a support code, the list of attempts that have it.',
    param: attemptParam,
    answer: attemptOrListAnswer,
    refusals: ['no-such-attempt', 'database-unavailable'],
  },
  'POST /reports/people/search': {
    id: 'searchPerson',
    summary: "A person's status and timeline, by a person key or by what the person says.",
    description: 'Give either `key` or `text`. A person without attempts has an empty timeline.',
    json: personQuestion,
    example: { text: 'jane@example.com' },
    answer: personAnswer,
    refusals: ['database-unavailable'],
  },
  'GET /reports/people/:key': {
    id: 'readPerson',
    summary: "A person's status and timeline, by a person key.",
    description: 'To keep an e-mail address out of URLs, use `POST /reports/people/search`.',
    param: personParam,
    query: personPageQuestion,
    answer: personAnswer,
    refusals: ['database-unavailable'],
  },
} as const satisfies Operations;
