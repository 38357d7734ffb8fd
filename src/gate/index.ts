/** The gate answers Microsoft's calls and forwards the desk's addresses to it, so that Gatehouse has one address. */
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { redactionProblems } from '../attempts/redaction.ts';
import { countRefusal } from '../attempts/refused-calls.ts';
import { JSON_NOT_STORED, NOT_STORED } from '../platform/answer-headers.ts';
import { configOf } from '../platform/config.ts';
import { withState } from '../platform/gate-state.ts';
import { errorFields, log } from '../platform/log.ts';
import { NO_SUCH_ADDRESS } from '../platform/no-such-address.ts';
import { answerExchangeInPanic, customPolicy } from './custom-policy/routes.ts';
import type { GateBindings, GateEnv } from './env.ts';
import { answerInPanic, userFlow } from './user-flow/routes.ts';

/** A separate app without middleware, since each step delays a sign-in. */
const connectors = new Hono<GateBindings>();
connectors.route('/connectors/user-flow', userFlow);
connectors.route('/connectors/custom-policy', customPolicy);
connectors.notFound((c) => {
  // Most likely a typo in the portal, and no sign-in works until it is corrected. The URL is not logged: it may contain
  // a key.
  const refusal = { route: 'connector', reason: 'no-such-connector', name: '' } as const;
  countRefusal(refusal, Date.now(), c.env.ATTEMPTS, (work) => c.executionCtx.waitUntil(work));
  const body = { version: '1.0.0', status: 404, userMessage: 'There is no connector at this address.' };
  return c.body(JSON.stringify(body), 404, JSON_NOT_STORED);
});
connectors.onError((error, c) =>
  CUSTOM_POLICY.test(c.req.url) ? answerExchangeInPanic(error, c) : answerInPanic(error, c),
);

const others = new Hono<GateBindings>();
// For load balancers and uptime checks. It has no dependencies.
others.get('/health', (c) => c.body('{"status":"ok"}', 200, JSON_NOT_STORED));
others.all('*', async (c) => {
  if (DESK.test(c.req.url)) {
    const config = configOf(c.env);
    const problems = [...config.problems, ...redactionProblems(config)];
    return c.env.DESK.fetch(await withState(c.req.raw, { ...config, problems }));
  }
  // Browsers and strangers ask for many addresses. None of them starts the desk.
  return problem(c, 'no-such-address', { title: 'Not found', status: 404, detail: NO_SUCH_ADDRESS });
});
// The desk is unavailable or being deployed.
others.onError((error, c) => {
  log('request-failed', { method: c.req.method, ...errorFields(error) });
  const detail =
    'Reports and administration are unavailable. Sign-ins continue, and no attempt is lost. Try again in 30 seconds.';
  const title = 'Not available right now';
  return problem(c, 'desk-unavailable', { title, status: 503, detail }, { 'Retry-After': '30' });
});

/** Problem details (RFC 9457), as the desk writes them. */
function problem(
  c: Context,
  code: string,
  { title, status, detail }: { title: string; status: 404 | 503; detail: string },
  headers: Record<string, string> = {},
): Response {
  const body = { type: `urn:gatehouse:problem:${code}`, title, status, detail, code };
  return c.body(JSON.stringify(body), status, {
    ...NOT_STORED,
    'Content-Type': 'application/problem+json',
    ...headers,
  });
}

const CUSTOM_POLICY = /^https?:\/\/[^/?#]*\/connectors\/custom-policy(?:[/?#]|$)/;
const CONNECTOR = /^https?:\/\/[^/?#]*\/connectors(?:[/?#]|$)/;
const DESK =
  /^https?:\/\/[^/?#]*\/(?:(?:health|reports|admin)(?:[/?#]|$)|(?:openapi\.json|reference)(?:[?#]|$)|[?#]|$)/;

export default {
  fetch: (request, env, ctx) => (CONNECTOR.test(request.url) ? connectors : others).fetch(request, env, ctx),
} satisfies ExportedHandler<GateEnv>;
