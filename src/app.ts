/** All of HTTP. B2C's calls are answered by an app of their own; whatever people ask is in `staff.ts`, which is loaded when somebody asks. */

import { newApp } from './context.ts';
import { answerInPanic, userFlow } from './gate/user-flow/routes.ts';
import { errorFields, log } from './log.ts';

/** Without middleware, and with nothing else that a call's path could match: every step costs the person who waits. */
const connectors = newApp();
connectors.route('/connectors/user-flow', userFlow);
connectors.notFound((c) => {
  // Most likely a slip in the portal: nobody's sign-in works until it is mended. Never the URL, which may hold a key.
  log('no-such-connector', { method: c.req.method });
  return c.json({ version: '1.0.0', status: 404, userMessage: 'There is no connector at this address.' }, 404);
});
connectors.onError(answerInPanic);

const others = newApp();
// For load balancers and uptime checks: touches nothing else.
others.get('/health', (c) => c.json({ status: 'ok' }, 200, { 'Cache-Control': 'no-store' }));
others.all('*', async (c) => (await import('./staff.ts')).staff.fetch(c.req.raw, c.env, c.executionCtx));
// What `staff.ts` does not catch: that it could not be loaded.
others.onError((error, c) => {
  log('request-failed', { method: c.req.method, ...errorFields(error) });
  return c.json({ type: 'about:blank', title: 'Something went wrong here', status: 500 }, 500);
});

const CONNECTOR = /^https?:\/\/[^/?#]*\/connectors(?:[/?#]|$)/;

export const app = {
  fetch: (request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> =>
    (CONNECTOR.test(request.url) ? connectors : others).fetch(request, env, ctx),
};
