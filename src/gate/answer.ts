/** What and decide and reply for one user-flow call. Never rejects: whatever happens, B2C gets an answer that its contract allows. */
import { randomSupportCode, supportCodeOf } from '../attempts/support-code.ts';
import type { Config } from '../config.ts';
import { entitledTo } from '../entitlements/document.ts';
import { type Lookup, lookUp } from '../entitlements/store.ts';
import { errorFields, log } from '../log.ts';
import { type Decision, decideWithoutPolicy, judge, type WithoutPolicy, worded } from '../policy/decide.ts';
import { NOTHING_HELD, type PersonEntitlements } from '../policy/policy.ts';
import { type InForce, policyInForce, policyInMemory } from '../policy/store.ts';
import { bestKey, isDisguised, type SignInEvent, type Step } from '../sign-in/event.ts';
import { Late, type Within } from '../within.ts';
import { readBody } from './body.ts';
import { type Reply, replyTo } from './user-flow/reply.ts';
import { readEvent } from './user-flow/request.ts';

/** A call whose caller is known. */
export interface Call {
  readonly request: Request;
  readonly urlStep: Step | undefined;
  readonly callerName: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly kv: Pick<KVNamespace, 'get'>;
  /** Takes work that is under way and goes on after the reply. */
  readonly later: (work: Promise<unknown>) => void;
  /** Takes work that begins when the reply is out. */
  readonly afterReply: (work: () => Promise<unknown>) => void;
  readonly config: Config;
  /** One timer for all limits of the call: each is dear. */
  readonly within: Within;
}

/** What was learnt of a call on the way; kept apart from the call so that an early answer can use what is there. */
export interface Seen {
  bytes: Uint8Array;
  event: SignInEvent | undefined;
  lookup: Lookup | undefined;
  entitlements: PersonEntitlements;
  /** How many names of roles and groups were left out. */
  droppedNames: number;
  /** What was to decide; undefined until it is known. */
  inForce: InForce | undefined;
}

export interface Answer {
  readonly seen: Seen;
  /** `''`, or why the outcome is `error`. */
  readonly reason: string;
  readonly decision: Decision;
  readonly reply: Reply;
  /** `''` where everything went well. */
  readonly supportCode: string;
  readonly durationMs: number;
}

/** Milliseconds that deciding and replying need after KV's last moment. */
const AFTER_KV_MS = 100;

export async function answer(call: Call): Promise<Answer> {
  const seen: Seen = {
    bytes: new Uint8Array(),
    event: undefined,
    lookup: undefined,
    entitlements: NOTHING_HELD,
    droppedNames: 0,
    inForce: undefined,
  };
  const deadline = Date.now() + call.config.DECISION_TIMEOUT_MS;
  try {
    return await call.within(call.config.DECISION_TIMEOUT_MS, () => answerInTime(call, seen, deadline));
  } catch (error) {
    // What was too late goes on and learns more: the answer, and the attempt, are about what was known by now.
    const known = { ...seen, entitlements: NOTHING_HELD };
    if (error instanceof Late) return answerWithoutPolicy(call, known, 'deadline');
    log('call-failed', { route: '/connectors/user-flow', step: stepOf(call, known), ...errorFields(error) });
    return answerWithoutPolicy(call, known, 'exception');
  }
}

async function answerInTime(call: Call, seen: Seen, deadline: number): Promise<Answer> {
  const { config } = call;
  // Before the body is read, so that a cold isolate waits for both at once; mostly memory has it.
  const asked = policyInForce({
    ...call,
    now: call.startedAt,
    timeoutMs: timeForKv(config, deadline),
    coldTimeoutMs: config.DECISION_TIMEOUT_MS - AFTER_KV_MS,
  });
  const body = await readBody(call.request);
  seen.bytes = body.bytes;
  if (!body.ok) return answerWithoutPolicy(call, seen, body.reason);

  const event = await readEvent(body.members, call.urlStep);
  seen.event = event;
  const { step } = event;
  if (step === undefined) {
    const decision: Decision = { kind: 'continue', claims: {} };
    return finish(call, seen, decision, 'unknown-step', await codeOf(call, seen));
  }

  const early = step === 'PreTokenIssuance' ? lookUpPerson(call, event, deadline) : undefined;
  seen.inForce = asked instanceof Promise ? await asked : asked;
  const { policy } = seen.inForce;
  if (policy === undefined) return answerWithoutPolicy(call, seen, 'no-policy');
  // The built-in policy asks nothing at sign-up; support still sees whether somebody was known to us.
  if (early !== undefined || policy.sendsRoles || policy.asksPerson[step]) {
    holdEntitlements(seen, event, await (early ?? lookUpPerson(call, event, deadline)));
  }
  const verdict = judge(event, seen.entitlements, policy, call.startedAt);
  // The code costs a signature: it is made only for those who are shown it.
  const supportCode = verdict.kind === 'continue' ? '' : await codeOf(call, seen);
  return finish(call, seen, worded(verdict, event, policy, supportCode), '', supportCode);
}

