/** All of HTTP. B2C's calls are answered from here; whatever people ask is in `staff.ts`, which is loaded when somebody asks. */
import { userFlow } from './connectors/user-flow/routes.ts';
import { newApp } from './context.ts';
import { errorFields, log } from './log.ts';

export const app = newApp();

// Without middleware: every step costs the person who waits.
app.route('/connectors/user-flow', userFlow);
app.all('/connectors/*', (c) => {
  // Most likely a slip in the portal: nobody's sign-in works until it is mended. Never the URL, which may hold a key.
  log('no-such-connector', { method: c.req.method });
  return c.json({ version: '1.0.0', status: 404, userMessage: 'There is no connector at this address.' }, 404);
});

// For load balancers and uptime checks: touches nothing else.
app.get('/health', (c) => c.json({ status: 'ok' }, 200, { 'Cache-Control': 'no-store' }));

app.all('*', async (c) => (await import('./staff.ts')).staff.fetch(c.req.raw, c.env, c.executionCtx));

// What `staff.ts` does not catch: that it could not be loaded.
app.onError((error, c) => {
  log('request-failed', { method: c.req.method, ...errorFields(error) });
  return c.json({ type: 'about:blank', title: 'Something went wrong here', status: 500 }, 500);
});
