/** The front door for B2C's user flows: who, what, decide, reply, record. */
import type { Context } from 'hono';
import { v7 as uuidv7 } from 'uuid';
import { record } from '../../attempts/record.ts';
import { randomSupportCode } from '../../attempts/support-code.ts';
import { authenticate } from '../../callers/authenticate.ts';
import type { Authentication } from '../../callers/credential.ts';
import { configOf } from '../../config.ts';
import { newApp } from '../../context.ts';
import { errorFields, log } from '../../log.ts';
import { decideWithoutPolicy } from '../../policy/decide.ts';
import { policyInMemory } from '../../policy/store.ts';
import { limitsOf } from '../../within.ts';
import { type Answer, answer, type Call } from '../answer.ts';
import { attemptOf, outcomeOf } from '../attempt.ts';
import { shadowDecision } from '../shadow.ts';
import { replyTo } from './reply.ts';
import { stepNamed } from './request.ts';

const JSON_HEADERS = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
const ROUTE = '/connectors/user-flow';

export const userFlow = newApp()
  .post('/:step?', (c): Response | Promise<Response> => {
    const startedAt = Date.now();
    const config = configOf(c.env);
    const caller = authenticate(c.req.raw, config.credentials.connector);
    if (!caller.ok) return refuse(caller);

    const urlStep = stepNamed(c.req.param('step') ?? '');
    const limits = limitsOf(config.KV_TIMEOUT_MS);
    const call: Call = {
      request: c.req.raw,
      urlStep,
      callerName: caller.name,
      startedAt,
      kv: c.env.GATEHOUSE,
      later: (work) => c.executionCtx.waitUntil(work),
      // Not before the next microtask: there is no answer yet.
      afterReply: (work) =>
        c.executionCtx.waitUntil(Promise.resolve().then(() => answered.then(replyIsOut).then(work))),
      config,
      within: limits.within,
    };
    const answered = answer(call);
    // The whole chain, before the first await: Cloudflare cancels a call's work when the caller hangs up.
    c.executionCtx.waitUntil(answered.then((given) => remember(c.env, call, given)).finally(limits.end));
    return answered.then(({ reply }) => new Response(reply.body, { status: reply.status, headers: JSON_HEADERS }));
  })
  // The portal is said to look whether the address answers (contract 1.1). Hono answers HEAD by this route too.
  .get('/:step?', (c) => {
    const caller = authenticate(c.req.raw, configOf(c.env).credentials.connector);
    return caller.ok ? new Response(null, { headers: { 'Cache-Control': 'no-store' } }) : refuse(caller);
  });

/** 401 has no body (contract line 47). One log line says why, never what was presented. */
function refuse({ reason, name }: Extract<Authentication, { ok: false }>): Response {
  log('refused', { kind: 'connector', route: ROUTE, reason, name });
  const headers = { 'WWW-Authenticate': 'Basic realm="Gatehouse", charset="UTF-8"', 'Cache-Control': 'no-store' };
  return new Response(null, { status: 401, headers });
}

/** A timer runs when the reply is out; a microtask would run before it (measured). */
const replyIsOut = () => new Promise((resolve) => setTimeout(resolve, 0));

async function shadowAfterReply(call: Call, given: Answer) {
  await replyIsOut();
  return shadowDecision(call, given, Math.random());
}

async function remember(env: Env, call: Call, given: Answer): Promise<void> {
  const id = uuidv7({ msecs: call.startedAt });
  try {
    const shadow = given.seen.inForce?.shadow === undefined ? undefined : await shadowAfterReply(call, given);
    await record(env, await attemptOf(call, given, id, shadow), call.within);
  } catch (error) {
    const step = given.seen.event?.step ?? call.urlStep;
    const objectId = given.seen.event?.objectId;
    log('attempt-lost', {
      id,
      at: new Date(call.startedAt).toISOString(),
      step,
      outcome: outcomeOf(given),
      objectId,
      ...errorFields(error),
    });
  }
}

/** For what fails before a call exists, and so leaves no attempt: the code that is shown stands in the log line. */
export function answerInPanic(error: unknown, c: Context): Response {
  const supportCode = randomSupportCode();
  log('call-failed', { route: ROUTE, supportCode, ...errorFields(error) });
  const step = stepNamed(c.req.param('step') ?? '');
  const reply = replyTo(
    decideWithoutPolicy({ step, locale: '' }, policyInMemory(configOf(c.env)), 'unavailable', supportCode),
    step,
  );
  return new Response(reply.body, { status: reply.status, headers: JSON_HEADERS });
}
