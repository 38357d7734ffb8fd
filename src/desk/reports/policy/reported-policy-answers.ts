/** The schemas of what support reads of the policy: rules, versions and differences. Entries of lists are in none. */
import * as z from 'zod/mini';
import { POLICY_USES } from '../../../database/schema.ts';
import type { AnswerOf } from '../../http/operation.ts';
import { instant, next, said, whole } from '../../http/problem-answer.ts';
import { listChanged } from '../../policies/differences.ts';

const text = z.string();
const texts = z.array(text);

const version = z.object({
  number: said('0: the built-in policy.', whole),
  use: z.enum([...POLICY_USES, 'built-in']),
  sample: z.exactOptional(z.number()),
  author: z.exactOptional(text),
  note: text,
  createdAt: z.exactOptional(instant),
  rules: z.exactOptional(whole),
  lists: z.exactOptional(whole),
  messages: z.exactOptional(whole),
  inForce: said(
    'From when to when it decided, or ran as shadow. `to` is null while it does.',
    z.exactOptional(z.object({ from: instant, to: z.nullable(instant) })),
  ),
});
const decides = said('Which policy decides now.', z.enum(['saved', 'built-in']));

const rule = {
  id: text,
  order: said('Its place in the policy, from 1.', whole),
  description: z.exactOptional(text),
  sentence: said('What the rule does, in words.', text),
  steps: texts,
  effect: z.enum(['block', 'invalid', 'set']),
  when: said('The condition; null: always.', z.nullable(text)),
  onError: said('What happens when the condition fails.', z.exactOptional(z.enum(['skip', 'apply']))),
  set: said('Claims of the reply, each with its expression.', z.exactOptional(z.record(text, text))),
  developerMessage: z.exactOptional(text),
  messages: z.array(z.object({ key: text, texts: z.record(text, text), builtIn: z.exactOptional(z.literal(true)) })),
  claims: said('Claims that the rule reads.', texts),
  readsRecord: said('Whether it reads the record of the person.', z.boolean()),
  attributeNames: texts,
  lists: said(
    'Lists that the rule reads, with their numbers of entries.',
    z.array(z.object({ name: text, entries: whole })),
  ),
  listEntries: z.exactOptional(text),
  note: z.exactOptional(text),
  advice: said('What support tells the person, by language.', z.exactOptional(z.record(text, text))),
};

const ruleReport = z.object(rule);
export type RuleReport = AnswerOf<typeof ruleReport>;

export const rulesAnswer = z.object({ version, decides, rules: z.array(ruleReport) });

/** A decision without a rule has a sentence only. */
export const ruleAnswer = z.union([z.object({ version, ...rule }), z.object({ id: text, sentence: text })]);

export const reportedVersionsAnswer = z.object({ decides, versions: z.array(version), caveat: text, next });

const named = z.array(z.object({ name: text, value: z.unknown() }));
const partChanged = z.object({
  name: text,
  members: said('Members that changed, of an object. `before` and `after` show only these.', texts),
  before: z.unknown(),
  after: z.unknown(),
});
const parts = z.object({
  added: named,
  removed: named,
  changed: said('Parts that have another value.', z.array(partChanged)),
});
export type PartsChanged = AnswerOf<typeof parts>;
export type PartChanged = AnswerOf<typeof partChanged>;

export const reportedDifferencesAnswer = z.object({
  from: version,
  to: version,
  sentence: text,
  summary: said('A line for each change.', texts),
  rules: parts,
  messages: parts,
  exchanges: parts,
  applications: parts,
  settings: parts,
  reordered: said('The rules that both versions have are in a different order.', z.boolean()),
  lists: said('Counts of distinct entries.', z.array(listChanged)),
});

export const reportedPolicyComponents = {
  ReportedVersion: version,
  Rule: ruleReport,
  PartsChanged: parts,
  ReportedDifferences: reportedDifferencesAnswer,
};
