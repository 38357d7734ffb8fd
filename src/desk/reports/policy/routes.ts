/**
 * What support reads of the policy: its rules, its versions, and what changed. Entries of lists, and anything that
 * changes a policy, are for administrators.
 */
import type { Context } from 'hono';
import { closest } from '../../../platform/closest-name.ts';
import { configOf } from '../../../platform/config.ts';
import { type AppEnv, newApp } from '../../http/context.ts';
import type { AnswerOf } from '../../http/operation.ts';
import { refuse, validated } from '../../http/problem-details.ts';
import type { PolicyDocument } from '../../policies/policy-document.ts';
import { shownVersion, type Version, type VersionInfo } from '../../policies/saved-version.ts';
import { differencesQuestion, reportedVersionsPage, ruleParam, rulesQuestion } from './policy-questions.ts';
import type {
  reportedDifferencesAnswer,
  reportedVersionsAnswer,
  ruleAnswer,
  rulesAnswer,
} from './reported-policy-answers.ts';

type PolicyReportContext = Context<AppEnv>;

/** `/reports/rules` */
export const rulesRoutes = newApp();

rulesRoutes.get('/', validated('query', rulesQuestion), async (c) => {
  const read = await policyOf(c, c.req.valid('query').version);
  if ('refusal' in read) return read.refusal;
  const { rulesIn } = await import('./rule-report.ts');
  const answer: AnswerOf<typeof rulesAnswer> = {
    version: read.version,
    decides: decidesIn(c),
    rules: rulesIn(read.document),
  };
  return c.json(answer, 200);
});

rulesRoutes.get('/:id', validated('param', ruleParam), validated('query', rulesQuestion), async (c) => {
  const { id } = c.req.valid('param');
  const { DECISIONS_WITHOUT_RULE, rulesIn } = await import('./rule-report.ts');
  const sentence = DECISIONS_WITHOUT_RULE.get(id);
  if (sentence !== undefined) return c.json({ id, sentence } satisfies AnswerOf<typeof ruleAnswer>, 200);
  const read = await policyOf(c, c.req.valid('query').version);
  if ('refusal' in read) return read.refusal;
  const { version, document } = read;
  const [rule] = rulesIn(document, id);
  if (rule !== undefined) return c.json({ version, ...rule } satisfies AnswerOf<typeof ruleAnswer>, 200);
  const ids = document.rules.map((one) => one.id);
  return refuse(c, 'no-such-rule', { id: id.slice(0, MAX_ID_CHARS), version: version.number, near: closest(id, ids) });
});

/** Of an id that a person typed. */
const MAX_ID_CHARS = 63;

/** `/reports/policy` */
export const policyReportRoutes = newApp();

policyReportRoutes.get('/versions', validated('query', reportedVersionsPage.query), async (c) => {
  const { cursor, limit } = c.req.valid('query');
  const versions = await savedVersions(c);
  const listed = await versions.listVersions(limit + 1, cursor === undefined ? undefined : Number(cursor));
  if (!listed.ok) return refuse(c, listed.reason, { afterwards: 'nothing-changed' });
  const shown = listed.value.slice(0, limit);
  const next = listed.value.length > limit ? shown.at(-1)?.number.toString() : undefined;
  const decides = decidesIn(c);
  const answer: AnswerOf<typeof reportedVersionsAnswer> = {
    decides,
    versions: shown.map(datedVersion),
    caveat: decides === 'saved' ? SPREAD : NONE_DECIDES,
    ...(await reportedVersionsPage.next(next)),
  };
  return c.json(answer, 200);
});

