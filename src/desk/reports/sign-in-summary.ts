/** Sign-ins through custom policies, as a part of a summary. Pure. */
import type { AnswerOf } from '../http/operation.ts';
import type { Dimensions } from './questions.ts';
import type { signInsAnswer } from './summary-answer.ts';

/** Sign-ins of which SignInStarted or SignInCompleted was called, by their first call. */
export type SignIns = AnswerOf<typeof signInsAnswer>;

export type SignInRow = readonly [value: string, attempts: number];

/** The counted rows, or the sentence that says why they are left out. */
export type CountedSignIns = readonly SignInRow[] | string;

const MEMBERS = {
  completed: 'completed',
  abandoned: 'abandoned',
  late: 'late',
  withoutStart: 'without-start',
  withoutCorrelationId: 'without-correlation-id',
} as const satisfies { readonly [member in keyof SignIns]: string };

/** The `signIns` member of a summary; absent when it is left out. */
export function signInsOf(rows: CountedSignIns): { signIns?: SignIns } {
  if (typeof rows === 'string') return {};
  const of = (value: string) => rows.find(([counted]) => counted === value)?.[1] ?? 0;
  return {
    signIns: {
      completed: of(MEMBERS.completed),
      abandoned: of(MEMBERS.abandoned),
      late: of(MEMBERS.late),
      withoutStart: of(MEMBERS.withoutStart),
      withoutCorrelationId: of(MEMBERS.withoutCorrelationId),
    },
  };
}

export const SIGN_INS_TOO_SLOW =
  '"signIns" is left out: counting sign-ins took too long. Choose a shorter range or try again later.';

/** Why sign-ins cannot be counted for this question; undefined when they can. */
export const whyNoSignIns = (filters: Dimensions): string | undefined =>
  Object.values(filters).some((filter) => filter !== undefined)
    ? '"signIns" is left out: it is counted only without filters. Remove the filters.'
    : undefined;

export function signInCoverage(counted: CountedSignIns): string[] {
  if (typeof counted === 'string') return [counted, UNSEEN];
  const { signIns } = signInsOf(counted);
  if (counted.length === 0 || signIns === undefined) return [UNSEEN];
  const sentences = [
    '"signIns" counts sign-ins through custom policies that call SignInStarted and SignInCompleted. "abandoned" is a start without a completion within ten minutes: a wrong password, or the page was closed. A start counts when its ten minutes are over, and once, however often it is repeated. "withoutStart" is a refresh or a single sign-on, and no error.',
  ];
  if (signIns.late > 0)
    sentences.push(
      `${signIns.late} sign-ins were completed more than ten minutes after their start ("late"). They count as abandoned, too.`,
    );
  if (signIns.withoutCorrelationId > 0)
    sentences.push(
      `${signIns.withoutCorrelationId} calls of SignInStarted or SignInCompleted had no correlation id, so it is unknown which belong together. Send {Context:CorrelationId} in the custom policy.`,
    );
  return [...sentences, UNSEEN_ELSEWHERE];
}

const UNSEEN =
  'Wrong passwords, pages left early and silent refreshes (an app renewing a session by itself) never reach Gatehouse, so no number includes them.';
const UNSEEN_ELSEWHERE =
  'Wrong passwords, pages left early and silent refreshes (an app renewing a session by itself) in user flows and in other custom policies never reach Gatehouse, so no number includes them.';
