/** Is it up, and is everything behind it up. */
import { guard } from '../callers/guard.ts';
import { factory } from '../context.ts';
import { askParts } from './readiness.ts';

export const health = factory
  .createApp()
  // For load balancers and uptime checks: touches nothing else.
  .get('/', (c) => c.json({ status: 'ok' }))
  .get('/ready', guard('reports'), async (c) => {
    const answer = await askParts(c.env);
    return c.json(answer, answer.status === 'ready' ? 200 : 503);
  });