policyReportRoutes.get('/differences', validated('query', differencesQuestion), async (c) => {
  const asked = c.req.valid('query');
  const to = asked.to === undefined ? await savedPolicy(c) : await policyOf(c, asked.to);
  if ('refusal' in to) return to.refusal;
  const from = await (asked.from === undefined ? policyBefore(c, to.version.number) : policyOf(c, asked.from));
  if ('refusal' in from) return from.refusal;
  const { policyDifferences } = await import('./policy-differences.ts');
  const { summary, ...changes } = policyDifferences(from.document, to.document);
  const versions = `version ${from.version.number} and version ${to.version.number}`;
  const count = summary.length === 1 ? 'one change' : `${summary.length} changes`;
  const sentence = summary.length === 0 ? `No difference between ${versions}.` : `Between ${versions}: ${count}.`;
  const answer: AnswerOf<typeof reportedDifferencesAnswer> = {
    from: from.version,
    to: to.version,
    sentence,
    summary,
    ...changes,
  };
  return c.json(answer, 200);
});

const SPREAD =
  'A version decides everywhere within about a minute of its time, the propagation time of Workers KV, or later if Workers KV did not take it then.';
const NONE_DECIDES = 'The built-in policy decides now (POLICY = "built-in"), and none of these versions.';

const decidesIn = (c: PolicyReportContext): 'saved' | 'built-in' =>
  configOf(c.env).POLICY === 'built-in' ? 'built-in' : 'saved';

/** `inForce`: from when to when it decided, or ran as shadow. `to` is null while it does. */
const datedVersion = (version: VersionInfo) => ({
  ...shownVersion(version),
  ...(version.use === 'no-shadow'
    ? {}
    : { inForce: { from: version.createdAt.toISOString(), to: version.until?.toISOString() ?? null } }),
});

const BUILT_IN = {
  version: {
    number: 0,
    use: 'built-in' as const,
    note: "The built-in policy has no rules: it puts a person's roles into the token and does nothing else.",
  },
  document: { rules: [] },
};

interface ReadPolicy {
  readonly version: ReturnType<typeof datedVersion> | (typeof BUILT_IN)['version'];
  readonly document: PolicyDocument;
}
type PolicyRead = ReadPolicy | { readonly refusal: Response };

/** A version by number, or the policy that decides. */
async function policyOf(c: PolicyReportContext, number: number | undefined): Promise<PolicyRead> {
  if (number === 0 || (number === undefined && decidesIn(c) === 'built-in')) return BUILT_IN;
  if (number === undefined) return savedPolicy(c);
  const read = await (await savedVersions(c)).readVersion(number);
  if (!read.ok) return { refusal: refuse(c, read.reason, { afterwards: 'nothing-changed' }) };
  if (read.value === undefined)
    return { refusal: refuse(c, 'no-such-version', { number, address: '/reports/policy' }) };
  return documentOf(c, read.value);
}

/** The newest version that was saved to decide. */
async function savedPolicy(c: PolicyReportContext): Promise<PolicyRead> {
  const read = await (await savedVersions(c)).readDeciding(undefined);
  if (!read.ok) return { refusal: refuse(c, read.reason, { afterwards: 'nothing-changed' }) };
  return read.value === undefined ? { refusal: refuse(c, 'no-policy') } : documentOf(c, read.value);
}

/** Before the first version, the built-in policy. */
async function policyBefore(c: PolicyReportContext, number: number): Promise<PolicyRead> {
  const read = await (await savedVersions(c)).readDeciding(number);
  if (!read.ok) return { refusal: refuse(c, read.reason, { afterwards: 'nothing-changed' }) };
  return read.value === undefined ? BUILT_IN : documentOf(c, read.value);
}

async function documentOf(c: PolicyReportContext, { text, ...version }: Version): Promise<PolicyRead> {
  if (text === null) return { refusal: refuse(c, 'version-without-document', { number: version.number }) };
  const { documentIn } = await import('./read-document.ts');
  const document = documentIn(text);
  if (document === undefined) return { refusal: refuse(c, 'version-unreadable', { number: version.number }) };
  return { version: datedVersion(version), document };
}

/** Imported lazily: drizzle costs start-up time. */
const savedVersions = async (c: PolicyReportContext) =>
  (await import('../../policies/versions.ts')).versionsIn(configOf(c.env));
