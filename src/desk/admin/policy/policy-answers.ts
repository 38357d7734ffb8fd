/** The schemas of versions of the policy, saved versions, and trials. */
import * as z from 'zod/mini';
import { POLICY_USES } from '../../../database/schema.ts';
import type { ShownEntry } from '../../../gate/trial.ts';
import { describing } from '../../http/operation.ts';
import { faultAnswer, instant, next, said, whole } from '../../http/problem-answer.ts';
import { type Differences, listChanged } from '../../policies/differences.ts';
import type { shownVersion } from '../../policies/saved-version.ts';
import type { shownWithDocument } from './answers.ts';

const text = z.string();
const texts = z.array(text);
const uses = z.enum(POLICY_USES);

/** An earlier Gatehouse may have saved it: it is not checked again. */
export const documentAnswer = said('The policy document as it was saved.', z.record(text, z.unknown()));

const version = {
  number: whole,
  use: said('`active` decides, `shadow` runs beside it, `no-shadow` ended the shadow.', uses),
  sample: said("The shadow's share of the calls.", z.exactOptional(z.number())),
  author: said('Name of the credential that saved it.', text),
  note: text,
  createdAt: instant,
  rules: z.exactOptional(whole),
  lists: z.exactOptional(whole),
  messages: z.exactOptional(whole),
};
const versionAnswer = describing<ReturnType<typeof shownVersion>>()(z.object(version));
export const versionsAnswer = z.object({ versions: z.array(versionAnswer), next });

const withDocument = z.object({
  ...version,
  document: said('Null for a version that ended a shadow.', z.unknown()),
});
export const versionWithDocumentAnswer = describing<ReturnType<typeof shownWithDocument>>()(withDocument);

const namesChanged = {
  added: z.exactOptional(texts),
  removed: z.exactOptional(texts),
  changed: z.exactOptional(texts),
};
const beforeAndAfter = <Value extends z.ZodMiniType>(value: Value) => z.object({ before: value, after: value });
const atStep = z.optional(z.enum(['block', 'continue']));

const differencesAnswer = describing<Differences>()(
  z.object({
    rules: said('By id.', z.exactOptional(z.object({ ...namesChanged, reordered: z.exactOptional(z.literal(true)) }))),
    lists: said('Counts of distinct entries.', z.exactOptional(z.array(listChanged))),
    moreLists: z.exactOptional(whole),
    messages: z.exactOptional(z.object(namesChanged)),
    applications: z.exactOptional(
      z.object({ ...namesChanged, onlyThese: z.exactOptional(beforeAndAfter(z.boolean())) }),
    ),
    exchanges: z.exactOptional(z.object(namesChanged)),
    whenUnavailable: z.exactOptional(
      beforeAndAfter(z.object({ PostFederationSignup: atStep, PostAttributeCollection: atStep })),
    ),
    defaultLanguage: z.exactOptional(beforeAndAfter(text)),
    others: z.exactOptional(texts),
  }),
);

const saved = {
  number: whole,
  use: uses,
  sample: version.sample,
  changed: said('False: the version in force is identical, and no version was added.', z.boolean()),
  previous: said('The version that was in force; null when there was none.', z.nullable(whole)),
  author: text,
  note: text,
  createdAt: instant,
  comparedWith: said('The base of `changes`; null when there was no policy.', z.nullable(whole)),
  changes: differencesAnswer,
  warnings: z.array(faultAnswer),
  published: said('False: the schedule publishes it within five minutes.', z.boolean()),
  inForce: said('When the version counts.', text),
};
export const savedAnswerSchema = z.object(saved);
export const savedListAnswer = z.object({
  ...saved,
  list: z.object({ name: text, entries: whole, added: whole, removed: whole }),
  unchanged: said('Sentences on entries that were there already, or were not there.', texts),
});

const result = z.union([
  z.object({ value: z.union([text, z.number(), z.boolean(), texts]) }),
  z.object({ error: text }),
]);
const tracedAnswer = describing<ShownEntry>()(
  z.union([
    z.object({ rule: text, reached: z.literal(false) }),
    z.object({
      rule: text,
      reached: z.literal(true),
      applied: z.boolean(),
      when: z.exactOptional(result),
      set: z.exactOptional(z.record(text, result)),
    }),
  ]),
);

export const triedAnswer = z.object({
  policyVersion: said('0: the built-in policy.', z.union([whole, z.literal('draft')])),
  step: text,
  reply: z.object({ status: whole, body: z.record(text, z.unknown()) }),
  decision: z.object({
    outcome: text,
    rule: z.exactOptional(text),
    messageKey: z.exactOptional(text),
    message: z.exactOptional(text),
    messageLanguage: z.exactOptional(text),
  }),
  supportCode: said('Empty when the decision is to continue.', text),
  entitlements: z.object({
    roles: texts,
    groups: texts,
    attributes: z.record(text, z.union([text, z.number(), z.boolean()])),
  }),
  trace: said("The rules of the call's step, in their order.", z.array(tracedAnswer)),
  notes: texts,
});

export const policyComponents = {
  Version: versionAnswer,
  VersionWithDocument: versionWithDocumentAnswer,
  SavedVersion: savedAnswerSchema,
  Differences: differencesAnswer,
};
