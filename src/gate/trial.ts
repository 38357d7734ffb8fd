/** Tries one call: the reply and a trace. It uses the pipeline of a real call and records nothing. */
import { leftOutNote } from '../attempts/notes.ts';
import type { CallIdentity } from '../attempts/support-code.ts';
import { entitledTo } from '../entitlements/stored-record.ts';
import { nameList } from '../platform/name-list.ts';
import type { Decision, RuleTrace } from '../policy/decide.ts';
import { exchangeKey } from '../policy/exchange.ts';
import { type ExpressionResult, NOTHING_HELD, type PersonEntitlements, type Policy } from '../policy/policy.ts';
import type { ClaimValue, SignInEvent, Step } from '../sign-in/event.ts';
import { answer, type Call, type Reached, stepOf, type World } from './answer.ts';
import { customPolicyDoor } from './custom-policy/door.ts';
import { personIdOf } from './person-id.ts';
import { userFlowDoor } from './user-flow/door.ts';

/** Entitlements of a person, in the input format of `/admin/people`. */
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
  /** The request body from B2C; the claims of a call of an exchange. */
  readonly body: Record<string, unknown>;
  /** The step or the exchange in the URL. */
  readonly urlStep: Step | undefined;
  readonly policy: Policy;
  readonly entitlements: (event: SignInEvent) => PersonEntitlements | Promise<PersonEntitlements>;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly supportCode: (identity: CallIdentity) => Promise<string>;
  /** The secret of `person.id`. Default: a sample, so that its values are no one's. */
  readonly personIdSecret?: string;
}

/** The trace of one rule of the step. */
export type TraceEntry =
  | ({ readonly reached: true } & RuleTrace)
  /** An earlier rule ended the call. */
  | { readonly reached: false; readonly rule: string };

export interface Tried {
  readonly reply: { readonly status: number; readonly body: Record<string, unknown> };
  readonly decision: Decision;
  /** `''` when the decision is to continue. */
  readonly supportCode: string;
  /** `''` when none is known. */
  readonly step: Step;
  readonly person: PersonEntitlements;
  readonly trace: readonly TraceEntry[];
  /** Reasons why no rule was evaluated, and claims that rules do not see. */
  readonly notes: readonly string[];
}

const SAMPLE_SECRET = 'sample';

export async function tryCall({
  body,
  urlStep,
  policy,
  entitlements,
  now,
  supportCode,
  personIdSecret,
}: Trial): Promise<Tried> {
  const evaluated: RuleTrace[] = [];
  const inForce = { policy, shadow: undefined, fault: '' } as const;
  const world: World = {
    policyInMemory: () => policy,
    policy: () => inForce,
    know: async (event) => {
      const person = event === undefined ? NOTHING_HELD : await entitlements(event);
      return { inForce, lookup: undefined, person, droppedNames: 0 };
    },
    personId: (event) => personIdOf(personIdSecret ?? SAMPLE_SECRET, event),
    supportCode,
    randomSupportCode: () => '',
    watch: (trace) => evaluated.push(trace),
  };
  const call: Call = {
    request: new Request('https://gatehouse.invalid/', { method: 'POST', body: JSON.stringify(body) }),
    caller: '',
    callerKind: '',
    urlStep,
    startedAt: now,
    decisionTimeoutMs: 0,
    // A trial has no timeout.
    withTimeout: (_, work) => work(),
  };
  const isOfExchange = policy.exchanges.has(exchangeKey(urlStep ?? ''));
  const answered = await (isOfExchange ? answer(customPolicyDoor([]), world, call) : answer(userFlowDoor, world, call));
  const { reached, reply, decision } = answered;
  const step = stepOf(reached);
  const rules = (step === undefined ? undefined : policy.steps.get(step)?.rules) ?? [];
  return {
    reply: { status: reply.status, body: reply.body === '' ? {} : JSON.parse(reply.body) },
    decision,
    supportCode: decision.kind === 'continue' ? '' : answered.supportCode,
    step: step ?? '',
    person: reached.person ?? NOTHING_HELD,
    trace: [
      ...evaluated.map((trace) => ({ reached: true as const, ...trace })),
      ...rules.slice(evaluated.length).map(({ id }) => ({ reached: false as const, rule: id })),
    ],
    notes: notesOn(reached, decision, policy),
  };
}

/** The entitlements that rules see for the application of the call. */
export function heldBy(event: SignInEvent, entitlements: TriedEntitlements): PersonEntitlements {
  const { roles = [], groups = [], attributes = {}, applications = {} } = entitlements;
  const byClientId = Object.entries(applications).map(([id, own]) => [id.trim().toLowerCase(), own] as const);
  const record = { roles, groups, attributes, applications: Object.fromEntries(byClientId) };
  const { dropped: _, ...held } = entitledTo(record, event.clientId);
  return { ...NOTHING_HELD, ...held };
}

/** The result of an expression in the output format. */
export type ShownResult = { readonly value: ClaimValue | string[] } | { readonly error: string };

export type ShownEntry =
  | { readonly rule: string; readonly reached: false }
  | {
      readonly rule: string;
      readonly reached: true;
      readonly applied: boolean;
      readonly when?: ShownResult;
      readonly set?: { readonly [name: string]: ShownResult };
    };

/** Converts an entry to the output format. */
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

const outcomeOf = (result: ExpressionResult): ShownResult =>
  result.ok ? { value: typeof result.value === 'object' ? [...result.value] : result.value } : { error: result.why };

function notesOn({ event }: Reached, { leftOut }: Decision, { onlyThese }: Policy): string[] {
  const notes: string[] = [];
  if (event === undefined) return ['no rule was evaluated: the body is not one that B2C sends'];
  if (event.step === undefined)
    notes.push('no rule was evaluated: neither the body nor the separate step names a known step');
  else if (onlyThese !== undefined && !onlyThese.has(event.clientId))
    notes.push('no rule was evaluated: the policy does not list the client id (onlyThese)');
  if (event.unexpectedClaims.length > 0)
    notes.push(`ignored, unsupported type of value: ${nameList(event.unexpectedClaims)}`);
  if (leftOut !== undefined) notes.push(leftOutNote(leftOut));
  return notes;
}
