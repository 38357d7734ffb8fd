/** The routes for B2C's user flows. */
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { randomSupportCode } from '../../attempts/support-code.ts';
import { JSON_NOT_STORED, NOT_STORED } from '../../platform/answer-headers.ts';
import { configOf } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { policyInMemory } from '../../policy/active.ts';
import { decideWithoutPolicy } from '../../policy/decide.ts';
import { stepNamed } from '../../sign-in/steps.ts';
import { admitted } from '../admit.ts';
import type { Reply } from '../answer.ts';
import type { GateBindings } from '../env.ts';
import { serveCall } from '../serve-call.ts';
import { userFlowDoor } from './door.ts';
import { replyTo } from './reply.ts';

const ROUTE = '/connectors/user-flow';

export const userFlow = new Hono<GateBindings>()
  .post('/:step?', (c) => {
    const startedAt = Date.now();
    const urlStep = stepNamed(c.req.param('step') ?? '');
    return admitted(c, 'user-flow', async (caller) =>
      written(await serveCall(c, userFlowDoor, { caller, urlStep, startedAt })),
    );
  })
  // The portal reportedly checks that the address responds (contract 1.1). Hono answers HEAD with this route too.
  .get('/:step?', (c) => admitted(c, 'user-flow', () => new Response(null, { headers: NOT_STORED })));

const written = ({ status, body }: Reply) => new Response(body, { status, headers: JSON_NOT_STORED });

/** Answers a failure before there is a call. It leaves no attempt, so the log line contains the support code. */
export function answerInPanic(error: unknown, c: Context<GateBindings>): Response {
  const supportCode = randomSupportCode();
  log('call-failed', { route: ROUTE, supportCode, ...errorFields(error) });
  const step = stepNamed(c.req.param('step') ?? '');
  const policy = policyInMemory(configOf(c.env));
  return written(replyTo(decideWithoutPolicy({ step, languages: [] }, policy, 'unavailable', supportCode), step));
}
