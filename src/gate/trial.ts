/** One call tried out: the reply that B2C would get, and how it came about. Pure but for digests of long keys: nothing is asked, nothing is recorded. */
import { entitledTo } from '../entitlements/document.ts';
import { type Decision, judge, type RuleTrace, worded } from '../policy/decide.ts';
import { NOTHING_HELD, type PersonEntitlements, type Policy, type Result } from '../policy/policy.ts';
import type { ClaimValue, SignInEvent, Step } from '../sign-in/event.ts';
import { replyTo } from './user-flow/reply.ts';
import { readEvent } from './user-flow/request.ts';

/** What stands in the entitlements of somebody, in the form in which `/admin/people` takes it. */
export interface TriedEntitlements {
  readonly roles?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly attributes?: PersonEntitlements['attributes'] | undefined;
  readonly applications?:
    | {
        readonly [clientId: string]: {
          readonly roles?: readonly string[] | undefined;
          readonly groups?: readonly string[] | undefined;
        };
      }
    | undefined;
}

export interface Trial {
  readonly event: SignInEvent;
  readonly policy: Policy;
  readonly entitlements: PersonEntitlements;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly supportCode: string;
}

/** What became of a rule of the call's step. */
export type TraceEntry =
  | ({ readonly reached: true } & RuleTrace)
  /** An earlier rule had ended it. */
  | { readonly reached: false; readonly rule: string };

export interface Tried {
  readonly reply: { readonly status: 200 | 400; readonly body: Record<string, unknown> };
  readonly decision: Decision;
  /** `''` where nobody is turned away. */
  readonly supportCode: string;
  readonly trace: readonly TraceEntry[];
}

/** A body of B2C's as the event that rules see; `urlStep` counts when the body names no step that we know. */
export const eventOf = (body: Record<string, unknown>, urlStep: Step | undefined): Promise<SignInEvent> =>
  readEvent(body, urlStep);

/** Entitlements as rules see them for the application of the call. */
export function heldBy(event: SignInEvent, entitlements: TriedEntitlements): PersonEntitlements {
  const { roles = [], groups = [], attributes = {}, applications = {} } = entitlements;
  const byClientId = Object.entries(applications).map(([id, own]) => [id.trim().toLowerCase(), own] as const);
  const record = { roles, groups, attributes, applications: Object.fromEntries(byClientId) };
  const { dropped: _, ...held } = entitledTo(record, event.clientId);
  return { ...NOTHING_HELD, ...held };
}

export function tryCall({ event, policy, entitlements, now, supportCode }: Trial): Tried {
  const seen: RuleTrace[] = [];
  const verdict = judge(event, entitlements, policy, now, (trace) => seen.push(trace));
  const decision = worded(verdict, event, policy, supportCode);
  const { status, body } = replyTo(decision, event.step);
  const rules = event.step === undefined ? [] : policy.rules[event.step];
  return {
    reply: { status, body: JSON.parse(body) },
    decision,
    supportCode: decision.kind === 'continue' ? '' : supportCode,
    trace: [
      ...seen.map((trace) => ({ reached: true as const, ...trace })),
      ...rules.slice(seen.length).map(({ id }) => ({ reached: false as const, rule: id })),
    ],
  };
}

/** A result as people are shown it. */
export type ShownResult = { readonly value: ClaimValue } | { readonly error: string };

export type ShownEntry =
  | { readonly rule: string; readonly reached: false }
  | {
      readonly rule: string;
      readonly reached: true;
      readonly applied: boolean;
      readonly when?: ShownResult;
      readonly set?: { readonly [name: string]: ShownResult };
    };

/** An entry as people are shown it: each result a value, or why there is none. */
export function shownEntry(entry: TraceEntry): ShownEntry {
  if (!entry.reached) return { rule: entry.rule, reached: false };
  const { when, set, ...rest } = entry;
  return {
    ...rest,
    ...(when === undefined ? {} : { when: outcomeOf(when) }),
    ...(set === undefined
      ? {}
      : { set: Object.fromEntries(Object.entries(set).map(([name, result]) => [name, outcomeOf(result)])) }),
  };
}

const outcomeOf = (result: Result): ShownResult => (result.ok ? { value: result.value } : { error: result.why });

/** Why no rule was looked at, and what B2C's body holds that rules do not see as it was sent. */
export function notesOn(
  { step, clientId, unexpectedClaims }: SignInEvent,
  { onlyThese }: Pick<Policy, 'onlyThese'>,
): string[] {
  const notes: string[] = [];
  if (step !== undefined && onlyThese !== undefined && !onlyThese.has(clientId))
    notes.push('the client id is none of the applications that the policy names (onlyThese): no rule was looked at');
  if (step === undefined)
    notes.push('neither the body nor the step beside it is one that we know: no rule was looked at');
  if (unexpectedClaims.length > 0)
    notes.push(`as if absent, since their values are of no type that a claim has: ${unexpectedClaims.join(', ')}`);
  return notes;
}
