/** How a try ended, which steps it reached, and whose fault it was, as far as the calls tell. Pure. */
import { SIGN_IN_COMPLETED, SIGN_IN_STARTED, STEPS } from '../../sign-in/steps.ts';
import { isStartCall, type SignInStatus } from '../aggregates/sign-ins.ts';
import type { AdviceKey } from './advice-texts.ts';
import { attemptVerdict, isLetIn, isStopped, type Judged, type WhoseFault } from './attempt-verdict.ts';
import { repeatsOf } from './repeated-calls.ts';
import { lastOf, type Try, type TryRow } from './tries.ts';
import { TRY_GAP_MS } from './whose-calls.ts';

/**
 * `running`: the last call let the person go on less than 30 minutes ago. `unfinished`: it is longer ago, and the calls
 * that must follow did not come. `unknown`: the calls that follow, if any, do not reach Gatehouse.
 */
export const TRY_OUTCOMES = [
  'let-in',
  'blocked',
  'asked-to-correct',
  'failed',
  'running',
  'unfinished',
  'unknown',
] as const;
export type TryOutcome = (typeof TRY_OUTCOMES)[number];

/** `skipped`: a later step was reached. Sign-ins skip the steps of sign-up, and local sign-ups the first one. */
export const STEP_STATUSES = ['reached', 'skipped', 'not-reached'] as const;

export interface TryStep {
  readonly step: string;
  readonly status: (typeof STEP_STATUSES)[number];
  /** Ids, oldest first. */
  readonly attempts: readonly string[];
}

export interface TryVerdict {
  readonly outcome: TryOutcome;
  readonly fault: WhoseFault;
  readonly advice: AdviceKey;
  readonly steps: readonly TryStep[];
}

export type JudgedRow = TryRow & Judged & { readonly durationMs: number };

export interface TryContext {
  /** In milliseconds since 1970. */
  readonly now: number;
  /** By id of a call of a sign-in. */
  readonly signIns: ReadonlyMap<string, SignInStatus>;
  /** Client ids of which the token step is known to call Gatehouse: a person who went on would have been seen there. */
  readonly tokenClients: ReadonlySet<string>;
}

export function tryVerdict(one: Try<JudgedRow>, context: TryContext): TryVerdict {
  const steps = stepsOf(one);
  const last = lastOf(one);
  const ofCall = attemptVerdict(last);
  if (isLetIn(last)) return { outcome: 'let-in', ...ofCall, steps };
  if (isStopped(last)) return { outcome: STOPPED[last.outcome] ?? 'failed', ...ofCall, steps };
  const open = openVerdict(one, last, context);
  const late = [...repeatsOf(one.calls).values()].some(({ cause }) => cause === 'answer-too-late');
  if (late && (open.outcome === 'unfinished' || open.outcome === 'unknown'))
    return { ...open, fault: 'us', advice: 'answer-too-late', steps };
  return { ...open, steps };
}

const STOPPED: Partial<Record<string, TryOutcome>> = { block: 'blocked', invalid: 'asked-to-correct' };

/** Of a try whose last call let the person go on. */
function openVerdict(
  { rows, clientId }: Try<JudgedRow>,
  last: JudgedRow,
  { now, signIns, tokenClients }: TryContext,
): Omit<TryVerdict, 'steps'> {
  const start = rows.findLast(isStartCall);
  const signIn = start && signIns.get(start.id);
  if (signIn === 'completed' || signIn === 'late') return { outcome: 'let-in', fault: 'none', advice: 'let-in' };
  if (signIn === 'abandoned') return { outcome: 'unfinished', fault: 'person', advice: 'sign-in-abandoned' };
  if (signIn === 'pending' || now - last.occurredAt.getTime() <= TRY_GAP_MS)
    return { outcome: 'running', fault: 'none', advice: 'in-progress' };
  if (last.channel !== 'user-flow') return { outcome: 'unknown', fault: 'unknown', advice: 'not-seen' };
  if (!tokenClients.has(clientId)) return { outcome: 'unknown', fault: 'unknown', advice: 'not-seen' };
  if (last.step === 'PostFederationSignup')
    return { outcome: 'unfinished', fault: 'unknown', advice: 'page-unfinished' };
  // Between this step and the token only Microsoft acts: it creates the account.
  if (last.step === 'PostAttributeCollection')
    return { outcome: 'unfinished', fault: 'microsoft', advice: 'account-unfinished' };
  return { outcome: 'unknown', fault: 'unknown', advice: 'not-seen' };
}

function stepsOf({ rows }: Try<JudgedRow>): TryStep[] {
  const custom = rows.filter(({ channel }) => channel === 'custom-policy');
  const others = rows.filter(({ channel }) => channel !== 'custom-policy');
  return [
    ...(others.length === 0 ? [] : inOrder([...STEPS], others)),
    ...(custom.length === 0 ? [] : inOrder(exchangesOf(custom), custom)),
  ];
}

/** The exchanges of a try. Which ones a custom policy calls is unknown, but a sign-in has two ends. */
function exchangesOf(rows: readonly JudgedRow[]): string[] {
  const called = [...new Set(rows.map(({ step }) => nameOf(step)))];
  const between = called.filter((step) => step !== SIGN_IN_STARTED && step !== SIGN_IN_COMPLETED);
  return between.length < called.length ? [SIGN_IN_STARTED, ...between, SIGN_IN_COMPLETED] : between;
}

const nameOf = (step: string) =>
  [SIGN_IN_STARTED, SIGN_IN_COMPLETED].find((known) => known.toLowerCase() === step.toLowerCase()) ?? step;

/** The steps that were to come, and after them those with another name. */
function inOrder(expected: readonly string[], rows: readonly JudgedRow[]): TryStep[] {
  const unexpected = new Set(rows.map(({ step }) => nameOf(step)).filter((step) => !expected.includes(step)));
  const attemptsAt = (step: string) => rows.filter((row) => nameOf(row.step) === step).map(({ id }) => id);
  const reached = expected.findLastIndex((step) => attemptsAt(step).length > 0);
  const known = expected.map((step, index) => {
    const attempts = attemptsAt(step);
    const status = attempts.length > 0 ? 'reached' : index < reached ? 'skipped' : 'not-reached';
    return { step, status, attempts } as const;
  });
  return [
    ...known,
    ...[...unexpected].map((step) => ({ step, status: 'reached', attempts: attemptsAt(step) }) as const),
  ];
}
