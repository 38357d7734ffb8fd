/** The routes for B2C's user flows. */
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { randomSupportCode } from '../../attempts/support-code.ts';
import type { Accepted, Authentication } from '../../callers/credential.ts';
import { JSON_NOT_STORED, NOT_STORED } from '../../platform/answer-headers.ts';
import { configOf } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { sharedTimer } from '../../platform/timeout.ts';
import { policyInMemory } from '../../policy/active.ts';
import { decideWithoutPolicy } from '../../policy/decide.ts';
import { stepNamed } from '../../sign-in/steps.ts';
import { admit, refuseCaller } from '../admit.ts';
import { answer, type Call, type Reply } from '../answer.ts';
import type { GateBindings } from '../env.ts';
import { KvWorld } from '../know.ts';
import { remember } from '../remember.ts';
import { userFlowDoor } from './door.ts';
import { replyTo } from './reply.ts';

const ROUTE = '/connectors/user-flow';

export const userFlow = new Hono<GateBindings>()
  .post('/:step?', (c) => {
    const startedAt = Date.now();
    return admitted(c, (caller) => answerCall(c, caller, startedAt));
  })
  // The portal reportedly checks that the address responds (contract 1.1). Hono answers HEAD with this route too.
  .get('/:step?', (c) => admitted(c, () => new Response(null, { headers: NOT_STORED })));

type CallContext = Context<GateBindings, '/:step?'>;

/** Answers an admitted caller. Only a JWT costs a turn before that. */
function admitted(
  c: CallContext,
  answered: (caller: Accepted) => Response | Promise<Response>,
): Response | Promise<Response> {
  const answerTo = (caller: Authentication) => (caller.ok ? answered(caller) : refuseCaller(c, caller));
  const caller = admit(c, 'user-flow');
  if (!(caller instanceof Promise)) return answerTo(caller);
  const answering = caller.then(answerTo);
  // The whole chain continues when the caller disconnects. The app answers a failure.
  c.executionCtx.waitUntil(answering.catch(() => undefined));
  return answering;
}

async function answerCall(c: CallContext, caller: Accepted, startedAt: number): Promise<Response> {
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
    urlStep: stepNamed(c.req.param('step') ?? ''),
    startedAt,
    decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
    withTimeout,
  };
  const answering = answer(userFlowDoor, world, call);
  // Register all work before the first await: Cloudflare cancels a call's work when the caller disconnects.
  later(answering.then((answered) => remember(c.env, userFlowDoor, world, answered)));
  return written((await answering).reply);
}

const written = ({ status, body }: Reply) => new Response(body, { status, headers: JSON_NOT_STORED });

/** Answers a failure before there is a call. It leaves no attempt, so the log line contains the support code. */
export function answerInPanic(error: unknown, c: Context<GateBindings>): Response {
  const supportCode = randomSupportCode();
  log('call-failed', { route: ROUTE, supportCode, ...errorFields(error) });
  const step = stepNamed(c.req.param('step') ?? '');
  const policy = policyInMemory(configOf(c.env));
  return written(replyTo(decideWithoutPolicy({ step, languages: [] }, policy, 'unavailable', supportCode), step));
}
