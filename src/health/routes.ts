/** Is everything behind Gatehouse up. (`GET /health`, which asks only whether Gatehouse is, stands in app.ts.) */
import { newApp } from '../context.ts';
import { askParts } from './readiness.ts';

export const health = newApp().get('/ready', async (c) => {
  const answer = await askParts(c.env, (work) => c.executionCtx.waitUntil(work));
  return c.json(answer, answer.status === 'ready' ? 200 : 503);
});
