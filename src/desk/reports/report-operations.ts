/** The entries of the reports in the API description. A new report route needs one here (`http/operation.ts`). */
import type { Operations } from '../http/operation.ts';
import { attemptListAnswer, attemptOrListAnswer, personAnswer, probesAnswer } from './attempt-answer.ts';
import { callersAnswer } from './callers-answer.ts';
import { completenessAnswer } from './completeness-answer.ts';
import { differencesQuestion, reportedVersionsPage, ruleParam, rulesQuestion } from './policy/policy-questions.ts';
import {
  reportedDifferencesAnswer,
  reportedVersionsAnswer,
  ruleAnswer,
  rulesAnswer,
} from './policy/reported-policy-answers.ts';
import {
  attemptParam,
  attemptsFileQuestion,
  attemptsQuestion,
  callersQuestion,
  changesOfPerson,
  changesPageQuestion,
  completenessQuestion,
  languageQuestion,
  nothingMore,
  personKeyOrText,
  personPageQuestion,
  personParam,
  personQuestion,
  probesQuestion,
  summaryFileQuestion,
  summaryQuestion,
} from './questions.ts';
import { roleChangesAnswer, rolesAnswer } from './roles/roles-answers.ts';
import { summaryAnswer } from './summary-answer.ts';
import { usersAnswer } from './users-answer.ts';
import { usersFileQuestion, usersQuestion } from './users-question.ts';

const NEON = ['database-unavailable', 'database-not-migrated'] as const;
const POLICY = ['no-policy', 'no-such-version', 'version-without-document', 'version-unreadable', ...NEON] as const;
const ROLES = ['no-person-named', 'database-unavailable', 'kv-timeout', 'kv-failed', 'kv-refused', 'kv-busy'] as const;
const VERSION = {
  version: ['Number of a version; 0 is the built-in policy. Absent: the policy that decides.', '3'],
} as const;

const USERS = { name: ['Beginnings of words of the name.', 'jane'] } as const;

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
    query: languageQuestion,
    answer: attemptOrListAnswer,
    refusals: ['no-such-attempt', 'database-unavailable'],
  },
  'POST /reports/people/search': {
    id: 'searchPerson',
    summary: "A person's status and timeline, by a person key or by what the person says.",
    description: 'Give either `key` or `text`. A person without attempts has an empty timeline.',
    query: languageQuestion,
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
  'GET /reports/completeness': {
    id: 'readCompleteness',
    summary: 'Whether every call that was answered is in the log, hour by hour.',
    query: completenessQuestion,
    answer: completenessAnswer,
    refusals: ['database-unavailable'],
  },
  'GET /reports/probes': {
    id: 'listProbes',
    summary: 'Calls of `npm run connect -- check`, newest first. No report counts them.',
    query: probesQuestion,
    answer: probesAnswer,
    refusals: ['database-unavailable'],
  },
  'GET /reports/rules': {
    id: 'listRules',
    summary: 'What the rules of a policy say, in words.',
    query: rulesQuestion,
    described: VERSION,
    answer: rulesAnswer,
    refusals: POLICY,
  },
  'GET /reports/rules/:id': {
    id: 'readRule',
    summary: 'What one rule says, in words.',
    param: ruleParam,
    query: rulesQuestion,
    described: { ...VERSION, id: ['Id of the rule.', 'no-throwaway-mail'] },
    answer: ruleAnswer,
    refusals: ['no-such-rule', ...POLICY],
  },
  'GET /reports/policy/versions': {
    id: 'listReportedVersions',
    summary: 'The versions of the policy, newest first, and when each decided.',
    query: reportedVersionsPage.query,
    answer: reportedVersionsAnswer,
    refusals: NEON,
  },
  'GET /reports/policy/differences': {
    id: 'readDifferences',
    summary: 'What changed between two versions of the policy.',
    query: differencesQuestion,
    described: {
      from: ['Number of the earlier version. Absent: the one that decided before `to`.', '3'],
      to: ['Number of the later version. Absent: the one in force.', '4'],
    },
    answer: reportedDifferencesAnswer,
    refusals: POLICY,
  },
  'POST /reports/roles/search': {
    id: 'searchRoles',
    summary: 'The roles that a person has now, and why the last token may differ.',
    json: personKeyOrText,
    example: { text: 'jane@example.com' },
    answer: rolesAnswer,
    refusals: ROLES,
  },
  'GET /reports/roles/:key': {
    id: 'readRoles',
    summary: 'The roles that a person has now, and why the last token may differ.',
    param: personParam,
    query: nothingMore,
    answer: rolesAnswer,
    refusals: ROLES,
  },
  'POST /reports/changes/search': {
    id: 'searchRoleChanges',
    summary: "Who changed a person's roles, newest first, without values of attributes.",
    json: changesOfPerson,
    example: { text: 'jane@example.com' },
    answer: roleChangesAnswer,
    refusals: ['no-person-named', 'database-unavailable'],
  },
  'GET /reports/changes/:key': {
    id: 'readRoleChanges',
    summary: "Who changed a person's roles, newest first, without values of attributes.",
    param: personParam,
    query: changesPageQuestion,
    answer: roleChangesAnswer,
    refusals: ['no-person-named', 'database-unavailable'],
  },
  'GET /reports/users': {
    id: 'listUsers',
    summary: 'Lists users, the last seen first.',
    query: usersQuestion,
    described: USERS,
    answer: usersAnswer,
    refusals: ['database-unavailable'],
  },
  'POST /reports/users/search': {
    id: 'searchUsers',
    summary: 'Lists users, the last seen first, with the filters in the body.',
    json: usersQuestion,
    described: USERS,
    example: { name: 'jane' },
    answer: usersAnswer,
    refusals: ['database-unavailable'],
  },
  'GET /reports/users.csv': {
    id: 'downloadUsers',
    summary: 'A list of users as a file for spreadsheets.',
    query: usersFileQuestion,
    described: USERS,
    answer: 'text/csv',
    refusals: ['database-unavailable'],
  },
} as const satisfies Operations;
