/** The reports that the bench measures, each through Gatehouse's own functions. */

import { findAttempt, listAttempts } from '../../../desk/reports/queries/attempts.ts';
import { countHours } from '../../../desk/reports/queries/completeness-counts.ts';
import { findPerson } from '../../../desk/reports/queries/find-person.ts';
import { summary } from '../../../desk/reports/queries/summary-counts.ts';
import { listUsers } from '../../../desk/reports/queries/users.ts';
import {
  attemptParam,
  attemptsQuestion,
  personQuestion,
  type SummaryQuestion,
} from '../../../desk/reports/questions.ts';
import { summaryRange } from '../../../desk/reports/range.ts';
import { usersQuestion } from '../../../desk/reports/users-question.ts';
import { readConfig } from '../../../platform/config.ts';
import { DAY_MS, HOUR_MS } from '../../../platform/duration.ts';
import type { Figure } from '../figures.ts';
import { DAYS, type Day, FIRST_NAMES, QUIET } from './rows.ts';

/** Longer than the limit of a report, so that a report over its budget has a figure. */
const LIMIT_MS = 60_000;

export interface MeasuredReport {
  readonly kind: Extract<Figure['kind'], 'summary' | 'list' | 'lookUp' | 'completeness' | 'longCompleteness'>;
  readonly name: string;
  /** Resolves with the number of results. */
  readonly ask: () => Promise<number>;
}

const NOTHING_WAITS = {
  waiting: { first: { messages: 0, oldest: undefined }, second: { messages: 0, oldest: undefined } },
  letters: { all: [], known: 'all' },
} as const;

/** The identifiers of an existing attempt and person. */
export interface KnownIds {
  readonly id: string;
  readonly supportCode: string;
  readonly correlationId: string;
  readonly objectId: string;
  readonly email: string;
}

