/** The schemas of a person's roles now, and of their changes. Values of attributes are in none. */
import * as z from 'zod/mini';
import { type AnswerOf, describing } from '../../http/operation.ts';
import { instant, matchesAnswer, next, said, whole } from '../../http/problem-answer.ts';
import { takenForMember } from '../attempt-answer.ts';
import type { PersonChanges } from '../queries/person-changes.ts';
import { ROLES_VERDICTS } from './roles-sentence.ts';

const text = z.string();
const texts = z.array(text);
const named = { roles: texts, groups: texts };
const application = { clientId: text, application: z.exactOptional(text) };

const underKey = { key: text, counts: said('Whether a token gets this record.', z.boolean()) };
const record = said(
  'The record under a key as it is stored. Values of attributes are for administrators.',
  z.union([
    z.object({
      ...underKey,
      state: z.literal('record'),
      ...named,
      applications: z.record(text, z.object({ roles: z.optional(texts), groups: z.optional(texts) })),
      attributeNames: texts,
      updatedAt: said('As it is stored: an operator may have edited it.', text),
      updatedBy: text,
    }),
    z.object({ ...underKey, state: z.literal('none'), removedAt: z.exactOptional(text) }),
    z.object({ ...underKey, state: z.literal('unreadable') }),
  ]),
);
export type ShownRecord = AnswerOf<typeof record>;

export const rolesAnswer = z.object({
  takenFor: takenForMember,
  key: text,
  keys: texts,
  code: said('Why the person has or lacks roles, for programs.', z.enum(ROLES_VERDICTS)),
  sentence: said('The same to read out. Begin with it.', text),
  now: said(
    'What a token gets: general, and with what each application adds. Null without a record that counts.',
    z.nullable(
      z.object({
        key: text,
        ...named,
        applications: z.array(z.object({ ...application, ...named })),
        droppedNames: said('Names that no token can have.', whole),
      }),
    ),
  ),
  records: z.array(record),
  emailRecordCounts: z.exactOptional(z.enum(['yes', 'no', 'depends'])),
  lastToken: z.nullable(
    z.object({
      id: text,
      occurredAt: instant,
      ...application,
      roles: texts,
      rolesUpdatedAt: z.nullable(instant),
      policyVersion: whole,
      degraded: text,
    }),
  ),
  readAt: instant,
  caveat: text,
});

const held = z.nullable(
  z.union([
    z.object({ ...named, applications: z.record(text, z.object(named)), attributeNames: texts }),
    z.literal('unreadable'),
  ]),
);

export const roleChangesAnswer = describing<PersonChanges>()(
  z.object({
    takenFor: takenForMember,
    key: text,
    note: said('Set when the key is of several accounts.', z.exactOptional(text)),
    keys: said('The keys whose changes are listed.', texts),
    changes: z.array(
      z.object({
        id: text,
        occurredAt: instant,
        changedBy: text,
        key: text,
        sentence: text,
        before: held,
        after: held,
        attributes: z.object({
          added: z.exactOptional(texts),
          removed: z.exactOptional(texts),
          changed: z.exactOptional(texts),
        }),
      }),
    ),
    next,
    matches: said('How many match. Only on the first page.', z.exactOptional(matchesAnswer)),
  }),
);

export const rolesComponents = { Roles: rolesAnswer, RoleChanges: roleChangesAnswer };
