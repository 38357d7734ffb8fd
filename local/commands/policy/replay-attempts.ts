/** Attempts as a Gatehouse kept them, asked for page by page: never more than one page is in memory. */
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/mini';
import { OUTCOMES } from '../../../src/attempts/attempt.ts';
import { MAX_LIMIT } from '../../../src/reports/questions.ts';
import { type Answer, accepted, type Call } from '../administrator.ts';

/** How often a page is asked for that Gatehouse cannot give just now. */
const TRIES = 3;
const MAX_PAUSE_SECONDS = 30;

const names = z.array(z.string());

/** What a replay reads of an attempt; `src/attempts/attempt.ts` says what each member is. */
export const keptAttempt = z.object({
  id: z.string(),
  occurredAt: z.iso.datetime(),
  channel: z.string(),
  step: z.string(),
  outcome: z.enum(OUTCOMES),
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
  claimNames: names,
  unexpectedClaims: names,
  keptClaims: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  roles: names,
  rolesUpdatedAt: z.nullable(z.string()),
  degraded: z.string(),
  notes: names,
});
export type KeptAttempt = z.infer<typeof keptAttempt>;

const page = z.object({ attempts: z.array(keptAttempt), next: z.optional(z.string()) });

/** Which attempts: from `from`, inclusive, to `to`, exclusive. */
export interface Question {
  readonly from: Date;
  readonly to: Date;
  readonly step: string | undefined;
  readonly clientId: string | undefined;
  /** At most so many, the newest; undefined: all. */
  readonly limit: number | undefined;
}

/** Newest first. Refuses with what Gatehouse says when it cannot answer. */
export async function* attemptsOf(call: Call, { limit = Infinity, ...asked }: Question): AsyncGenerator<KeptAttempt[]> {
  const question = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  let left = limit;
  let cursor: string | undefined;
  do {
    const wanted = { ...question, limit: Math.min(left, MAX_LIMIT), ...(cursor === undefined ? {} : { cursor }) };
    const { attempts, next } = accepted(await askPatiently(call, wanted), page);
    left -= attempts.length;
    cursor = next;
    yield attempts;
  } while (cursor !== undefined && left > 0);
}

/** What Gatehouse answers with 503 is asked again after the time it asks for. */
async function askPatiently(call: Call, question: object): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await call('POST', '/reports/attempts/search', question);
    if (answer.status !== 503 || tries === TRIES) return answer;
    await pause(Math.min(answer.retryAfterSeconds, MAX_PAUSE_SECONDS) * 1_000);
  }
}
