/** The gate: answers what Microsoft calls, and forwards every other path to the desk, so that there is one address. */

import { Hono } from 'hono/tiny';
import { configOf } from '../platform/config.ts';
import { withoutState, withState } from '../platform/gate-state.ts';
import { errorFields, log } from '../platform/log.ts';
import type { GateBindings, GateEnv } from './env.ts';
import { answerInPanic, userFlow } from './user-flow/routes.ts';

/** Without middleware, and with nothing else that a call's path could match: every step costs the person who waits. */
const connectors = new Hono<GateBindings>();
connectors.route('/connectors/user-flow', userFlow);
connectors.notFound((c) => {
  // Most likely a slip in the portal: no sign-in works until it is corrected. Never the URL, which may hold a key.
  log('no-such-connector', { method: c.req.method });
  return c.json({ version: '1.0.0', status: 404, userMessage: 'There is no connector at this address.' }, 404);
});
connectors.onError(answerInPanic);

const others = new Hono<GateBindings>();
// For load balancers and uptime checks: touches nothing else.
others.get('/health', (c) => c.json({ status: 'ok' }, 200, { 'Cache-Control': 'no-store' }));
for (const path of ['/', '/health/ready'])
  others.get(path, async (c) => c.env.DESK.fetch(await withState(c.req.raw, configOf(c.env))));
others.all('*', (c) => c.env.DESK.fetch(withoutState(c.req.raw)));
// The desk is away or being deployed.
others.onError((error, c) => {
  log('request-failed', { method: c.req.method, ...errorFields(error) });
  const detail =
    'The part of Gatehouse that answers people is away. Sign-ins go on, and no attempt is lost. Try again soon.';
  const code = 'desk-unavailable';
  const body = { type: `urn:gatehouse:problem:${code}`, title: 'Not available right now', status: 503, detail, code };
  return c.body(JSON.stringify(body), 503, { 'Content-Type': 'application/problem+json', 'Retry-After': '30' });
});

const CONNECTOR = /^https?:\/\/[^/?#]*\/connectors(?:[/?#]|$)/;

export default {
  fetch: (request, env, ctx) => (CONNECTOR.test(request.url) ? connectors : others).fetch(request, env, ctx),
} satisfies ExportedHandler<GateEnv>;
