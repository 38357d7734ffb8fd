/** What and decide and reply for one user-flow call. Never rejects: whatever happens, B2C gets an answer that its contract allows. */
import { randomSupportCode, supportCodeOf } from '../../attempts/support-code.ts';
import type { Config } from '../../config.ts';
import { rolesFor } from '../../entitlements/document.ts';
import { type Lookup, lookUp } from '../../entitlements/store.ts';
import { errorFields, log } from '../../log.ts';
import { type Decision, decide, decideWithoutPolicy, type Policy } from '../../policy/decide.ts';
import { Late, within } from '../../within.ts';
import { isDisguised, type SignInEvent, type Step } from '../event.ts';
import { readBody } from './body.ts';
import { readEvent } from './claims.ts';
import { type Reply, replyTo } from './reply.ts';

/** A call whose caller is known. */
export interface Call {
  readonly request: Request;
  readonly urlStep: Step | undefined;
  readonly callerName: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly kv: Pick<KVNamespace, 'get'>;
  /** Takes work that goes on after the reply. */
  readonly later: (work: Promise<unknown>) => void;
  readonly config: Config;
}

/** What was learnt of a call on the way; kept apart from the call so that an early answer can use what is there. */
export interface Seen {
  bytes: Uint8Array;
  event: SignInEvent | undefined;
  lookup: Lookup | undefined;
  roles: readonly string[];
  droppedRoles: number;
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
  const seen: Seen = { bytes: new Uint8Array(), event: undefined, lookup: undefined, roles: [], droppedRoles: 0 };
  const deadline = Date.now() + call.config.DECISION_TIMEOUT_MS;
  try {
    return await within(call.config.DECISION_TIMEOUT_MS, () => answerInTime(call, seen, deadline));
  } catch (error) {
    // What was too late goes on and learns more: the answer, and the attempt, are about what was known by now.
    const known = { ...seen, roles: [] };
    if (error instanceof Late) return answerWithoutPolicy(call, known, 'deadline');
    log('call-failed', { route: '/connectors/user-flow', step: stepOf(call, known), ...errorFields(error) });
    return answerWithoutPolicy(call, known, 'exception');
  }
}

async function answerInTime(call: Call, seen: Seen, deadline: number): Promise<Answer> {
  const { config } = call;
  const body = await readBody(call.request);
  seen.bytes = body.bytes;
  if (!body.ok) return answerWithoutPolicy(call, seen, body.reason);

  const event = await readEvent(body.members, call.urlStep);
  seen.event = event;
  if (event.step === undefined) {
    const decision: Decision = { kind: 'continue', claims: {} };
    return finish(call, seen, decision, 'unknown-step', await codeOf(call, seen));
  }

  const lookup = await lookUp(call.kv, event.personKeys, {
    emailIsTrusted: emailIsTrusted(event, config.EMAIL_TRUSTED_ISSUERS),
    // So that a slow body leaves the last known roles their turn.
    timeoutMs: Math.max(0, Math.min(config.KV_TIMEOUT_MS, deadline - Date.now() - AFTER_KV_MS)),
    staleMaxSeconds: config.STALE_ROLES_MAX_SECONDS,
    now: call.startedAt,
    later: call.later,
  });
  seen.lookup = lookup;
  if (lookup.found.record !== undefined) {
    const { roles, dropped } = rolesFor(lookup.found.record, event.clientId);
    seen.roles = roles;
    seen.droppedRoles = dropped;
  }
  // Today's policy turns nobody away, so that the code, which costs a signature, is made only for what went wrong.
  return finish(call, seen, decide(event, seen, builtInPolicy(config), call.startedAt, ''), '', '');
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
  const why = reason === 'deadline' || reason === 'exception' ? 'unavailable' : 'unreadable-body';
  const decision = decideWithoutPolicy({ step: stepOf(call, seen) }, builtInPolicy(call.config), why, supportCode);
  return finish(call, seen, decision, reason, supportCode);
}

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
  personKey: seen.event?.personKeys.oid ?? seen.event?.personKeys.idp[0] ?? seen.event?.personKeys.email ?? '',
  body: seen.bytes,
});

const policies = new WeakMap<Config, Policy>();

/** The policy before the first one is saved: roles in the token, nothing else. */
export function builtInPolicy(config: Config): Policy {
  let policy = policies.get(config);
  if (policy === undefined) {
    const { ROLES_CLAIM: name, EXTENSIONS_APP_ID: app } = config;
    const long = app !== '' && name.startsWith('extension_');
    policy = { version: 0, rolesClaim: long ? name.replace('extension_', `extension_${app}_`) : name };
    policies.set(config, policy);
  }
  return policy;
}