export function reportsOf(databaseUrl: string, now: number, known: KnownIds) {
  const config = readConfig({ DATABASE_URL: databaseUrl, LOCAL: 'yes', RETENTION_DAYS: String(DAYS + 31) });
  const ago = (days: number) => new Date(now - days * DAY_MS);
  const counted = async ({ from, to, interval, ...filters }: SummaryQuestion) => {
    const range = summaryRange({ from, to, interval }, now);
    if (typeof range === 'string') throw new Error(range);
    const { totals } = await summary(config, range, filters, now, { ms: LIMIT_MS });
    return totals.attempts;
  };
  const listed = async (asked: object) => {
    const page = await attemptsQuestion.parseAsync(asked);
    return (await listAttempts(config, page, now)).attempts.length;
  };
  const person = async (key: string) =>
    (await findPerson(config, await personQuestion.parseAsync({ key }), now)).attempts.length;
  const code = async (attempt: string) => {
    const { attempt: asked } = await attemptParam.parseAsync({ attempt });
    return 'id' in asked ? ((await findAttempt(config, asked.id)) ? 1 : 0) : listed({ ...asked, limit: 500 });
  };
  const summaries = (name: string, question: SummaryQuestion): MeasuredReport => ({
    kind: 'summary',
    name,
    ask: () => counted(question),
  });
  const from = ago(DAYS - 1).toISOString();
  const list = (name: string, filters: object): MeasuredReport => ({
    kind: 'list',
    name,
    ask: () => listed({ from, ...filters }),
  });
  const users = (name: string, filters: object): MeasuredReport => ({
    kind: 'list',
    name: `users, ${name}`,
    ask: async () => (await listUsers(config, await usersQuestion.parseAsync(filters))).users.length,
  });
  const completeness = (kind: 'completeness' | 'longCompleteness', days: number): MeasuredReport => ({
    kind,
    name: days === 1 ? 'a day' : 'a week',
    ask: async () => {
      const asked = { from: new Date(Math.floor((now - days * DAY_MS) / HOUR_MS) * HOUR_MS), to: new Date(now) };
      const { stored } = await countHours(config, { asked, ...NOTHING_WAITS }, now);
      return [...stored.values()].reduce((sum, [attempts = 0]) => sum + attempts, 0);
    },
  });
  const lookUp = (name: string, ask: () => Promise<number>): MeasuredReport => ({ kind: 'lookUp', name, ask });
  const year = { interval: 'day', from: ago(DAYS - 1) } as const;
  const month = { interval: 'hour', from: ago(31) } as const;
  const [clientId, issuer, rule] = ['client-0', 'google.com', 'rule-0'];
  return [
    summaries('1 day by hour', { from: ago(1) }),
    summaries('7 days by hour', {}),
    summaries('31 days by hour', month),
    summaries('90 days', { interval: 'day', from: ago(90) }),
    summaries('399 days', year),
    summaries('399 days of an application', { ...year, clientId }),
    summaries('399 days of an issuer', { ...year, issuer }),
    summaries('399 days of a rule', { ...year, rule }),
    summaries('399 days of an outcome', { ...year, outcome: 'block' }),
    summaries('399 days of a step', { ...year, step: 'PreTokenIssuance' }),
    summaries('399 days of application and issuer', { ...year, clientId, issuer }),
    summaries('399 days of application and rule', { ...year, clientId, rule }),
    summaries('399 days of application, issuer and rule', { ...year, clientId, issuer, rule }),
    summaries('31 days by hour of an application', { ...month, clientId }),
    summaries('31 days by hour of application and rule', { ...month, clientId, rule }),
    summaries('7 days by hour of application and issuer', { from: ago(7), clientId, issuer }),
    summaries('31 days by hour of application and issuer', { ...month, clientId, issuer }),
    list('the last seven days', { from: undefined }),
    list('an application', { clientId: 'client-19' }),
    list('an application that never called', { clientId: 'client-99' }),
    list('an issuer that never occurred', { issuer: 'nowhere.com' }),
    list('a step that never occurred', { step: 'OnNothing' }),
    list('a rule', { rule }),
    list('a rule that never applied', { rule: 'rule-99' }),
    list('an outcome', { outcome: 'invalid' }),
    list('an application, an issuer and a rule', { clientId: 'client-19', issuer: 'amazon.com', rule: 'rule-39' }),
    list('an application, an issuer and a step, turned away', {
      clientId: 'client-19',
      issuer: 'amazon.com',
      step: 'PostFederationSignup',
      outcome: 'block',
    }),
    list('an application, an issuer and a step, let in', {
      clientId: 'client-19',
      issuer: 'amazon.com',
      step: 'PostFederationSignup',
      outcome: 'continue',
    }),
    list('shadow differences', { shadow: 'differs' }),
    list('shadow differences of a rule', { shadow: 'differs', clientId: 'client-19', rule: 'rule-39' }),
    users('the last seen', {}),
    users('everyone of a frequent name', { name: FIRST_NAMES[0] }),
    users('one letter', { name: 'a' }),
    users('one person of a frequent name', { name: `${FIRST_NAMES[0]} person77770` }),
    users('an address', { email: known.email }),
    users('an identity provider', { issuer }),
    users('an identity provider without users', { issuer: 'nowhere.com' }),
    users('a role', { role: 'editor' }),
    users('a role without users', { role: 'nothing' }),
    list('a person, turned away', { objectId: known.objectId, outcome: 'block', from: undefined }),
    lookUp('a person', () => person(`oid:${known.objectId}`)),
    lookUp('a person by e-mail', () => person(`email:${known.email}`)),
    lookUp('an unknown person', () => person('oid:00000000-0000-4000-8000-000000000000')),
    lookUp('a support code', () => code(known.supportCode)),
    lookUp('a correlation id', () => listed({ correlationId: known.correlationId })),
    lookUp('an id', () => code(known.id)),
    completeness('completeness', 1),
    completeness('longCompleteness', 7),
  ];
}

/** Summaries of 30 whole days, with a tenth of the traffic and with full traffic. */
export function trafficOf(databaseUrl: string, now: number, days: readonly Day[]) {
  const config = readConfig({ DATABASE_URL: databaseUrl, LOCAL: 'yes', RETENTION_DAYS: String(DAYS + 31) });
  const ask = (first: number) => async () => {
    const [from, to] = [first, first + QUIET.days].map((number) => new Date(days[number]?.from ?? Number.NaN));
    if (from === undefined || to === undefined) throw new Error('There are too few days.');
    const { totals } = await summary(config, { interval: 'day', from, to }, {}, now, { ms: LIMIT_MS });
    return totals.attempts;
  };
  return { quiet: ask(QUIET.firstDay), busy: ask(QUIET.firstDay + QUIET.days) };
}
