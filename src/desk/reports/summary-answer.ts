/** The schemas of summaries. The types of `summary.ts`, `breakdowns.ts` and their neighbours are made from them. */
import * as z from 'zod/mini';
import { instant, said, whole } from '../http/problem-answer.ts';
import { INTERVALS } from './questions.ts';

const text = z.string();
const day = said('A day (UTC), such as `2026-11-21`.', z.nullable(z.iso.date()));
export const countsAnswer = z.record(text, whole);

const group = { attempts: whole, byOutcome: countsAnswer };
export const groupAnswer = z.object(group);

export const percentilesAnswer = z.object({
  p50: z.nullable(z.number()),
  p95: z.nullable(z.number()),
  p99: z.nullable(z.number()),
});

export const refusedKindAnswer = z.object({
  route: said('`connector`, `reports` or `admin`.', text),
  reason: text,
  name: said('Name of the configured credential. Empty when the presented user name was none.', text),
  calls: whole,
  first: instant,
  last: instant,
});

export const shadowCountsAnswer = z.object({
  version: whole,
  compared: said('Attempts for which the shadow policy was evaluated.', whole),
  different: said('Attempts for which B2C would have got another reply.', whole),
  differences: said(
    "Pairs of a decision and the shadow's different decision, most frequent first.",
    z.array(z.object({ outcome: text, rule: text, shadowOutcome: text, shadowRule: text, attempts: whole })),
  ),
});

export const signInsAnswer = z.object({
  completed: said('Started, and completed within ten minutes.', whole),
  abandoned: said('Started, and not completed within ten minutes: a wrong password, or the page was closed.', whole),
  late: said('Completed more than ten minutes after the start. These are also counted as abandoned.', whole),
  withoutStart: said('Completed without a start: a refresh, or a single sign-on.', whole),
  withoutCorrelationId: said(
    'Calls without a correlation id, so that a start and its completion cannot be joined.',
    whole,
  ),
});

export const breakdownMembers = {
  byStep: z.array(z.object({ step: text, ...group })),
  byChannel: z.array(z.object({ channel: text, ...group })),
  byRule: said('Attempts that a rule decided.', z.array(z.object({ rule: text, ...group }))),
  byApplication: z.array(
    z.object({
      clientId: text,
      application: said(
        'The name in the policy document. Absent when the policy does not name it.',
        z.exactOptional(text),
      ),
      ...group,
    }),
  ),
  byIssuer: z.array(
    z.object({ issuer: text, provider: said('Absent for an unknown issuer.', z.exactOptional(text)), ...group }),
  ),
};

export const facetMembers = {
  byReason: z.array(z.object({ reason: text, ...group })),
  byCaller: z.array(z.object({ caller: text, ...group })),
  byLanguage: said("The person's language as B2C sent it.", z.array(z.object({ language: text, ...group }))),
  byDegraded: z.array(z.object({ degraded: text, ...group })),
  byPolicyVersion: said(
    'Attempts that a stored policy decided.',
    z.array(z.object({ policyVersion: whole, ...group })),
  ),
  byFailedRule: said(
    'Rules that could not be evaluated. An attempt counts once for each such rule.',
    z.array(z.object({ rule: text, ...group })),
  ),
};

/** The members of a summary that tell how much there was, and when. */
const seriesEntry = {
  attempts: whole,
  byStep: countsAnswer,
  byOutcome: countsAnswer,
};

export const summaryAnswer = z.object({
  from: said('The requested range, rounded outwards to whole hours or days (UTC). `from` is included.', instant),
  to: said('Not included.', instant),
  interval: z.enum(INTERVALS),
  asOf: said('Time of reading.', instant),
  stale: said(
    'The database did not answer, and the numbers are the last known ones.',
    z.exactOptional(z.literal(true)),
  ),
  totals: z.object({
    attempts: whole,
    people: said('Distinct objectIds at the token step.', z.exactOptional(whole)),
    byStep: countsAnswer,
    byOutcome: countsAnswer,
  }),
  series: said(
    'Every hour or day of the range, including those without attempts.',
    z.array(
      z.object({
        start: instant,
        ...seriesEntry,
        durationMs: said(
          'With `include=durations`: of each day, or of each of the last 48 hours.',
          z.exactOptional(percentilesAnswer),
        ),
      }),
    ),
  ),
  before: said(
    'The same period before, with the same filters. Absent when `coverage` says that it is left out.',
    z.exactOptional(z.object({ from: instant, to: instant, ...group })),
  ),
  seen: said(
    'For each filter, the first and the last day (UTC) with an attempt of its value, whatever the range.',
    z.exactOptional(
      z.array(
        z.object({
          filter: z.enum(['step', 'outcome', 'clientId', 'issuer', 'rule']),
          value: text,
          first: day,
          last: day,
        }),
      ),
    ),
  ),
  topRules: z.array(z.object({ rule: text, attempts: whole })),
  ...breakdownMembers,
  byReason: z.exactOptional(facetMembers.byReason),
  byCaller: z.exactOptional(facetMembers.byCaller),
  byLanguage: z.exactOptional(facetMembers.byLanguage),
  byDegraded: z.exactOptional(facetMembers.byDegraded),
  byPolicyVersion: z.exactOptional(facetMembers.byPolicyVersion),
  byFailedRule: z.exactOptional(facetMembers.byFailedRule),
  durationMs: said(
    'Upper bounds; null without attempts, or when `coverage` says that they are left out.',
    percentilesAnswer,
  ),
  minutes: said(
    'Minutes with attempts, of the last 48 hours. Only with `include=minutes`.',
    z.exactOptional(z.array(z.object({ start: instant, ...group }))),
  ),
  people: said(
    'Distinct people turned away or in errors, and met by each rule. Only with `include=people`.',
    z.exactOptional(z.object({ byOutcome: countsAnswer, byRule: z.array(z.object({ rule: text, people: whole })) })),
  ),
  shadow: said(
    "The shadow policies' decisions compared with the real ones. Absent if no shadow policy ran.",
    z.exactOptional(z.array(shadowCountsAnswer)),
  ),
  signIns: said(
    'Sign-ins through custom policies, by their first call. Absent with filters, and when `coverage` says that it is left out.',
    z.exactOptional(signInsAnswer),
  ),
  refusedCalls: said(
    'Calls that were refused before there was an attempt, by kind, whatever the filters.',
    z.array(refusedKindAnswer),
  ),
  serviceInWords: said('Whether Gatehouse was slow or failed, in sentences that can be read out.', text),
  completeness: said(
    'Address of the report on whether the log is complete, for this range or the last days of it.',
    text,
  ),
  coverage: said('What the numbers do not include, and why a part is left out.', z.array(text)),
});

export const summaryComponents = {
  Summary: summaryAnswer,
  Percentiles: percentilesAnswer,
  RefusedKind: refusedKindAnswer,
  ShadowCounts: shadowCountsAnswer,
  SignIns: signInsAnswer,
};
