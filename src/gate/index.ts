/** The gate answers Microsoft's calls and forwards every other path to the desk, so that Gatehouse has one address. */
import { Hono } from 'hono/tiny';
import { countRefusal } from '../attempts/refused-calls.ts';
import { configOf } from '../platform/config.ts';
import { withoutState, withState } from '../platform/gate-state.ts';
import { errorFields, log } from '../platform/log.ts';
import type { GateBindings, GateEnv } from './env.ts';
import { answerInPanic, userFlow } from './user-flow/routes.ts';

/** A separate app without middleware, since each step delays a sign-in. */
const connectors = new Hono<GateBindings>();
connectors.route('/connectors/user-flow', userFlow);
connectors.notFound((c) => {
  // Most likely a typo in the portal, and no sign-in works until it is corrected. The URL is not logged: it may contain
  // a key.
  const refusal = { route: 'connector', reason: 'no-such-connector', name: '' } as const;
  countRefusal(refusal, Date.now(), c.env.ATTEMPTS, (work) => c.executionCtx.waitUntil(work));
  return c.json({ version: '1.0.0', status: 404, userMessage: 'There is no connector at this address.' }, 404);
});
connectors.onError(answerInPanic);

const others = new Hono<GateBindings>();
// For load balancers and uptime checks. It has no dependencies.
others.get('/health', (c) => c.json({ status: 'ok' }, 200, { 'Cache-Control': 'no-store' }));
for (const path of ['/', '/health/ready'])
  others.get(path, async (c) => c.env.DESK.fetch(await withState(c.req.raw, configOf(c.env))));
others.all('*', (c) => c.env.DESK.fetch(withoutState(c.req.raw)));
// The desk is unavailable or being deployed.
others.onError((error, c) => {
  log('request-failed', { method: c.req.method, ...errorFields(error) });
  const detail =
    'Reports and administration are unavailable. Sign-ins continue, and no attempt is lost. Try again in 30 seconds.';
  const code = 'desk-unavailable';
  const body = { type: `urn:gatehouse:problem:${code}`, title: 'Not available right now', status: 503, detail, code };
  return c.body(JSON.stringify(body), 503, { 'Content-Type': 'application/problem+json', 'Retry-After': '30' });
});

const CONNECTOR = /^https?:\/\/[^/?#]*\/connectors(?:[/?#]|$)/;

export default {
  fetch: (request, env, ctx) => (CONNECTOR.test(request.url) ? connectors : others).fetch(request, env, ctx),
} satisfies ExportedHandler<GateEnv>;
