/** Selects the attempts of a replay and reads them page by page, so only one page is in memory. */
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/mini';
import { OUTCOMES } from '../../../attempts/attempt.ts';
import { MAX_LIMIT } from '../../../desk/http/list-page.ts';
import { stepOrExchange } from '../../../desk/policies/exchanges.ts';
import { attemptsQuestion } from '../../../desk/reports/questions.ts';
import { listFrom } from '../../../desk/reports/range.ts';
import { nameList } from '../../../platform/name-list.ts';
import type { Policy } from '../../../policy/policy.ts';
import { accepted, type Gatehouse, responseTo } from '../../administrator.ts';
import { calledWrongly } from '../../refusal.ts';

/** How often a page is requested when Gatehouse returns 503. */
const TRIES = 3;
const MAX_PAUSE_SECONDS = 30;

/** The members of an attempt that a replay reads; `src/attempts/attempt.ts` describes them. */
export const storedAttempt = z.object({
  id: z.string(),
  occurredAt: z.iso.datetime(),
  channel: z.string(),
  step: z.string(),
  outcome: z.pipe(z.string(), z.enum(OUTCOMES)),
  reason: z.string(),
  rule: z.string(),
  messageKey: z.string(),
  supportCode: z.string(),
  policyVersion: z.number(),
  clientId: z.string(),
  email: z.string(),
  issuer: z.string(),
  issuerAssignedId: z.string(),
  signInType: z.string(),
  locale: z.string(),
  claimNames: z.array(z.string()),
  keptClaims: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  roles: z.array(z.string()),
  rolesUpdatedAt: z.nullable(z.string()),
  degraded: z.string(),
  notes: z.array(z.string()),
});
export type StoredAttempt = z.infer<typeof storedAttempt>;

const page = z.object({ attempts: z.array(storedAttempt), next: z.optional(z.string()) });

/** The options of the command that choose attempts. */
export interface Typed {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly tz?: string | undefined;
  readonly step?: string | undefined;
  readonly 'client-id'?: string | undefined;
  readonly limit?: string | undefined;
}

/** Selects attempts from `from`, inclusive, to `to`, exclusive. */
export interface ReplayQuestion {
  readonly from: Date;
  readonly to: Date;
  readonly step: string | undefined;
  readonly clientId: string | undefined;
  /** The number of newest attempts; undefined: all. */
  readonly limit: number | undefined;
}

const OPTIONS: { readonly [member: string]: string } = {
  from: '--from',
  to: '--to',
  tz: '--tz',
  step: '--step',
  clientId: '--client-id',
};

/** Parses options as reports do: the default is the last seven days. `now` is in milliseconds since 1970. */
export async function readQuestion(typed: Typed, now: number): Promise<ReplayQuestion> {
  const { from, to, tz, step, 'client-id': clientId, limit } = typed;
  const given = Object.entries({ from, to, tz, step, clientId }).filter(([, value]) => value !== undefined);
  const read = await attemptsQuestion.safeParseAsync(Object.fromEntries(given));
  if (!read.success)
    throw refused(read.error.issues.map(({ path, message }) => `${OPTIONS[String(path[0])]}: ${message}.`).join('\n'));
  const { narrowed } = read.data;
  const range = { from: listFrom(narrowed, undefined, now) ?? new Date(0), to: narrowed.to ?? new Date(now) };
  if (range.from >= range.to) throw refused('--from is in the future. Use an earlier time.');
  if (limit !== undefined && !/^[1-9]\d{0,8}$/.test(limit))
    throw refused(`--limit ${limit} is not a number of attempts. Use a whole number from 1.`);
  return {
    ...range,
    step: narrowed.step,
    clientId: narrowed.clientId,
    limit: limit === undefined ? undefined : Number(limit),
  };
}

/** The question with its step in the letters of the draft. Throws a refusal for an unknown step. */
export function atStepOf(question: ReplayQuestion, policy: Policy): ReplayQuestion {
  const step = question.step === undefined ? undefined : stepOrExchange(question.step, policy);
  if (question.step !== undefined && step === undefined)
    throw refused(`--step ${question.step} is not a step: ${nameList([...policy.steps.keys()])}.`);
  return { ...question, step };
}

const refused = (message: string) => calledWrongly(message, 'policy');

/** Yields pages, newest first. Throws a refusal with Gatehouse's own message when it cannot answer. */
export async function* attemptsOf(
  gatehouse: Gatehouse,
  { limit = Infinity, from, to, ...filter }: ReplayQuestion,
): AsyncGenerator<StoredAttempt[]> {
  let left = limit;
  let cursor: string | undefined;
  do {
    const period = { from: from.toISOString(), to: to.toISOString() };
    const search = { ...filter, ...period, limit: Math.min(left, MAX_LIMIT), cursor };
    const { attempts, next } = accepted(await send(gatehouse, search), page);
    left -= attempts.length;
    cursor = next;
    yield attempts;
  } while (cursor !== undefined && left > 0);
}

type Question = Parameters<Gatehouse['reports']['attempts']['search']['$post']>[0]['json'];

/** Retries after a 503, when Retry-After has passed. */
async function send(gatehouse: Gatehouse, question: Question) {
  for (let tries = 1; ; tries += 1) {
    const answer = await responseTo(gatehouse.reports.attempts.search.$post({ json: question }));
    if (answer.status !== 503 || tries === TRIES) return answer;
    await pause(Math.min(answer.retryAfterSeconds, MAX_PAUSE_SECONDS) * 1_000);
  }
}
