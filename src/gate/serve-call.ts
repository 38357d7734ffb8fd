/** Serves an admitted call of any channel: answers it, and records it after the reply. */
import type { Context } from 'hono';
import { nextNumber, UNNUMBERED } from '../attempts/attempt-number.ts';
import { probedBy } from '../attempts/probe.ts';
import type { Accepted } from '../callers/credential.ts';
import { configOf } from '../platform/config.ts';
import { sharedTimer } from '../platform/timeout.ts';
import type { Step } from '../sign-in/event.ts';
import { answer, type Call, type FrontDoor, type Parsed, type Reply } from './answer.ts';
import type { GateBindings } from './env.ts';
import { KvWorld } from './know.ts';
import { remember } from './remember.ts';

export interface Admitted {
  readonly caller: Accepted;
  /** The step or exchange that the URL names. */
  readonly urlStep: Step | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Never rejects. */
export async function serveCall<Read extends Parsed>(
  c: Context<GateBindings>,
  door: FrontDoor<Read>,
  { caller, urlStep, startedAt }: Admitted,
): Promise<Reply> {
  const config = configOf(c.env);
  // The timer is not cleared: the runtime drops it with the call, and clearing costs 5 % of a call (measured).
  const { withTimeout } = sharedTimer(config.KV_TIMEOUT_MS);
  const deadline = startedAt + config.DECISION_TIMEOUT_MS;
  const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const world = new KvWorld({ kv: c.env.GATEHOUSE, config, startedAt, deadline, withTimeout, later });
  const call: Call = {
    request: c.req.raw,
    caller: caller.name,
    callerKind: caller.kind,
    urlStep,
    startedAt,
    decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
    withTimeout,
  };
  // Before the work begins, so that also a call that never ends leaves a gap.
  const number = probedBy(c.req.raw) === undefined ? nextNumber(startedAt) : UNNUMBERED;
  const answering = answer(door, world, call);
  // Register all work before the first await: Cloudflare cancels a call's work when the caller disconnects.
  later(answering.then((answered) => remember(c.env, door, world, answered, number)));
  return (await answering).reply;
}
