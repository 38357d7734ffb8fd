/** The entries of people, changes and dead letters in the API description (`http/operation.ts`). */
import { changesQuestion } from '../audit/changes-question.ts';
import type { Operations } from '../http/operation.ts';
import {
  changesAnswer,
  deadLetterAnswer,
  deadLettersAnswer,
  erasureAnswer,
  peopleAnswer,
  personRecordAnswer,
  previewAnswer,
  removedLetterAnswer,
  removedPersonAnswer,
  replayedAnswer,
  savedPersonAnswer,
} from './admin-answers.ts';
import { choiceOnly, erasureKeyOnly, keyAndChoice } from './erasure/erasure-inputs.ts';
import { deadLetterId, deadLetterKind, deadLettersPage, keyedRecordInput, keyOnly, peoplePage } from './inputs.ts';
import { recordInput } from './record-input.ts';

const KV = ['kv-timeout', 'kv-failed', 'kv-refused', 'kv-busy'] as const;
const KV_CHANGE = [...KV, 'not-logged'] as const;
const ERASURE = [...KV_CHANGE, 'database-unavailable', 'shared-address'] as const;

const RECORD = { roles: ['editor'], applications: { '231c70e8-8424-48ac-9b5d-5623b9e4ccf3': { roles: ['approver'] } } };
const KEY = { key: 'email:jane@example.com' };
const NOT_IN_URLS = 'The key is in the body, so that no e-mail address is in a URL.';
const UNFINISHED = { status: 202, meaning: 'Not everything is erased yet: send the same request again.' } as const;

export const adminOperations = {
  'GET /admin/people': {
    id: 'listPeople',
    summary: 'Lists the records of people, page by page.',
    query: peoplePage.query,
    answer: peopleAnswer,
    refusals: KV,
  },
  'PUT /admin/people': {
    id: 'savePersonByKey',
    summary: 'Replaces the record of a person.',
    description: NOT_IN_URLS,
    json: keyedRecordInput,
    example: { ...KEY, ...RECORD },
    answer: savedPersonAnswer,
    refusals: KV_CHANGE,
  },
  'POST /admin/people/search': {
    id: 'findPersonByKey',
    summary: 'Reads the record of a person.',
    description: NOT_IN_URLS,
    json: keyOnly,
    example: KEY,
    answer: personRecordAnswer,
    refusals: ['no-such-person', ...KV],
  },
  'POST /admin/people/remove': {
    id: 'removePersonByKey',
    summary: 'Removes the record of a person.',
    description: NOT_IN_URLS,
    json: keyOnly,
    example: KEY,
    answer: removedPersonAnswer,
    refusals: ['no-such-person', ...KV_CHANGE],
  },
  'GET /admin/people/:key': {
    id: 'readPersonRecord',
    summary: 'Reads the record of a person.',
    param: keyOnly,
    answer: personRecordAnswer,
    refusals: ['no-such-person', ...KV],
  },
  'PUT /admin/people/:key': {
    id: 'savePerson',
    summary: 'Replaces the record of a person.',
    param: keyOnly,
    json: recordInput,
    example: RECORD,
    answer: savedPersonAnswer,
    refusals: KV_CHANGE,
  },
  'DELETE /admin/people/:key': {
    id: 'removePerson',
    summary: 'Removes the record of a person.',
    param: keyOnly,
    answer: removedPersonAnswer,
    refusals: ['no-such-person', ...KV_CHANGE],
  },
  'POST /admin/people/data/preview': {
    id: 'previewErasureByKey',
    summary: 'Counts what an erasure would erase.',
    description: NOT_IN_URLS,
    json: erasureKeyOnly,
    example: KEY,
    answer: previewAnswer,
    refusals: [...KV, 'database-unavailable'],
  },
  'POST /admin/people/data/erase': {
    id: 'erasePersonByKey',
    summary: 'Erases what is stored about a person.',
    description: NOT_IN_URLS,
    json: keyAndChoice,
    example: KEY,
    answer: erasureAnswer,
    also: UNFINISHED,
    refusals: ERASURE,
  },
  'GET /admin/people/:key/data': {
    id: 'previewErasure',
    summary: 'Counts what an erasure would erase.',
    param: erasureKeyOnly,
    answer: previewAnswer,
    refusals: [...KV, 'database-unavailable'],
  },
  'DELETE /admin/people/:key/data': {
    id: 'erasePerson',
    summary: 'Erases what is stored about a person.',
    param: erasureKeyOnly,
    query: choiceOnly,
    answer: erasureAnswer,
    also: UNFINISHED,
    refusals: ERASURE,
  },
  'GET /admin/changes': {
    id: 'listChanges',
    summary: 'The audit log, newest first.',
    query: changesQuestion,
    answer: changesAnswer,
    refusals: ['database-unavailable'],
  },
  'POST /admin/changes/search': {
    id: 'searchChanges',
    summary: 'The audit log, newest first, with the filters in the body.',
    json: changesQuestion,
    example: { subject: 'policy', from: '-7d' },
    answer: changesAnswer,
    refusals: ['database-unavailable'],
  },
  'GET /admin/dead-letters': {
    id: 'listDeadLetters',
    summary: 'Lists messages that the database refused.',
    query: deadLettersPage.query,
    answer: deadLettersAnswer,
    refusals: KV,
  },
  'POST /admin/dead-letters/replay': {
    id: 'replayDeadLetters',
    summary: 'Sends up to 300 dead letters to the queue again.',
    query: deadLetterKind,
    answer: replayedAnswer,
    refusals: ['dead-letters-not-replayed'],
  },
  'GET /admin/dead-letters/:id': {
    id: 'readDeadLetter',
    summary: 'One dead letter with its message.',
    param: deadLetterId,
    answer: deadLetterAnswer,
    refusals: ['no-such-dead-letter', ...KV],
  },
  'DELETE /admin/dead-letters/:id': {
    id: 'removeDeadLetter',
    summary: 'Deletes a dead letter. Its message is never written.',
    param: deadLetterId,
    answer: removedLetterAnswer,
    refusals: ['no-such-dead-letter', ...KV],
  },
} as const satisfies Operations;
