/** `GET /health/ready`: whether everything behind Gatehouse is up. (`GET /health` is in gate/index.ts.) */
import { stateOf } from '../../platform/gate-state.ts';
import { newApp } from '../http/context.ts';
import { askParts } from './readiness.ts';

export const health = newApp().get('/ready', async (c) => {
  const parts = await askParts(c.env, stateOf(c.req.raw), (work) => c.executionCtx.waitUntil(work));
  return c.json(parts, parts.status === 'ready' ? 200 : 503);
});
