/** The routes for B2C's user flows. */
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { randomSupportCode } from '../../attempts/support-code.ts';
import { authenticate } from '../../callers/authenticate.ts';
import { JSON_NOT_STORED, NOT_STORED } from '../../platform/answer-headers.ts';
import { configOf } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { policyInMemory } from '../../policy/active.ts';
import { decideWithoutPolicy } from '../../policy/decide.ts';
import { stepNamed } from '../../sign-in/steps.ts';
import type { Reply } from '../answer.ts';
import type { GateBindings } from '../env.ts';
import { refuse, serve } from '../serve.ts';
import { userFlowDoor } from './door.ts';
import { replyTo } from './reply.ts';

const ROUTE = '/connectors/user-flow';

export const userFlow = new Hono<GateBindings>()
  .post('/:step?', async (c): Promise<Response> => {
    const startedAt = Date.now();
    const caller = authenticate(c.req.raw, configOf(c.env).credentials.connector);
    if (!caller.ok) return refuse(c, caller);
    const urlStep = stepNamed(c.req.param('step') ?? '');
    const { reply } = await serve(c, userFlowDoor, { caller: caller.name, callerKind: 'basic', urlStep, startedAt });
    return written(reply);
  })
  // The portal reportedly checks that the address responds (contract 1.1). Hono answers HEAD with this route too.
  .get('/:step?', (c) => {
    const caller = authenticate(c.req.raw, configOf(c.env).credentials.connector);
    return caller.ok ? new Response(null, { headers: NOT_STORED }) : refuse(c, caller);
  });

const written = ({ status, body }: Reply) => new Response(body, { status, headers: JSON_NOT_STORED });

/** Answers a failure before there is a call. It leaves no attempt, so the log line contains the support code. */
export function answerInPanic(error: unknown, c: Context<GateBindings>): Response {
  const supportCode = randomSupportCode();
  log('call-failed', { route: ROUTE, supportCode, ...errorFields(error) });
  const step = stepNamed(c.req.param('step') ?? '');
  const policy = policyInMemory(configOf(c.env));
  return written(replyTo(decideWithoutPolicy({ step, languages: [] }, policy, 'unavailable', supportCode), step));
}
