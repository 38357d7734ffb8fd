/** The routes for B2C's user flows. */
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { countRefusal } from '../../attempts/refused-calls.ts';
import { randomSupportCode } from '../../attempts/support-code.ts';
import { authenticate } from '../../callers/authenticate.ts';
import type { Authentication } from '../../callers/credential.ts';
import { JSON_NOT_STORED, NOT_STORED } from '../../platform/answer-headers.ts';
import { configOf } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { sharedTimer } from '../../platform/timeout.ts';
import { policyInMemory } from '../../policy/active.ts';
import { decideWithoutPolicy } from '../../policy/decide.ts';
import { stepNamed } from '../../sign-in/steps.ts';
import { answer, type Call, type Reply } from '../answer.ts';
import type { GateBindings } from '../env.ts';
import { KvWorld } from '../know.ts';
import { remember } from '../remember.ts';
import { userFlowDoor } from './door.ts';
import { replyTo } from './reply.ts';

const UNAUTHENTICATED = { ...NOT_STORED, 'WWW-Authenticate': 'Basic realm="Gatehouse", charset="UTF-8"' };
const ROUTE = '/connectors/user-flow';

export const userFlow = new Hono<GateBindings>()
  .post('/:step?', async (c): Promise<Response> => {
    const startedAt = Date.now();
    const config = configOf(c.env);
    const caller = authenticate(c.req.raw, config.credentials.connector);
    if (!caller.ok) return refuse(c, caller);

    // The timer is not cleared: the runtime drops it with the call, and clearing costs 5 % of a call (measured).
    const { withTimeout } = sharedTimer(config.KV_TIMEOUT_MS);
    const deadline = startedAt + config.DECISION_TIMEOUT_MS;
    const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
    const world = new KvWorld({ kv: c.env.GATEHOUSE, config, startedAt, deadline, withTimeout, later });
    const call: Call = {
      request: c.req.raw,
      caller: caller.name,
      urlStep: stepNamed(c.req.param('step') ?? ''),
      startedAt,
      decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
      withTimeout,
    };
    const answering = answer(userFlowDoor, world, call);
    // Register all work before the first await: Cloudflare cancels a call's work when the caller disconnects.
    later(answering.then((answered) => remember(c.env, userFlowDoor, world, answered)));
    return written((await answering).reply);
  })
  // The portal reportedly checks that the address responds (contract 1.1). Hono answers HEAD with this route too.
  .get('/:step?', (c) => {
    const caller = authenticate(c.req.raw, configOf(c.env).credentials.connector);
    return caller.ok ? new Response(null, { headers: NOT_STORED }) : refuse(c, caller);
  });

const written = ({ status, body }: Reply) => new Response(body, { status, headers: JSON_NOT_STORED });

/** 401 has no body (contract line 47). */
function refuse(c: Context<GateBindings>, { reason, name = '' }: Extract<Authentication, { ok: false }>): Response {
  countRefusal({ route: 'connector', reason, name }, Date.now(), c.env.ATTEMPTS, (work) =>
    c.executionCtx.waitUntil(work),
  );
  return new Response(null, { status: 401, headers: UNAUTHENTICATED });
}

/** Answers a failure before there is a call. It leaves no attempt, so the log line contains the support code. */
export function answerInPanic(error: unknown, c: Context<GateBindings>): Response {
  const supportCode = randomSupportCode();
  log('call-failed', { route: ROUTE, supportCode, ...errorFields(error) });
  const step = stepNamed(c.req.param('step') ?? '');
  const policy = policyInMemory(configOf(c.env));
  return written(replyTo(decideWithoutPolicy({ step, languages: [] }, policy, 'unavailable', supportCode), step));
}
