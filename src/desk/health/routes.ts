/** Is everything behind Gatehouse up. (`GET /health`, which asks only whether the gate is up, is in gate/index.ts.) */

import { stateOf } from '../../platform/gate-state.ts';
import { newApp } from '../http/context.ts';
import { askParts } from './readiness.ts';

export const health = newApp().get('/ready', async (c) => {
  const answer = await askParts(c.env, stateOf(c.req.raw), (work) => c.executionCtx.waitUntil(work));
  return c.json(answer, answer.status === 'ready' ? 200 : 503);
});