/** So that a slow body leaves what is last known its turn. */
const timeForKv = (config: Config, deadline: number) =>
  Math.max(0, Math.min(config.KV_TIMEOUT_MS, deadline - Date.now() - AFTER_KV_MS));

const lookUpPerson = (call: Call, event: SignInEvent, deadline: number): Promise<Lookup> =>
  lookUp(call.kv, event.personKeys, {
    emailIsTrusted: emailIsTrusted(event, call.config.EMAIL_TRUSTED_ISSUERS),
    timeoutMs: timeForKv(call.config, deadline),
    within: call.within,
    staleMaxSeconds: call.config.STALE_ROLES_MAX_SECONDS,
    now: call.startedAt,
    later: call.later,
  });

function holdEntitlements(seen: Seen, event: SignInEvent, lookup: Lookup): void {
  const { dropped, ...entitlements } = heldIn(lookup, event);
  seen.lookup = lookup;
  seen.entitlements = entitlements;
  seen.droppedNames = dropped;
}

function heldIn({ found: { record }, degraded }: Lookup, event: SignInEvent) {
  const known = degraded === '' || degraded === 'kv-stale-copy';
  const held = record === undefined ? { ...NOTHING_HELD, dropped: 0 } : entitledTo(record, event.clientId);
  return { ...held, known };
}

/** What we hold about the person of a call that was answered without asking. */
export async function entitlementsOf(call: Call, event: SignInEvent): Promise<PersonEntitlements> {
  return heldIn(await lookUpPerson(call, event, Date.now() + call.config.DECISION_TIMEOUT_MS), event);
}

/**
 * Whether an `email:` record may count for this call: every identity it came with must be of an issuer that the operator
 * trusts to have checked the address. `-` in the list means calls without identities. Unreadable or surplus identities
 * could be anybody's.
 */
export function emailIsTrusted(event: SignInEvent, trusted: readonly string[]): boolean {
  if (event.identitiesAre === 'partial' || isDisguised(event.email)) return false;
  if (event.identitiesAre === 'none') return trusted.includes('-');
  return event.identities.every(({ issuer }) => issuer !== '-' && trusted.includes(issuer));
}

async function answerWithoutPolicy(call: Call, seen: Seen, reason: string): Promise<Answer> {
  const supportCode = await codeOf(call, seen);
  const event = { step: stepOf(call, seen), locale: seen.event?.locale ?? '' };
  // Before it was known what decides, memory has the words and says what happens then: the attempt names that version.
  const inForce = seen.inForce ?? { policy: policyInMemory(call.config), shadow: undefined, fault: '' };
  const policy = inForce.policy ?? policyInMemory(call.config);
  const decision = decideWithoutPolicy(event, policy, WHY[reason] ?? 'unreadable-body', supportCode);
  return finish(call, { ...seen, inForce }, decision, reason, supportCode);
}

/** Everything else is a fault of the body. */
const WHY: { readonly [reason: string]: WithoutPolicy } = {
  deadline: 'late',
  exception: 'unavailable',
  'no-policy': 'unavailable',
};

function finish(call: Call, seen: Seen, decision: Decision, reason: string, supportCode: string): Answer {
  const reply = replyTo(decision, stepOf(call, seen));
  return { seen, reason, decision, reply, supportCode, durationMs: Math.max(0, Date.now() - call.startedAt) };
}

const stepOf = (call: Call, seen: Seen): Step | undefined =>
  seen.event === undefined ? call.urlStep : seen.event.step;

/** Bodies of which nothing could be read would all have one code, and lead support to other people. */
async function codeOf(call: Call, seen: Seen): Promise<string> {
  if (seen.bytes.byteLength === 0) return randomSupportCode();
  try {
    return await supportCodeOf(call.config.SUPPORT_CODE_KEY, callIdentity(call, seen), call.startedAt);
  } catch (error) {
    log('support-code-failed', errorFields(error));
    return randomSupportCode();
  }
}

/** What makes two calls the same call, for support code and fingerprint. */
export const callIdentity = (call: Call, seen: Seen) => ({
  step: stepOf(call, seen) ?? '',
  clientId: seen.event?.clientId ?? '',
  personKey: seen.event === undefined ? '' : bestKey(seen.event.personKeys),
  body: seen.bytes,
});
