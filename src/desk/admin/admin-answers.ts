/** The schemas of the answers to administrators: people, erasure, the audit log, and dead letters. */
import * as z from 'zod/mini';
import type { ChangeJson } from '../audit/changes.ts';
import { DEAD_LETTER_KINDS } from '../consume/dead-letters.ts';
import { describing } from '../http/operation.ts';
import { instant, matchesAnswer, next, said, whole } from '../http/problem-answer.ts';
import { shownRecord } from './record-input.ts';

const text = z.string();
const texts = z.array(text);
const inForce = said('When the change counts.', text);

const recordAnswer = z.extend(shownRecord, { key: text });
const unreadableAnswer = z.object({ key: text, unreadable: text, problem: text });
/** A value that is not a valid record is shown as text. */
export const personRecordAnswer = z.union([recordAnswer, unreadableAnswer]);

export const peopleAnswer = z.object({ people: z.array(personRecordAnswer), next });

export const savedPersonAnswer = z.extend(recordAnswer, {
  changed: said('False: the stored record was equal.', z.boolean()),
  inForce,
  warning: z.exactOptional(text),
});

export const removedPersonAnswer = z.object({ key: text, removed: z.literal(true), inForce });

const days = z.exactOptional(z.object({ from: z.iso.date(), to: z.iso.date() }));

export const previewAnswer = z.object({
  keys: said('Keys that would be erased.', texts),
  notFollowed: said("Keys that occurred with the person's and may be another person's too.", texts),
  accounts: said('Accounts that were seen with the key.', whole),
  tables: z.object({
    attempts: z.object({ found: whole, days }),
    changes: z.object({ found: whole }),
    users: z.object({ found: whole }),
    accounts: z.object({ found: whole }),
  }),
  records: z.object({ found: whole }),
  deadLetters: z.object({
    found: whole,
    unreadable: said('Messages of no known version, which were not searched by key.', whole),
  }),
});

const keysByKind = z.record(text, whole);
const removed = z.object({ removed: whole });

/** What one request did. A repeated request has a proof of its own. */
const done = {
  keys: said('Number of keys by kind, the asked one included.', keysByKind),
  notFollowed: said(
    "Number of keys by kind that occurred with the person's and may be another person's too.",
    keysByKind,
  ),
  tables: z.object({
    attempts: z.object({ blinded: whole, days }),
    changes: z.object({ blinded: whole }),
    users: said('Rows that named the person; those of others are made again from what is left.', removed),
    accounts: removed,
  }),
  records: said('Records of roles in Workers KV.', z.object({ removed: whole })),
  deadLetters: z.object({
    removed: whole,
    unreadable: said('Messages of no known version, which were not searched by key.', whole),
  }),
  daysToSumAgain: said(
    'Days whose aggregates, and numbers of distinct people, are calculated again by the schedule.',
    whole,
  ),
};
export const erasureDone = z.object(done);

export const remainsAnswer = z.object({
  where: text,
  what: text,
  until: said('Absent where Gatehouse cannot know it.', z.exactOptional(instant)),
});

export const erasureAnswer = z.object({
  id: said('Id of the row in the audit log.', text),
  erasedAt: said('Everything of calls until then is erased.', instant),
  finished: said('False: send the same request again.', z.boolean()),
  ...done,
  remains: z.array(remainsAnswer),
});

const changeAnswer = describing<ChangeJson>()(
  z.object({
    id: text,
    occurredAt: instant,
    changedBy: said('Name of the credential that made the change.', text),
    subject: said('A person key, `policy`, `policy:shadow` or `erasure`.', text),
    before: z.unknown(),
    after: z.unknown(),
  }),
);

export const changesAnswer = z.object({
  changes: z.array(changeAnswer),
  next,
  matches: said('How many match. Only on the first page.', z.exactOptional(matchesAnswer)),
});

const letter = {
  id: text,
  kind: z.enum(DEAD_LETTER_KINDS),
  reason: said('A code, or the SQLSTATE with which Postgres refused the message.', text),
  diedAt: said('ISO 8601; empty when it is unknown.', text),
};
export const deadLettersAnswer = z.object({ deadLetters: z.array(z.object(letter)), next });
export const deadLetterAnswer = z.object({ ...letter, message: said('The message, unchanged.', z.unknown()) });
export const removedLetterAnswer = z.object({ id: text, removed: z.literal(true) });
export const replayedAnswer = z.object({
  written: said('Sent to the queue again.', whole),
  refused: said('Not messages of this version. They remain.', whole),
});

export const adminComponents = {
  PersonRecord: personRecordAnswer,
  ErasurePreview: previewAnswer,
  ErasureProof: erasureAnswer,
  Change: changeAnswer,
};
