/** Serves an authenticated call of any channel: answers it, and records it after the reply. */
import type { Context } from 'hono';
import { countRefusal } from '../attempts/refused-calls.ts';
import type { Authentication } from '../callers/credential.ts';
import { NOT_STORED } from '../platform/answer-headers.ts';
import { configOf } from '../platform/config.ts';
import { sharedTimer } from '../platform/timeout.ts';
import type { Step } from '../sign-in/event.ts';
import { type Answered, answer, type Call, type FrontDoor, type Parsed } from './answer.ts';
import type { GateBindings } from './env.ts';
import { KvWorld } from './know.ts';
import { remember } from './remember.ts';

/** `startedAt`: milliseconds since 1970. Never rejects. */
export function serve<Read extends Parsed>(
  c: Context<GateBindings>,
  door: FrontDoor<Read>,
  {
    caller,
    callerKind,
    urlStep,
    startedAt,
  }: Pick<Call, 'caller' | 'callerKind' | 'startedAt'> & { readonly urlStep: Step | undefined },
): Promise<Answered> {
  const config = configOf(c.env);
  // The timer is not cleared: the runtime drops it with the call, and clearing costs 5 % of a call (measured).
  const { withTimeout } = sharedTimer(config.KV_TIMEOUT_MS);
  const deadline = startedAt + config.DECISION_TIMEOUT_MS;
  const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const world = new KvWorld({ kv: c.env.GATEHOUSE, config, startedAt, deadline, withTimeout, later });
  const call: Call = {
    request: c.req.raw,
    caller,
    callerKind,
    urlStep,
    startedAt,
    decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
    withTimeout,
  };
  const answering = answer(door, world, call);
  // Register all work before the first await: Cloudflare cancels a call's work when the caller disconnects.
  later(answering.then((answered) => remember(c.env, door, world, answered)));
  return answering;
}

const UNAUTHENTICATED = { ...NOT_STORED, 'WWW-Authenticate': 'Basic realm="Gatehouse", charset="UTF-8"' };

/** 401 has no body (contract line 47). */
export function refuse(
  c: Context<GateBindings>,
  { reason, name = '' }: Extract<Authentication, { ok: false }>,
): Response {
  countRefusal({ route: 'connector', reason, name }, Date.now(), c.env.ATTEMPTS, (work) =>
    c.executionCtx.waitUntil(work),
  );
  return new Response(null, { status: 401, headers: UNAUTHENTICATED });
}
